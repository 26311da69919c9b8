"""What the audit trail stores: entries, the fingerprints of bulk rows, seals, and the queue of what is not sealed yet.

The queue is why no entry is ever skipped. On PostgreSQL entries become visible in another order than their numbers, so
"sealed up to number N" would lose those that commit late. Each entry instead puts its number into `audit_unsealed` in
the transaction that writes it, and the sealing transaction takes it out: whenever an entry can be seen, so can its
place in the queue. A database dump carries the queue with it, which a mark made of transaction ids would not survive.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from mis.audit.append_only import append_only
from mis.db import Base, primary_key


class AuditEntry(Base):
    """One act: by whom, through which door, on what, from which values to which, and why."""

    __tablename__ = "audit_entry"
    __audit__ = False  # The trail does not record itself.
    __table_args__ = (
        sa.Index("ix_audit_entry_subject", "subject_type", "subject_id", "id"),
        sa.Index("ix_audit_entry_user_id", "user_id", "id"),
    )

    id: Mapped[int] = primary_key()
    at: Mapped[datetime]
    user_id: Mapped[int | None]
    actor_name: Mapped[str]
    person: Mapped[str]
    via: Mapped[str]
    action: Mapped[str]
    subject_type: Mapped[str | None]  # the table of the record
    subject_id: Mapped[str | None]  # its key, as text; the parts of a compound key are joined by "/"
    area_id: Mapped[int | None]
    changes: Mapped[dict[str, Any]]  # {column: [old, new]}
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]]
    row_count: Mapped[int | None]
    rows: Mapped[dict[str, Any]]  # {"table", "columns", "where"} of the rows the digest covers
    rows_digest: Mapped[str | None]  # SHA-256 over the hashes of those rows, in key order
    mac: Mapped[str]  # made with a key outside of the database: an entry written or edited by hand lacks it


class AuditLeaves(Base):
    """Key and hash of up to 50,000 rows of a bulk entry, so that a changed row can be named."""

    __tablename__ = "audit_leaves"
    __audit__ = False  # Part of the trail.

    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("audit_entry.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hashes: Mapped[bytes]  # 16 bytes a row: its key, the first 8 bytes of its hash


class AuditSeal(Base):
    """A batch of entries under one signature, chained to the batch before it."""

    __tablename__ = "audit_seal"
    __audit__ = False  # Part of the trail.

    id: Mapped[int] = primary_key()
    at: Mapped[datetime]
    first_entry_id: Mapped[int] = mapped_column(index=True)
    last_entry_id: Mapped[int]
    entry_count: Mapped[int]
    entry_ids: Mapped[bytes]  # 8 bytes each
    leaves: Mapped[bytes]  # 32 bytes each
    merkle_root: Mapped[bytes]
    previous_head: Mapped[bytes]
    head: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    signature: Mapped[bytes]


class AuditUnsealed(Base):
    """The number of an entry that waits for its seal."""

    __tablename__ = "audit_unsealed"
    __audit__ = False  # Part of the trail.

    entry_id: Mapped[int] = mapped_column(
        sa.ForeignKey("audit_entry.id"), primary_key=True, autoincrement=False
    )


for _model in (AuditEntry, AuditLeaves, AuditSeal):
    append_only(_model.__table__)


def history(subject_type: str, subject_id: object) -> sa.Select[AuditEntry]:
    """The entries of one record, newest first."""
    return (
        sa.select(AuditEntry)
        .where(AuditEntry.subject_type == subject_type, AuditEntry.subject_id == str(subject_id))
        .order_by(AuditEntry.id.desc())
    )
