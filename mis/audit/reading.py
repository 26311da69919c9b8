"""Reading what somebody may have tampered with, without stumbling over it.

SQLite stores whatever is written into a column, also what is no date, no JSON and no UTF-8. Here such a value becomes
a text that no honest row has, so that its row is named instead of ending the verification. PostgreSQL keeps its types.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from mis.db import MisSession, db

FETCH_ROWS = 2_000

Convert = Callable[[Any], Any]


@contextmanager
def snapshot() -> Iterator[Connection]:
    """One view of the whole database, as of now: what is written meanwhile does not look like tampering."""
    with db.unit_of_work(read_only=True) as session:
        connection = _connection(session)
        if connection.dialect.name != "sqlite":
            yield connection
            return
        driver: Any = connection.connection.dbapi_connection
        driver.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        try:
            yield connection
        finally:
            driver.text_factory = str


def _connection(session: MisSession) -> Connection:
    if db.dialect == "postgresql":
        return session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    return session.connection()


def read(
    connection: Connection,
    columns: Sequence[sa.Column[Any]],
    narrow: Callable[[Any], sa.Select[Any]],
    *,
    exact: bool = False,
) -> Generator[tuple[Any, ...], None, None]:
    """The columns of the rows that `narrow` selects, streamed.

    `exact` also finds values that mean the same but are not stored as this application stores them: a space in JSON.
    """
    if connection.dialect.name != "sqlite":
        with connection.execute(narrow(sa.select(*columns)).execution_options(yield_per=FETCH_ROWS)) as rows:
            yield from (tuple(row) for row in rows)
        return
    as_stored: list[Any] = [sa.type_coerce(column, sa.types.NullType()) for column in columns]
    converts = [_convert(column, connection.dialect, exact=exact) for column in columns]
    with connection.execute(narrow(sa.select(*as_stored)).execution_options(yield_per=FETCH_ROWS)) as rows:
        for row in rows:
            yield tuple([convert(value) for convert, value in zip(converts, row, strict=True)])


def _convert(column: sa.Column[Any], dialect: Dialect, *, exact: bool) -> Convert:
    kind = column.type.dialect_impl(dialect)
    to_python = kind.result_processor(dialect, None)
    to_database = kind.bind_processor(dialect) if exact else None
    binary = isinstance(column.type, sa.LargeBinary)

    def convert(raw: Any) -> Any:
        if raw is None:
            return None
        if isinstance(raw, bytes) != binary:
            return _unreadable(raw)
        try:
            value = raw if to_python is None else to_python(raw)
            as_stored = raw if to_database is None else to_database(value)
        except (ValueError, TypeError, ArithmeticError):
            return _unreadable(raw)
        return value if as_stored == raw else _unreadable(raw)

    return convert


def _unreadable(raw: Any) -> str:
    return f"\x00not as stored by the application: {raw!r}"
