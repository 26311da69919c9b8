"""Versions in force: half-open validity ranges, from `valid_from` up to but without `valid_to` (None: still in force).

The database keeps that no two versions of the same thing are in force on one day, by a trigger that says the same on
SQLite and PostgreSQL. (An exclusion constraint would need an extension that not every administrator may create.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped

from mis.errors import Invalid

_FOR_EVER = "'9999-12-31'"


class InForce:
    """A version that holds from a day on, and up to another."""

    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    def is_in_force(self, day: date) -> bool:
        """Whether this version holds on the day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def end(self, day: date) -> None:
        """Let this version hold up to, and without, the day."""
        if day <= self.valid_from:
            raise Invalid(f"It began on {self.valid_from}, so it cannot end on {day}.", field="valid_to")
        self.valid_to = day


def in_force(model: type[InForce], day: Any) -> sa.ColumnElement[bool]:
    """The criterion for versions that hold on a day (a date or a column)."""
    start: Any = model.valid_from
    end: Any = model.valid_to
    return sa.and_(start <= day, sa.or_(end.is_(None), end > day))


def ends_after_it_starts() -> sa.CheckConstraint:
    """The constraint of every table of versions."""
    return sa.CheckConstraint(
        "valid_to IS NULL OR valid_to > valid_from", name="valid_to_is_after_valid_from"
    )


def no_two_in_force(
    table: sa.FromClause, keys: Sequence[str], *, only: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Make `create_all` give the table the trigger of `no_two_in_force_ddl`."""
    assert isinstance(table, sa.Table), table

    def create(target: sa.Table, connection: Connection, **_: Any) -> None:
        for statement in no_two_in_force_ddl(target.name, keys, connection.dialect.name, only=only):
            connection.exec_driver_sql(statement)

    event.listen(table, "after_create", create)


def no_two_in_force_ddl(
    table_name: str, keys: Sequence[str], dialect: str, *, only: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """Statements after which two rows with equal `keys` are never in force on the same day.

    `only` limits the rule to some rows: `{"status": ["published"]}`. The table's key is `id`. A breach is an
    IntegrityError that names `no_two_<table>_in_force`.
    """
    name = f"no_two_{table_name}_in_force"
    clash = _clash(table_name, keys, "IS NOT DISTINCT FROM" if dialect == "postgresql" else "IS", only or {})
    applies = _applies("NEW", only or {})
    if dialect == "postgresql":
        return [_function(name, table_name, keys, clash), _trigger(name, table_name, applies)]
    return [
        f'CREATE TRIGGER {name}_{verb} AFTER {verb} ON "{table_name}" WHEN {applies} AND EXISTS ({clash}) '
        f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
        for verb in ("INSERT", "UPDATE")
    ]


def drop_no_two_in_force_ddl(table_name: str, dialect: str) -> list[str]:
    """Statements that take `no_two_in_force_ddl` back."""
    name = f"no_two_{table_name}_in_force"
    if dialect == "postgresql":
        return [f'DROP TRIGGER IF EXISTS {name} ON "{table_name}"', f"DROP FUNCTION IF EXISTS {name}()"]
    return [f"DROP TRIGGER IF EXISTS {name}_{verb}" for verb in ("INSERT", "UPDATE")]


def _clash(table_name: str, keys: Sequence[str], same: str, only: Mapping[str, Sequence[str]]) -> str:
    equal = "".join(f' AND other."{key}" {same} NEW."{key}"' for key in keys)
    return (  # names of tables and columns, from the models
        f'SELECT 1 FROM "{table_name}" AS other WHERE other.id <> NEW.id{equal} AND {_applies("other", only)} '  # noqa: S608
        f"AND other.valid_from < COALESCE(NEW.valid_to, {_FOR_EVER}) "
        f"AND NEW.valid_from < COALESCE(other.valid_to, {_FOR_EVER})"
    )


def _applies(row: str, only: Mapping[str, Sequence[str]]) -> str:
    conditions = [
        f'{row}."{column}" IN ({", ".join(_quoted(v) for v in values)})' for column, values in only.items()
    ]
    return " AND ".join(conditions) or "1 = 1"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _function(name: str, table_name: str, keys: Sequence[str], clash: str) -> str:
    key = " || '/' || ".join(f"""COALESCE(NEW."{key}"::text, '')""" for key in keys)
    # Two transactions that insert at once do not see each other's row: the lock lets the second look only after the
    # first has committed, and each statement of the function sees what is committed by then.
    return f"""CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('{table_name}/' || {key}, 0));
    IF EXISTS ({clash}) THEN
        RAISE EXCEPTION USING ERRCODE = 'exclusion_violation', CONSTRAINT = '{name}', TABLE = '{table_name}',
            MESSAGE = '{name}';
    END IF;
    RETURN NULL;
END $$"""


def _trigger(name: str, table_name: str, applies: str) -> str:
    return (
        f'CREATE TRIGGER {name} AFTER INSERT OR UPDATE ON "{table_name}" FOR EACH ROW WHEN ({applies}) '
        f"EXECUTE FUNCTION {name}()"
    )
