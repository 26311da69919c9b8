"""Tables, and columns, that the database itself refuses to change: triggers for SQLite and PostgreSQL.

The `…_ddl` functions are for migrations; `append_only` and `immutable_columns` attach the same statements to a table,
so that `create_all` makes them too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection

_REFUSE = """CREATE OR REPLACE FUNCTION mis_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
        MESSAGE = TG_TABLE_NAME || ' is append-only: ' || lower(TG_OP) || ' is refused';
END $$"""

_REFUSE_COLUMNS = """CREATE OR REPLACE FUNCTION mis_refuse_column_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = TG_TABLE_NAME || ': ' || TG_ARGV[0];
END $$"""


def append_only_ddl(table_name: str, dialect: str) -> list[str]:
    """Statements after which the table takes new rows only: no update, no delete, no truncate."""
    if dialect == "postgresql":
        return [
            _REFUSE,
            f'CREATE TRIGGER {table_name}_append_only BEFORE UPDATE OR DELETE ON "{table_name}" '
            "FOR EACH ROW EXECUTE FUNCTION mis_refuse_change()",
            f'CREATE TRIGGER {table_name}_keeps_all BEFORE TRUNCATE ON "{table_name}" '
            "FOR EACH STATEMENT EXECUTE FUNCTION mis_refuse_change()",
        ]
    return [
        f'CREATE TRIGGER {table_name}_refuses_{verb.lower()} BEFORE {verb} ON "{table_name}" '
        f"BEGIN SELECT RAISE(ABORT, '{table_name} is append-only: {verb.lower()} is refused'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def drop_append_only_ddl(table_name: str, dialect: str) -> list[str]:
    """Statements that take `append_only_ddl` back."""
    if dialect == "postgresql":
        names = (f"{table_name}_append_only", f"{table_name}_keeps_all")
        return [f'DROP TRIGGER IF EXISTS {name} ON "{table_name}"' for name in names]
    return [f"DROP TRIGGER IF EXISTS {table_name}_refuses_{verb}" for verb in ("update", "delete")]


def immutable_columns_ddl(
    table_name: str, columns: Sequence[str], dialect: str, *, status: str | None = None
) -> list[str]:
    """Statements after which an update that changes one of the columns is refused; other columns may change.

    With `status`, only rows that have this status are kept: a draft may change, what was published may not.
    """
    sentence = f"{', '.join(columns)} cannot be changed once {status or 'written'}"
    condition = f"OLD.status = '{status}' AND " if status else ""
    name = f"{table_name}_keeps_its_content"
    if dialect == "postgresql":
        changed = " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in columns)
        return [
            _REFUSE_COLUMNS,
            f'CREATE TRIGGER {name} BEFORE UPDATE ON "{table_name}" FOR EACH ROW WHEN ({condition}({changed})) '
            f"EXECUTE FUNCTION mis_refuse_column_change('{sentence}')",
        ]
    changed = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in columns)
    return [
        f'CREATE TRIGGER {name} BEFORE UPDATE ON "{table_name}" WHEN {condition}({changed}) '
        f"BEGIN SELECT RAISE(ABORT, '{table_name}: {sentence}'); END"
    ]


def drop_immutable_columns_ddl(table_name: str, dialect: str) -> list[str]:
    """Statements that take `immutable_columns_ddl` back."""
    place = f' ON "{table_name}"' if dialect == "postgresql" else ""
    return [f"DROP TRIGGER IF EXISTS {table_name}_keeps_its_content{place}"]


def append_only(table: sa.FromClause) -> None:
    """Make `create_all` give this table its append-only triggers."""
    _after_create(table, append_only_ddl)


def immutable_columns(table: sa.FromClause, columns: Sequence[str], *, status: str | None = None) -> None:
    """Make `create_all` give this table the triggers that keep the named columns."""
    _after_create(table, lambda name, dialect: immutable_columns_ddl(name, columns, dialect, status=status))


def _after_create(table: sa.FromClause, statements: Callable[[str, str], list[str]]) -> None:
    assert isinstance(table, sa.Table), table

    def create(target: sa.Table, connection: Connection, **_: Any) -> None:
        for statement in statements(target.name, connection.dialect.name):
            connection.exec_driver_sql(statement)

    event.listen(table, "after_create", create)
