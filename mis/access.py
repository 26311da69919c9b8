"""Who may do what, and where.

A permission is written `package:noun:verb`; every endpoint and command declares one, or is declared public. Roles and
what they grant are data (`config/roles.toml`). A grant holds in an area and below: while somebody works under a
permission, every query for a record with a place (`InArea`) sees only the areas in which he or she holds it, lists,
counts and look-ups alike. PostgreSQL keeps the same wall a second time by row-level security.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import (
    Mapped,
    ORMExecuteState,
    Session,
    SessionTransaction,
    UOWTransaction,
    mapped_column,
    with_loader_criteria,
)

from mis import acting
from mis.db import Key, MisSession, db
from mis.errors import Forbidden
from mis.paths import config_dir

View = TypeVar("View", bound=Callable[..., Any])

closure = sa.table("area_closure", sa.column("ancestor_id", Key), sa.column("descendant_id", Key))


@dataclass(frozen=True)
class Role:
    """A job in the office: its name, what it is for, what it may do."""

    code: str
    label: str
    summary: str
    permissions: tuple[str, ...]


@dataclass(frozen=True)
class Roles:
    """Every role, and the pairs that no one person may hold."""

    by_code: dict[str, Role]
    incompatible: tuple[frozenset[str], ...]


@cache
def roles() -> Roles:
    """Read `config/roles.toml`."""
    data = tomllib.loads((config_dir() / "roles.toml").read_text(encoding="utf-8"))
    return Roles(
        by_code={
            code: Role(code, entry["label"], entry["summary"], tuple(entry["permissions"]))
            for code, entry in data["roles"].items()
        },
        incompatible=tuple(frozenset(pair) for pair in data["incompatible"]),
    )


def requires(permission: str) -> Callable[[View], View]:
    """Declare the permission of a view or command."""
    assert permission.count(":") == 2, f"{permission} is not package:noun:verb"

    def declare(view: View) -> View:
        view.mis_permission = permission  # type: ignore[attr-defined]
        return view

    return declare


def public(view: View) -> View:
    """Declare that anybody may use this view, signed in or not."""
    view.mis_permission = None  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Declare that every signed-in user may use this view (the own account, the dashboard)."""
    view.mis_permission = "signed-in"  # type: ignore[attr-defined]
    return view


def may(permission: str, *, on: object = None) -> bool:
    """Whether the one who acts holds the permission anywhere; with `on`, where that record lies, if it has a place."""
    if not any(grant.covers(permission) for grant in acting.current().grants):
        return False
    areas = areas_of(permission) if isinstance(on, InArea) else None
    return areas is None or _lies_in(on.area_id, areas)  # type: ignore[attr-defined]


def holds_in(permission: str, areas: Iterable[int] | None) -> bool:
    """Whether the one who acts holds the permission in every one of these areas; None is the whole country."""
    if not may(permission):
        return False
    held = areas_of(permission)
    return held is None or (areas is not None and all(_lies_in(area_id, held) for area_id in areas))


def need(permission: str, *, on: object = None) -> None:
    """Refuse, unless the one who acts holds the permission somewhere; with `on`, where that record lies."""
    if not may(permission, on=on):
        raise Forbidden(
            f"{acting.current().name} may not do this: it needs the permission {permission}.",
            instead="Ask the system administrator, or let a colleague with that role do it.",
        )


def areas_of(permission: str) -> frozenset[int] | None:
    """The areas in which the one who acts holds the permission; None for the whole country."""
    grants = [grant for grant in acting.current().grants if grant.covers(permission)]
    if any(grant.area_id is None for grant in grants):
        return None
    return frozenset(grant.area_id for grant in grants if grant.area_id is not None)


@contextmanager
def within(permission: str) -> Iterator[None]:
    """Work under a permission: refuse without it, and see only the areas in which it is held."""
    need(permission)
    with seeing(areas_of(permission)):
        yield


@contextmanager
def seeing(areas: frozenset[int] | None) -> Iterator[None]:
    """See only these areas and what lies below them within the block; an empty set is nowhere."""
    session = db.session
    before = session.info.get("areas")
    _narrow(session, areas)
    try:
        yield
    except BaseException:
        # A refusal may be caught, and the page go on: not with this block's view. A transaction that is broken takes no
        # statement, but has to go back to its savepoint, and there finds PostgreSQL's setting as it was.
        session.info["areas"] = before
        with suppress(sa.exc.DBAPIError, sa.exc.InvalidRequestError):
            _narrow(session, before)
        raise
    _narrow(session, before)


