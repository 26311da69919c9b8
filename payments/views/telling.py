"""What happened to a record of the payments, step by step, in the words of its lifecycle."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from mis.states import HasLifecycle, StateChange, changes_of

_OTHER = {"created": _l("Recorded"), "edited": _l("Changed")}


def steps_of(record: HasLifecycle, *, leave_out: tuple[str, ...] = ()) -> list[tuple[StateChange, Any]]:
    """Who took which step when, oldest first; `leave_out` names steps that background work takes by itself."""
    known = record.lifecycle.steps
    return [
        (
            change,
            _(known[change.step].label) if change.step in known else _OTHER.get(change.step, change.step),
        )
        for change in changes_of(record)
        if change.step not in leave_out
    ]
