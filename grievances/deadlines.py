"""By when a grievance must be acknowledged, answered and appealed, in working days; and which ones are late.

No clock stops: whoever waits, waits, whoever's turn it is.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from grievances.catalogue import Category, catalogue
from grievances.models import OPEN, Grievance
from mis.calendar import add_working_days, public_holidays

SOON_WORKING_DAYS = 3


@dataclass(frozen=True)
class WorkingDays:
    """On which days the offices are open: not at weekends (Monday is 0) nor on closed days."""

    weekend: tuple[int, ...] = (5, 6)
    closed: Container[date] = ()

    @classmethod
    def of(cls, country: str, weekend: tuple[int, ...]) -> WorkingDays:
        """The working days of a country (ISO 3166 code)."""
        return cls(weekend, public_holidays(country))

    def after(self, day: date, count: int) -> date:
        """The day `count` working days after `day`."""
        return add_working_days(day, count, closed=self.closed, weekend=self.weekend)


def acknowledge_by(category: Category, received_on: date, *, office: WorkingDays) -> date:
    """The last day for the acknowledgement."""
    return office.after(received_on, category.acknowledge_days)


def due_on(category: Category, received_on: date, *, office: WorkingDays) -> date:
    """The last day for the answer."""
    return office.after(received_on, category.resolve_days)


def appeal_by(resolved_on: date, *, office: WorkingDays) -> date:
    """The last day for an appeal against an answer."""
    return office.after(resolved_on, catalogue().appeal.days)


def overdue(day: date) -> sa.ColumnElement[bool]:
    """Open cases whose acknowledgement or answer is late on this day; the last day itself is not late."""
    return sa.or_(
        sa.and_(Grievance.status == "lodged", Grievance.acknowledge_by < day),
        sa.and_(Grievance.status.in_(OPEN), Grievance.due_on < day),
    )


def due_soon(day: date, *, office: WorkingDays) -> sa.ColumnElement[bool]:
    """Open cases, not late yet, that must be answered within three working days."""
    return sa.and_(
        Grievance.status.in_(OPEN),
        Grievance.due_on.between(day, office.after(day, SOON_WORKING_DAYS)),
    )


def is_overdue(grievance: Grievance, day: date) -> bool:
    """The same as `overdue`, for one case."""
    if not grievance.is_open:
        return False
    return grievance.due_on < day or (grievance.status == "lodged" and grievance.acknowledge_by < day)


def next_deadline(grievance: Grievance) -> date | None:
    """The day that comes next for this case: acknowledgement, answer, or the end of the right of appeal."""
    if grievance.status == "lodged":
        return grievance.acknowledge_by
    return grievance.due_on if grievance.is_open else grievance.appeal_by
