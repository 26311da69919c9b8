"""Entries that say themselves what happened: `record` for an act, `aside` for what must outlive a roll-back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from mis import acting
from mis.audit import signing
from mis.audit.digest import as_json, canonical
from mis.audit.subjects import key_text, table_of
from mis.audit.tables import AuditEntry, AuditUnsealed
from mis.calendar import now
from mis.db import Base, db

entries = table_of(AuditEntry)
unsealed = table_of(AuditUnsealed)

_SIGNED = tuple(column.name for column in entries.columns if column.name not in ("id", "mac"))

Entry = dict[str, Any]


def record(
    action: str,
    subject: Base | None = None,
    *,
    subject_type: str | None = None,
    subject_id: object = None,
    changes: dict[str, Any] | None = None,
    reason: str | None = None,
    details: dict[str, Any] | None = None,
) -> int:
    """Write an entry in the unit of work that is running: a sign-in, a reveal, an export, a step of a lifecycle.

    Name the subject by the record itself, or by `subject_type` (its table) and `subject_id`. Returns the number of
    the entry.
    """
    session = db.session
    if subject is not None:
        if sa.inspect(subject).key is None:
            session.flush()
        subject_type, subject_id = subject.__tablename__, key_text(subject)
    entry = draft(
        action,
        subject_type=subject_type,
        subject_id=subject_id,
        area_id=getattr(subject, "area_id", None),
        changes=changes,
        reason=reason,
        details=details,
    )
    return write_entries(session, [entry])[0]


def aside(
    action: str,
    *,
    subject_type: str | None = None,
    subject_id: object = None,
    reason: str | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Write an entry in a unit of work of its own: a refusal or a failed sign-in, whose own work was rolled back."""
    if db.is_open and db.dialect == "sqlite":
        # SQLite has one writer: an entry beside a running write would wait for itself.
        running = db.session
        read_only = running.get_bind().get_execution_options().get("mis_read_only", False)
        assert read_only or not running.in_transaction(), "Roll the unit of work back before audit.aside()"
    with db.unit_of_work():
        record(action, subject_type=subject_type, subject_id=subject_id, reason=reason, details=details)


def draft(
    action: str,
    *,
    subject_type: str | None = None,
    subject_id: object = None,
    area_id: int | None = None,
    changes: dict[str, Any] | None = None,
    reason: str | None = None,
    details: dict[str, Any] | None = None,
) -> Entry:
    """An entry by the one who acts now, not written yet."""
    actor = acting.current()
    return {
        "at": now(),
        "user_id": actor.user_id,
        "actor_name": actor.name,
        "person": actor.person,
        "via": actor.via,
        "action": action,
        "subject_type": subject_type,
        "subject_id": None if subject_id is None else str(subject_id),
        "area_id": area_id,
        "changes": as_json(changes or {}),
        "reason": reason if reason is not None else actor.reason,
        "details": as_json(details or {}),
        "row_count": None,
        "rows": {},
        "rows_digest": None,
    }


def write_entries(session: Session, drafts: list[Entry]) -> list[int]:
    """Write entries, and their places in the queue for sealing; returns their numbers."""
    for entry in drafts:
        entry["mac"] = signing.mac(signed_text(entry))
    connection = session.connection()
    ids = list(connection.scalars(sa.insert(entries).returning(entries.c.id), drafts))
    # RETURNING lets SQLAlchemy write many rows in one statement; without it, PostgreSQL is asked once per row.
    places = [{"entry_id": entry_id} for entry_id in ids]
    connection.execute(sa.insert(unsealed).returning(unsealed.c.entry_id), places).close()
    return ids


def signed_text(entry: Entry) -> bytes:
    """What the MAC of an entry covers: every column but its number, which the database gives."""
    return canonical([entry[name] for name in _SIGNED])