def _narrow(session: MisSession, areas: frozenset[int] | None) -> None:
    session.info["areas"] = areas
    if session.in_transaction():
        _tell_postgresql(session, session.connection())


def seen_areas() -> frozenset[int] | None:
    """The areas that this unit of work sees, with all that lies below them; None for the whole country."""
    areas: frozenset[int] | None = db.session.info.get("areas")
    return areas


def in_scope(column: Any) -> sa.ColumnElement[bool]:
    """The same wall for a set-based statement: `column`, an area number, lies in an area seen here."""
    return _inside(column, seen_areas())


def _inside(column: Any, areas: frozenset[int] | None) -> sa.ColumnElement[bool]:
    if areas is None:
        return sa.true()
    below = sa.select(closure.c.descendant_id).where(closure.c.ancestor_id.in_(sorted(areas)))
    inside: sa.ColumnElement[bool] = column.in_(below)
    return inside


def _lies_in(area_id: int, areas: frozenset[int]) -> bool:
    with db.session.no_autoflush:
        return bool(db.session.scalar(sa.select(_inside(sa.literal(area_id), areas))))


class InArea:
    """A record with a place: only the officers of that area, and of the areas above, see it."""

    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)


@event.listens_for(MisSession, "do_orm_execute")
def _see_own_areas(state: ORMExecuteState) -> None:
    areas = state.session.info.get("areas")
    if areas is None or state.is_column_load or not (state.is_select or state.is_update or state.is_delete):
        return
    allowed = tuple(sorted(areas))
    state.statement = state.statement.options(
        with_loader_criteria(
            InArea,
            lambda cls: cls.area_id.in_(
                sa.select(closure.c.descendant_id).where(closure.c.ancestor_id.in_(allowed))
            ),
            include_aliases=True,
            track_closure_variables=True,
        )
    )


@event.listens_for(MisSession, "before_flush")
def _write_own_areas(session: Session, _context: UOWTransaction, _instances: object) -> None:
    areas = session.info.get("areas")
    if areas is None:
        return
    written = (*session.new, *session.dirty, *session.deleted)
    touched = {area_id for record in written if isinstance(record, InArea) for area_id in _places(record)}
    if not all(_lies_in(area_id, areas) for area_id in touched):
        raise Forbidden("This record lies outside the areas you work in.", field="area")


def _places(record: InArea) -> set[int]:
    """Where the record lies, and where it lay before: it may be neither pushed nor pulled over a border."""
    history = sa.inspect(record).attrs["area_id"].history
    return {area_id for area_id in (*history.sum(),) if area_id is not None}


@event.listens_for(MisSession, "after_begin")
def _begin_with_wall(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    _tell_postgresql(session, connection)


def _tell_postgresql(session: Session, connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        areas = session.info.get("areas")
        # An empty text means the whole country; a set without members sees the area -1, which is nowhere.
        text = "" if areas is None else ",".join(str(area) for area in sorted(areas)) or "-1"
        connection.execute(sa.text("SELECT set_config('mis.areas', :areas, true)"), {"areas": text})


def wall_ddl(table_name: str) -> list[str]:
    """Statements after which PostgreSQL itself shows a table's rows only in the areas of the transaction.

    The owner is bound too (FORCE); a superuser is not, so production connects as an ordinary role, or takes one in each
    transaction (`MIS_DATABASE_ROLE`).
    """
    seen = (
        "coalesce(current_setting('mis.areas', true), '') = '' OR area_id IN (SELECT descendant_id FROM area_closure "
        "WHERE ancestor_id = ANY (string_to_array(current_setting('mis.areas', true), ',')::bigint[]))"
    )
    return [
        f'ALTER TABLE "{table_name}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table_name}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY own_areas ON "{table_name}" USING ({seen})',
    ]


def drop_wall_ddl(table_name: str) -> list[str]:
    """Statements that take `wall_ddl` back."""
    return [
        f'DROP POLICY own_areas ON "{table_name}"',
        f'ALTER TABLE "{table_name}" NO FORCE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table_name}" DISABLE ROW LEVEL SECURITY',
    ]
