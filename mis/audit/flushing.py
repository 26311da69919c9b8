"""The session writes an entry for each record that it inserts, changes or deletes: nobody can forget to.

A record of a sealed table leaves its row hash as well, and its sealed columns never change again.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session, UOWTransaction

from mis.audit.digest import row_hash
from mis.audit.recording import Entry, draft, write_entries
from mis.audit.subjects import hidden, is_audited, is_sealed, key_text, mapper_of, sealed_columns, table_of
from mis.db import MisSession, plain

_NOT_SHOWN = "changed"
_KEYS_PER_QUERY = 500


@event.listens_for(MisSession, "before_flush")
def _keep_sealed_rows(session: Session, _context: UOWTransaction, _instances: object) -> None:
    session.info["audit_flushes"] = True
    for instance in session.deleted:
        assert not is_sealed(type(instance)), (
            f"{instance} is sealed: its rows are discarded in audit.bulk() only"
        )
    for instance in session.dirty:
        if is_sealed(type(instance)):
            changed = set(sealed_columns(type(instance))).intersection(_changes(instance))
            assert not changed, (
                f"{sorted(changed)} of {instance} cannot change: the audit trail has sealed them"
            )


@event.listens_for(MisSession, "after_flush")
def _write_flushed(session: Session, _context: UOWTransaction) -> None:
    drafts = [*_inserted(session), *_updated(session), *_deleted(session)]
    if drafts:
        write_entries(session, drafts)


def _inserted(session: Session) -> Iterator[Entry]:
    new = [instance for instance in session.new if is_audited(type(instance))]
    hashes = _hashes(session, [instance for instance in new if is_sealed(type(instance))])
    for instance in new:
        entry = _entry(instance, "insert", {name: [None, value] for name, value in _values(instance).items()})
        if instance in hashes:
            entry |= _one_row(instance, hashes[instance])
        yield entry


def _updated(session: Session) -> Iterator[Entry]:
    for instance in session.dirty:
        if is_audited(type(instance)) and (changes := _changes(instance)):
            yield _entry(instance, "update", changes)


def _deleted(session: Session) -> Iterator[Entry]:
    for instance in session.deleted:
        if is_audited(type(instance)):
            yield _entry(
                instance, "delete", {name: [value, None] for name, value in _values(instance).items()}
            )


def _entry(instance: Any, verb: str, changes: dict[str, Any]) -> Entry:
    table = table_of(type(instance)).name
    return draft(
        f"{table}.{verb}",
        subject_type=table,
        subject_id=key_text(instance),
        area_id=sa.inspect(instance).dict.get("area_id"),
        changes=changes,
    )


def _values(instance: Any) -> dict[str, Any]:
    """Every column of the record that holds something."""
    loaded: dict[str, Any] = sa.inspect(instance).dict
    columns = ((a.columns[0], loaded.get(a.key)) for a in mapper_of(instance).column_attrs)
    return {
        column.name: _shown(column, value)
        for column, value in columns
        if value is not None and isinstance(column, sa.Column)
    }


def _changes(instance: Any) -> dict[str, Any]:
    """Old and new value of every column that changed."""
    attributes = sa.inspect(instance).attrs
    changes: dict[str, Any] = {}
    for attribute in mapper_of(instance).column_attrs:
        history, column = attributes[attribute.key].history, attribute.columns[0]
        if not history.has_changes() or not isinstance(column, sa.Column):
            continue
        old = history.deleted[0] if history.deleted else None
        new = history.added[0] if history.added else None
        if isinstance(new, sa.ClauseElement) or old != new:
            changes[column.name] = [_shown(column, old), _shown(column, new)]
    return changes


def _shown(column: sa.Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, sa.ClauseElement):
        return "computed by the database"
    return _NOT_SHOWN if hidden(column) else plain(value)


def _hashes(session: Session, instances: list[Any]) -> dict[Any, bytes]:
    """The row hash of each new sealed record, of the row as the database gives it back."""
    hashes: dict[Any, bytes] = {}
    for model in {type(instance) for instance in instances}:
        table = table_of(model)
        (key,) = table.primary_key.columns
        columns = [table.c[name] for name in sealed_columns(model)]
        by_key = {_key(instance): instance for instance in instances if type(instance) is model}
        keys = list(by_key)
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            query = sa.select(key, *columns).where(key.in_(keys[start : start + _KEYS_PER_QUERY]))
            for row in session.connection().execute(query):
                hashes[by_key[row[0]]] = row_hash(row[1:])
    return hashes


def _key(instance: Any) -> Any:
    (key,) = mapper_of(instance).primary_key_from_instance(instance)
    return key


def _one_row(instance: Any, digest: bytes) -> Entry:
    table = table_of(type(instance))
    (key,) = table.primary_key.columns
    rows = {
        "table": table.name,
        "columns": list(sealed_columns(type(instance))),
        "where": {key.name: _key(instance)},
    }
    return {"row_count": 1, "rows": rows, "rows_digest": sha256(digest).hexdigest()}
