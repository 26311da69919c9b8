"""What happened to a record, from the audit trail, as `macros/history.html` tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mis import audit
from mis.audit import AuditEntry
from mis.db import Base, db

SHOWN = 50


@dataclass(frozen=True)
class Happening:
    """One entry of the history of a record."""

    at: datetime
    who: str
    event: str
    why: str | None
    via: str
    changes: list[tuple[str, Any, Any]]


def of(record: Base, *, limit: int = SHOWN) -> list[Happening]:
    """The latest of what happened to the record, newest first."""
    key: Any = getattr(record, "id")  # noqa: B009 - every record with a page has a number, but not every table
    entries = db.session.scalars(audit.history(record.__tablename__, key).limit(limit))
    return [_happening(entry) for entry in entries]


def _happening(entry: AuditEntry) -> Happening:
    changes = [
        (name.replace("_", " "), *(_shown(value) for value in pair))
        for name, pair in (entry.changes or {}).items()
        if isinstance(pair, list) and len(pair) == 2
    ]
    return Happening(entry.at, entry.actor_name, entry.action, entry.reason, entry.via, changes)


def _shown(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int) else str(value)
