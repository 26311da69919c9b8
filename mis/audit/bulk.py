"""Set-based writes name themselves: one entry with the number of rows, their digest, and each sealed row's fingerprint.

    with audit.bulk("determinations assessed", subject_type="assessment_run", subject_id=run.id,
                    table=Determination, where={"run_id": run.id, "id": [low, high]}):
        session.execute(sa.insert(Determination).from_select(...))

`where` names the rows after the write, by columns that never change; a list of two is a range with both ends in it.
Where the block deletes rows of a sealed table, its entry discards what earlier entries with the same `where`, or a
narrower one by the same columns, said: a draft that is discarded and computed again is no finding.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256
from tempfile import TemporaryFile
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext
from sqlalchemy.orm import Session

from mis.audit.digest import as_json, row_hash
from mis.audit.recording import draft, write_entries
from mis.audit.subjects import is_audited, is_sealed, model_of, sealed_columns, table_of
from mis.audit.tables import AuditLeaves
from mis.db import Base, db

CHUNK_ROWS = 50_000
LEAF = struct.Struct(">q8s")
_FETCH_ROWS = 5_000
_WRITES = re.compile(r'\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+"?(\w+)', re.IGNORECASE)
_DELETES = re.compile(r"\bDELETE\s+FROM\b", re.IGNORECASE)


@contextmanager
def bulk(
    action: str,
    *,
    table: type[Base],
    where: dict[str, Any],
    subject_type: str | None = None,
    subject_id: object = None,
    details: dict[str, Any] | None = None,
) -> Iterator[None]:
    """Allow set-based writes to one table, and write one entry for all of their rows at the end."""
    where = as_json(where)
    if is_sealed(table):
        fixed = {*sealed_columns(table), *(key.name for key in sa.inspect(table).primary_key)}
        assert where and fixed.issuperset(where), (
            f"{set(where) - fixed} may change later: name the rows by {fixed}"
        )
    session = db.session
    with _allowed(session, table.__tablename__) as scope:
        yield
        session.flush()
    entry = draft(action, subject_type=subject_type, subject_id=subject_id, details=details)
    _write_entry(session, Rows(table, sealed_columns(table), where, scope.discards), entry)


@contextmanager
def unaudited(why: str) -> Iterator[None]:
    """Allow set-based writes that leave no entry by themselves; `why` says who records them, or why nobody needs to."""
    assert why
    with _allowed(db.session, "*"):
        yield


@dataclass
class _Scope:
    """A block in which set-based writes are allowed, to one table or to all (*)."""

    table: str
    discards: bool = False


@contextmanager
def _allowed(session: Session, table: str) -> Iterator[_Scope]:
    scopes: list[_Scope] = session.info.setdefault("audit_scopes", [])
    scopes.append(scope := _Scope(table))
    try:
        yield scope
    finally:
        scopes.pop()


def _write_entry(session: Session, rows: Rows, entry: dict[str, Any]) -> None:
    digest, fingerprints, count = sha256(), sha256(), 0
    # The entry is never changed, so it is written last, when its digest is known; what must follow it waits on disk.
    with TemporaryFile() as leaves:
        for key, row_digest in rows.hashes(session.connection()):
            digest.update(row_digest)
            count += 1
            if rows.is_sealed:
                leaf = LEAF.pack(key, row_digest[:8])
                fingerprints.update(leaf)
                leaves.write(leaf)
        entry |= {"row_count": count, "rows": rows.as_json(), "rows_digest": digest.hexdigest()}
        if rows.is_sealed:
            entry["rows"]["fingerprints"] = fingerprints.hexdigest()
        (entry_id,) = write_entries(session, [entry])
        _write_leaves(session.connection(), entry_id, leaves)


def _write_leaves(connection: Connection, entry_id: int, leaves: IO[bytes]) -> None:
    leaves.seek(0)
    ordinal = 0
    while chunk := leaves.read(CHUNK_ROWS * LEAF.size):
        values = {"entry_id": entry_id, "ordinal": ordinal, "hashes": chunk}
        connection.execute(sa.insert(table_of(AuditLeaves)), values)
        ordinal += 1


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, and the columns of them that are hashed."""

    model: type[Base]
    columns: tuple[str, ...]
    where: dict[str, Any]
    discards: bool = False

    def as_json(self) -> dict[str, Any]:
        """What the entry keeps, so that a column added later does not change the hashes of older rows."""
        said = {"table": self.table.name, "columns": list(self.columns), "where": self.where}
        return said | {"discards": True} if self.discards else said

    @property
    def table(self) -> sa.Table:
        """The table."""
        return table_of(self.model)

    @cached_property
    def is_sealed(self) -> bool:
        """Whether each row leaves its fingerprint."""
        return is_sealed(self.model)

    def query(self) -> sa.Select[Any]:
        """The key and the hashed columns, in key order."""
        keys = list(self.table.primary_key.columns)
        return (
            sa.select(keys[0], *(self.table.c[name] for name in self.columns))
            .where(*(condition(self.table.c[name], value) for name, value in self.where.items()))
            .order_by(*keys)
        )

    def hashes(self, connection: Connection) -> Iterator[tuple[int, bytes]]:
        """Key and hash of each row, streamed."""
        result = connection.execute(self.query().execution_options(yield_per=_FETCH_ROWS))
        for partition in result.partitions():
            for row in partition:
                yield row[0], row_hash(row[1:])


def condition(column: sa.Column[Any], value: Any) -> sa.ColumnElement[bool]:
    """The column equals the value, or lies in the range, as the entry keeps it in JSON."""
    if isinstance(column.type, sa.Date):
        value = [_day(end) for end in value] if isinstance(value, list) else _day(value)
    if isinstance(value, list):
        low, high = value
        return column.between(low, high)
    return column == value if value is not None else column.is_(None)


@event.listens_for(Engine, "before_cursor_execute")
def _refuse_nameless(
    connection: Connection,
    _cursor: DBAPICursor,
    statement: str,
    _parameters: Any,
    context: ExecutionContext | None,
    _executemany: bool,
) -> None:
    if not db.is_open:
        return
    session = db.session
    # The session's own flush is recorded record by record; SQLAlchemy's old bulk_… methods flush without saying so.
    if session._flushing and session.info.get("audit_flushes"):
        return
    scopes: list[_Scope] = session.info.get("audit_scopes", [])
    for name in _written_tables(statement, context):
        model = model_of(name)
        if model is None or not is_audited(model):
            continue
        # The innermost block that allows it answers for it.
        scope = next((scope for scope in reversed(scopes) if scope.table in (name, "*")), None)
        if scope is None:
            raise AssertionError(
                f"A set-based write to {name} must name itself: with audit.bulk(…, table={model.__name__}, …)"
            )
        scope.discards = scope.discards or _deletes(statement, context)


def _written_tables(statement: str, context: ExecutionContext | None) -> list[str]:
    compiled = getattr(context, "compiled", None)
    written = getattr(compiled, "statement", None)
    if isinstance(written, sa.Insert | sa.Update | sa.Delete):
        return [written.table.name] if isinstance(written.table, sa.TableClause) else []
    if isinstance(written, sa.Select):
        return []
    return _WRITES.findall(statement)


def _deletes(statement: str, context: ExecutionContext | None) -> bool:
    written = getattr(getattr(context, "compiled", None), "statement", None)
    return isinstance(written, sa.Delete) or bool(_DELETES.search(statement))


def _day(value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(value, str) else value
