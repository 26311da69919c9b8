"""What happened to a record, from the audit trail, as `macros/history.html` tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from mis import audit
from mis.audit import AuditEntry
from mis.db import Base, db

SHOWN = 50

# What the session writes by itself, in the words of people; an act that names itself keeps its name.
_EVENTS = {"insert": _l("Recorded"), "update": _l("Changed"), "delete": _l("Removed")}
# Numbers and codes by which only the machine knows the row.
_MACHINE = frozenset({"id", "uid", "nonce", "version", "round"})


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
        if name not in _MACHINE and isinstance(pair, list) and len(pair) == 2
    ]
    event = str(_EVENTS.get(entry.action.rpartition(".")[2], entry.action))
    event = event[:1].upper() + event[1:]
    return Happening(entry.at, entry.actor_name, event, entry.reason, entry.via, changes)


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    return value if value is None or isinstance(value, str | int) else str(value)
