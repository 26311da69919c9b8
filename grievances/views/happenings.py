"""What happened to a case, in one line of time: its steps and the notes of those who worked on it."""

from __future__ import annotations

from flask_babel import gettext as _

from grievances.models import Grievance, grievance_lifecycle
from mis.states import StateChange, changes_of
from mis.web.history import Happening
from mis.web.looks import look


def of_case(grievance: Grievance) -> list[Happening]:
    """Steps and notes, the newest first."""
    steps = [_step(change) for change in changes_of(grievance) if _tells(change)]
    notes = [Happening(note.at, note.author_name, _("Note"), note.text, "", []) for note in grievance.notes]
    return sorted(steps + notes, key=lambda one: one.at, reverse=True)


def _tells(change: StateChange) -> bool:
    # What was edited belongs to the step beside it, and a note stands here itself.
    return change.step == "created" or change.step in grievance_lifecycle.steps


def _step(change: StateChange) -> Happening:
    event = look(change.target or grievance_lifecycle.initial).label
    return Happening(change.at, change.user_name, event, change.reason, "", [])
