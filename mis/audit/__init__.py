"""The audit trail: who did what, when, from which value to which, and why.

The session writes an entry for every record it inserts, changes or deletes; a set-based write must name itself with
`bulk`, and leaves one entry with the count and a digest of its rows. Entries and sealed rows cannot be changed
(triggers), are sealed in batches under a signature, and `verify` finds what was changed behind the application's back.
"""

from __future__ import annotations

from mis.audit import flushing as flushing  # it listens to the session
from mis.audit.append_only import (
    append_only,
    append_only_ddl,
    drop_append_only_ddl,
    drop_immutable_columns_ddl,
    immutable_columns,
    immutable_columns_ddl,
)
from mis.audit.bulk import bulk, unaudited
from mis.audit.findings import Finding, Report
from mis.audit.recording import aside, record
from mis.audit.sealing import seal_pending
from mis.audit.signing import configure
from mis.audit.tables import AuditEntry, AuditLeaves, AuditSeal, AuditUnsealed, history
from mis.audit.verifying import verify

__all__ = [
    "AuditEntry",
    "AuditLeaves",
    "AuditSeal",
    "AuditUnsealed",
    "Finding",
    "Report",
    "append_only",
    "append_only_ddl",
    "aside",
    "bulk",
    "configure",
    "drop_append_only_ddl",
    "drop_immutable_columns_ddl",
    "history",
    "immutable_columns",
    "immutable_columns_ddl",
    "record",
    "seal_pending",
    "unaudited",
    "verify",
]
