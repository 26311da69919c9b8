"""The database, and the one transaction of each unit of work.

A unit of work is a request, a command or a chunk of a job. Its shell opens it, and commits it once, at the end; domain
code may flush and never commits. A refusal rolls everything back. Reading units are read-only by the database's own
word (`SET TRANSACTION READ ONLY` on PostgreSQL, `PRAGMA query_only` on SQLite), so a GET that writes fails its test.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Dialect, Engine, ExceptionContext
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from mis.errors import Invalid

Json = sa.JSON().with_variant(JSONB(), "postgresql")

# SQLite numbers rows by itself only when the key is called INTEGER.
Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(sa.types.TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which knows no zones, stores it without one and gives it back with one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive moments: nobody could say which hour was meant."""
        if value is None:
            return None
        assert value.tzinfo is not None, f"{value} has no time zone"
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give every moment its zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table of the system. Constraint names are the truths they keep."""

    metadata = sa.MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: Key,
        str: sa.Text(),
        bool: sa.Boolean(),
        date: sa.Date(),
        datetime: Instant(),
        bytes: sa.LargeBinary(),
        dict[str, Any]: Json,
        list[Any]: Json,
    }


def primary_key() -> Any:
    """The number of a row, given by the database and never used again."""
    return mapped_column(Key, primary_key=True, autoincrement=True)


class MisSession(Session):
    """The session of a unit of work; audit, access and states listen to it."""


_current: ContextVar[MisSession | None] = ContextVar("unit_of_work", default=None)


class Database:
    """The engine of this process and the session of the running unit of work."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def configure(self, url: str, *, role: str = "") -> None:
        """Connect this process to the database at `url`, in PostgreSQL under `role` if one is named."""
        if self._engine is not None:
            self._engine.dispose()
        self._engine = make_engine(url, role=role)

    @property
    def engine(self) -> Engine:
        """The engine; configure() comes first."""
        assert self._engine is not None, "Database.configure() was not called"
        return self._engine

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @property
    def session(self) -> MisSession:
        """The session of the running unit of work."""
        session = _current.get()
        assert session is not None, "No unit of work is open: the shell opens one with db.unit_of_work()."
        return session

    @property
    def is_open(self) -> bool:
        """Whether a unit of work is running here."""
        return _current.get() is not None

    @contextmanager
    def unit_of_work(self, *, read_only: bool = False) -> Iterator[MisSession]:
        """Open one transaction; commit it at the end, or roll it back if anything is raised.

        What was asked for with `after_commit` is done once the commit has succeeded, outside of the transaction.
        """
        session = MisSession(
            bind=self.engine.execution_options(mis_read_only=read_only), expire_on_commit=False
        )
        token = _current.set(session)
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            _current.reset(token)
            session.close()
        for then in session.info.pop("after_commit", []):
            then()

    def after_commit(self, then: Callable[[], None]) -> None:
        """Do `then` after this unit of work has committed; a roll-back forgets it."""
        self.session.info.setdefault("after_commit", []).append(then)


db = Database()


def make_engine(url: str, *, role: str = "") -> Engine:
    """An engine with this system's rules for its database.

    Parameters never reach logs or error texts: they hold names, accounts and identity numbers.
    """
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sa.create_engine(url, hide_parameters=True, pool_pre_ping=not url.startswith("sqlite"))
    event.listen(engine, "handle_error", _refuse_what_cannot_be_stored)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", lambda connection: _begin_postgresql(connection, role))
    return engine


def _refuse_what_cannot_be_stored(context: ExceptionContext) -> None:
    """Numbers beyond 64 bits, characters beyond UTF-8 and NUL: whatever was typed there, it is not our mistake."""
    error = context.original_exception
    too_large = isinstance(error, OverflowError) or getattr(error, "sqlstate", None) == "22003"
    # psycopg refuses NUL before the server sees it, the server refuses it in JSON.
    unwritable = isinstance(error, UnicodeEncodeError) or getattr(error, "sqlstate", None) in (
        "22021",
        "22P05",
    )
    if too_large:
        raise Invalid("A number is too large to be stored or looked for.") from None
    if unwritable or (context.is_disconnect is False and "NUL (0x00)" in str(error)):
        raise Invalid("A text holds a character that cannot be stored.") from None


def is_passing(error: BaseException) -> bool:
    """Whether the database is only busy, restarting, or chose this transaction to break a deadlock."""
    if isinstance(error, sa.exc.TimeoutError):
        return True  # All connections of this process are at work.
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorname", "").startswith(_PASSING_IN_SQLITE)
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # Nobody answered: the server is down, or going down.
        return error.connection_invalidated or isinstance(error, sa.exc.OperationalError)
    # Classes of SQLSTATE: connection, transaction rollback, resources, lock not available, operator intervention.
    return error.connection_invalidated or state.startswith(("08", "40", "53", "55P03", "57P"))


_PASSING_IN_SQLITE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN")


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # We say BEGIN ourselves: the driver's own habit starts write transactions too late to be safe.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("mis_read_only", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
    # A writer takes its lock at once: two that both read first and then write would deadlock.
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection, role: str) -> None:
    if connection.get_execution_options().get("mis_read_only", False):
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    if role:
        connection.exec_driver_sql(f'SET LOCAL ROLE "{role}"')


def freshen(*tables: str) -> None:
    """Tell PostgreSQL's planner of rows that a job has just written.

    It hears of them by itself a minute later; until then it plans for an empty table, and a join of 20,000 rows with
    themselves, one by one, took 39 seconds. SQLite plans well enough by its indexes alone.
    """
    if db.dialect == "postgresql":
        for table in tables:
            db.session.execute(sa.text(f'ANALYZE "{table}"'))


def plain(value: Any) -> Any:
    """A column value as it is written into JSON: dates and moments in ISO form, bytes in hexadecimal."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Decimal():
            return str(value)
    return value
