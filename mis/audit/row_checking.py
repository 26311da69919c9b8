"""Rows of sealed tables against the entries that recorded them: changed, deleted, or added without any entry.

Entries are read from the newest to the oldest, so that what a later bulk write discarded is known. In memory are one
chunk of fingerprints, one bit for each row of a sealed table, and the ranges of discarding entries.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mis.audit.bulk import LEAF, condition
from mis.audit.digest import row_hash
from mis.audit.discards import Discards
from mis.audit.findings import Finding, Report
from mis.audit.reading import read
from mis.audit.recording import entries
from mis.audit.subjects import is_sealed, model_of, table_of
from mis.audit.tables import AuditLeaves
from mis.db import Base

_KEYS_PER_QUERY = 500
_leaves = table_of(AuditLeaves)


class Keys:
    """A set of row numbers, one bit each, in pages: small for a million rows, harmless for one absurd number."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def add(self, key: int) -> None:
        """Put a number in."""
        page = self._pages.setdefault(key >> 16, bytearray(8192))
        page[(key & 0xFFFF) >> 3] |= 1 << (key & 7)

    def __contains__(self, key: int) -> bool:
        page = self._pages.get(key >> 16)
        return page is not None and bool(page[(key & 0xFFFF) >> 3] & 1 << (key & 7))


@dataclass(frozen=True)
class Recorded:
    """The rows that one entry speaks of."""

    entry_id: int
    row_count: int
    digest: str
    table: sa.Table
    columns: tuple[str, ...]
    where: dict[str, Any]
    fingerprints: str | None
    discards: bool
    inserted: dict[str, Any]

    @property
    def key(self) -> sa.Column[Any]:
        """The number of a row."""
        (key,) = self.table.primary_key.columns
        return key

    @property
    def only_key(self) -> int | None:
        """The number of the row, if the entry names a single one by it."""
        number = self.where.get(self.key.name)
        return number if self.row_count == 1 == len(self.where) and isinstance(number, int) else None

    def rows(self, connection: Connection) -> Generator[tuple[int, bytes], None, None]:
        """Key and hash of each row as it is now, in key order."""
        return self.hashes(
            connection, [condition(self.table.c[name], value) for name, value in self.where.items()]
        )

    def hashes(
        self, connection: Connection, where: list[sa.ColumnElement[bool]]
    ) -> Generator[tuple[int, bytes], None, None]:
        """Key and hash of the rows that meet the conditions."""
        columns = [self.key, *(self.table.c[name] for name in self.columns)]
        for row in read(connection, columns, lambda query: query.where(*where).order_by(self.key)):
            yield row[0], row_hash(row[1:])


def check_rows(connection: Connection, report: Report) -> None:
    """Check every row of every sealed table."""
    present = set(sa.inspect(connection).get_table_names())
    seen = {table.name: Keys() for table in _sealed_tables()}
    discards = Discards()
    singles: dict[tuple[str, tuple[str, ...]], list[Recorded]] = {}
    for recorded in _recorded(connection, report, present):
        name = recorded.table.name
        if discards.cover(name, recorded.where | recorded.inserted):
            continue
        if recorded.discards:
            discards.add(name, recorded.where)
        if recorded.only_key is None:
            _check_many(connection, report, recorded, seen[name])
            continue
        alike = singles.setdefault((name, recorded.columns), [])
        alike.append(recorded)
        if len(alike) == _KEYS_PER_QUERY:
            _check_singles(connection, report, alike, seen[name])
            alike.clear()
    for alike in filter(None, singles.values()):
        _check_singles(connection, report, alike, seen[alike[0].table.name])
    for table in _sealed_tables():
        if table.name in present:
            _name_added(connection, report, table, seen[table.name])


def _sealed_tables() -> list[sa.Table]:
    return [table_of(mapper.class_) for mapper in Base.registry.mappers if is_sealed(mapper.class_)]


