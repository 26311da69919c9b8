"""How a status, an outcome or a message looks: a word, a tone and an icon, so that colour never speaks alone.

The rooms own their statuses; this is the one dictionary of how they are shown. A status that is not listed is
shown by its own name in a neutral tone.
"""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l


@dataclass(frozen=True)
class Look:
    """Word, tone and icon of one status."""

    label: Any  # a lazy string
    tone: str  # one of the tones of mis.css: neutral, progress, good, warning, bad
    icon: str


LOOKS = {
    # work on a record
    "draft": Look(_l("Draft"), "neutral", "pencil"),
    "open": Look(_l("Open"), "progress", "circle-dashed"),
    "staged": Look(_l("Staged"), "progress", "inbox"),
    "computing": Look(_l("Being computed"), "progress", "refresh"),
    "computed": Look(_l("Computed"), "progress", "table"),
    "submitted": Look(_l("Submitted"), "progress", "send"),
    "approved": Look(_l("Approved"), "good", "circle-check"),
    "published": Look(_l("Published"), "good", "circle-check"),
    "accepted": Look(_l("Accepted"), "good", "circle-check"),
    "exporting": Look(_l("Being exported"), "progress", "refresh"),
    "exported": Look(_l("Exported"), "progress", "download"),
    "answered": Look(_l("Answered"), "progress", "inbox"),
    "reconciled": Look(_l("Reconciled"), "good", "checklist"),
    "aborted": Look(_l("Aborted"), "neutral", "ban"),
    "closed": Look(_l("Closed"), "neutral", "lock"),
    "cancelled": Look(_l("Cancelled"), "neutral", "ban"),
    "withdrawn": Look(_l("Withdrawn"), "neutral", "ban"),
    "returned": Look(_l("Returned"), "warning", "arrow-left"),
    "refused": Look(_l("Refused"), "bad", "circle-x"),
    "rejected": Look(_l("Rejected"), "bad", "circle-x"),
    "superseded": Look(_l("Superseded"), "neutral", "history"),
    # people and programmes
    "active": Look(_l("Active"), "good", "circle-check"),
    "suspended": Look(_l("Suspended"), "warning", "player-pause"),
    "exited": Look(_l("Exited"), "neutral", "logout"),
    "ended": Look(_l("Ended"), "neutral", "logout"),
    "inactive": Look(_l("Inactive"), "neutral", "ban"),
    "locked": Look(_l("Locked"), "warning", "lock"),
    # payments
    "pending": Look(_l("Pending"), "progress", "clock"),
    "proposed": Look(_l("To be confirmed"), "warning", "clock"),
    "confirmed": Look(_l("Confirmed"), "good", "circle-check"),
    "held": Look(_l("Held"), "warning", "player-pause"),
    "sent": Look(_l("Sent"), "progress", "send"),
    "paid": Look(_l("Paid"), "good", "circle-check"),
    "failed": Look(_l("Failed"), "bad", "circle-x"),
    "unknown": Look(_l("Unknown"), "warning", "help-circle"),
    # grievances
    "lodged": Look(_l("Lodged"), "progress", "inbox"),
    "acknowledged": Look(_l("Acknowledged"), "progress", "eye"),
    "assigned": Look(_l("Assigned"), "progress", "user"),
    "resolved": Look(_l("Resolved"), "good", "circle-check"),
    "appealed": Look(_l("Appealed"), "warning", "gavel"),
    "overdue": Look(_l("Overdue"), "bad", "alert-triangle"),
    # background work
    "queued": Look(_l("Queued"), "neutral", "clock"),
    "running": Look(_l("Running"), "progress", "refresh"),
    "succeeded": Look(_l("Succeeded"), "good", "circle-check"),
    "done": Look(_l("Done"), "good", "circle-check"),
    # determinations
    "eligible": Look(_l("Eligible"), "good", "circle-check"),
    "not_eligible": Look(_l("Not eligible"), "bad", "circle-x"),
    "undetermined": Look(_l("Undetermined"), "warning", "help-circle"),
    "met": Look(_l("Met"), "good", "circle-check"),
    "not_met": Look(_l("Not met"), "bad", "circle-x"),
    "not_known": Look(_l("Not known"), "warning", "help-circle"),
    # tasks of a task list
    "todo": Look(_l("To do"), "neutral", "circle-dashed"),
    "current": Look(_l("Do this now"), "progress", "arrow-right"),
    "blocked": Look(_l("Cannot start yet"), "neutral", "lock"),
    # categories of flash messages
    "success": Look(_l("Done"), "good", "circle-check"),
    "message": Look(_l("Please note"), "progress", "info-circle"),
    "info": Look(_l("Please note"), "progress", "info-circle"),
    "warning": Look(_l("Warning"), "warning", "alert-triangle"),
    "error": Look(_l("Problem"), "bad", "alert-circle"),
    "danger": Look(_l("Problem"), "bad", "alert-circle"),
    # yes and no
    "true": Look(_l("Yes"), "good", "check"),
    "false": Look(_l("No"), "neutral", "x"),
}


def look(status: object) -> Look:
    """How to show a status, given as text, as an enum member or as a truth value."""
    code = str(getattr(status, "value", status)).lower()
    known = LOOKS.get(code.replace(" ", "_"))
    return known or Look(gettext(code.replace("_", " ").capitalize()), "neutral", "circle-dashed")