def _recorded(connection: Connection, report: Report, present: set[str]) -> Iterator[Recorded]:
    names = ("id", "row_count", "rows_digest", "rows", "changes")
    recording = read(
        connection,
        [entries.c[name] for name in names],
        lambda query: query.where(entries.c.rows_digest.is_not(None)).order_by(entries.c.id.desc()),
    )
    for entry_id, row_count, digest, rows, changes in recording:
        try:
            model = model_of(rows["table"])
            if model is None or not is_sealed(model):
                continue
            recorded = Recorded(
                entry_id,
                int(row_count),
                str(digest),
                table_of(model),
                tuple(rows["columns"]),
                dict(rows["where"]),
                rows.get("fingerprints"),
                bool(rows.get("discards")),
                {name: new for name, (_, new) in changes.items()} if isinstance(changes, dict) else {},
            )
            known = recorded.table.name in present and {*recorded.columns, *recorded.where} <= set(
                recorded.table.columns.keys()
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            known = False
        if known:
            yield recorded
        else:
            why = "their table or columns are gone, or the entry was changed"
            sentence = f"Audit entry {entry_id} recorded rows that cannot be compared: {why}."
            report.find(Finding("rows-unknown", sentence, entry_id))


def _check_singles(connection: Connection, report: Report, alike: list[Recorded], seen: Keys) -> None:
    """Rows that were recorded one by one."""
    first = alike[0]
    keys = [recorded.only_key for recorded in alike]
    found = dict(first.hashes(connection, [first.key.in_(keys)]))
    for key, recorded in zip(keys, alike, strict=True):
        assert key is not None
        if key not in found:
            report.find(_deleted(recorded, key))
            continue
        seen.add(key)
        report.rows_checked += 1
        if sha256(found[key]).hexdigest() != recorded.digest:
            report.find(_changed(recorded, key))


def _check_many(connection: Connection, report: Report, recorded: Recorded, seen: Keys) -> None:
    """Rows that were recorded as a set: a merge of the rows as they are with the fingerprints as they were."""
    told, digest, fingerprints = Report(), sha256(), sha256()
    with closing(recorded.rows(connection)) as rows:
        row = next(rows, None)
        for key, short in _fingerprints(connection, recorded.entry_id):
            fingerprints.update(LEAF.pack(key, short))
            while row is not None and row[0] < key:
                row = next(rows, None)  # Another entry recorded it, or none: _name_added will tell.
            if row is None or row[0] != key:
                told.find(_deleted(recorded, key))
                continue
            seen.add(key)
            report.rows_checked += 1
            digest.update(row[1])
            if row[1][:8] != short:
                told.find(_changed(recorded, key))
    if fingerprints.hexdigest() != recorded.fingerprints:
        _check_as_one(connection, report, recorded, seen)
    elif told.findings or digest.hexdigest() == recorded.digest:
        report.take(told)
    else:
        _check_as_one(connection, report, recorded, seen)


def _check_as_one(connection: Connection, report: Report, recorded: Recorded, seen: Keys) -> None:
    """Rows whose fingerprints were tampered with: the digest of the entry still tells whether all are right."""
    digest = sha256()
    for key, row_digest in recorded.rows(connection):
        seen.add(key)
        digest.update(row_digest)
    place = f"{recorded.table.name} that entry {recorded.entry_id} recorded"
    if digest.hexdigest() == recorded.digest:
        sentence = f"The fingerprints of the rows of {place} were changed; the rows themselves are right."
        report.find(Finding("fingerprints", sentence, recorded.entry_id, table=recorded.table.name))
        return
    sentence = f"Rows of {place} were changed, and their fingerprints too: which rows cannot be told."
    report.find(Finding("rows-changed", sentence, recorded.entry_id, table=recorded.table.name))


def _fingerprints(connection: Connection, entry_id: int) -> Iterator[tuple[int, bytes]]:
    ordinals = sa.select(_leaves.c.ordinal).where(_leaves.c.entry_id == entry_id).order_by(_leaves.c.ordinal)
    for ordinal in connection.scalars(ordinals).all():
        chunk = sa.select(_leaves.c.hashes).where(
            _leaves.c.entry_id == entry_id, _leaves.c.ordinal == ordinal
        )
        packed = connection.scalar(chunk)
        if isinstance(packed, bytes):
            yield from LEAF.iter_unpack(packed[: len(packed) // LEAF.size * LEAF.size])


def _name_added(connection: Connection, report: Report, table: sa.Table, seen: Keys) -> None:
    (key,) = table.primary_key.columns
    for number in connection.scalars(sa.select(key).order_by(key).execution_options(yield_per=5_000)):
        if number not in seen:
            sentence = f"{table.name} {number} was added without an audit entry."
            report.find(Finding("row-added", sentence, table=table.name, row_id=number))


def _changed(recorded: Recorded, key: int) -> Finding:
    sentence = f"{recorded.table.name} {key} was changed after it was recorded by entry {recorded.entry_id}."
    return Finding("row-changed", sentence, recorded.entry_id, table=recorded.table.name, row_id=key)


def _deleted(recorded: Recorded, key: int) -> Finding:
    sentence = f"{recorded.table.name} {key} was deleted after it was recorded by entry {recorded.entry_id}."
    return Finding("row-deleted", sentence, recorded.entry_id, table=recorded.table.name, row_id=key)
