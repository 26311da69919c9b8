"""Why somebody is left out of a cycle: the reasons in their order, for people and as SQL.

Two questions, one after the other. Is anything due for the month? If not, there is no entitlement. Can what is due be
paid now? If not, the entitlement stands and is withheld. The first reason that applies is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from eligibility.models import Enrolment
from mis.audit.subjects import table_of
from mis.calendar import Month
from payments.models import CarryOver, Entitlement, Hold, PaymentAccount
from registry.models import Person

# code: the sentence. Nothing is due.
NOT_DUE = {
    "applied": "The application is not decided yet.",
    "not_started": "The enrolment begins after this month.",
    "exited": "The enrolment ended before this month.",
    "never_began": "The enrolment ended on the day on which it began.",
    "died_before": "The person died before this month.",
    "suspended": "The enrolment is suspended.",
    "other_enrolment": "The person is paid for this month by a later enrolment in the same scheme.",
    "no_amount": "The enrolment has no amount.",
    "other_currency": "The amount is in another currency than the scheme's.",
    "meanwhile": "The enrolment changed while the cycle was being computed: compute it again.",
}
# Due, but not payable now.
WITHHELD = {
    "died": "The person died in this month: somebody must decide to whom it is paid.",
    "held": "A hold is in place.",
    "no_account": "There is no confirmed account to pay into.",
}
SENTENCES = NOT_DUE | WITHHELD
# What was withheld for these is paid by a later cycle as soon as the reason is gone.
PASSING = ("held", "no_account")
# So begins the reason of a carry-over that no person asked for.
BY_ITSELF = "The reason for withholding it in "

e, p, t, a = (table_of(model).c for model in (Enrolment, Person, Entitlement, PaymentAccount))
_hold, _carried = table_of(Hold), table_of(CarryOver)


@dataclass(frozen=True)
class Terms:
    """What a cycle pays: its scheme, month and currency, the day on which holds are looked at, and whether in cash."""

    cycle_id: int
    scheme_id: int
    month: Month
    currency: str
    day: date
    pays_cash: bool


def hold_of(enrolment_id: Any, day: date) -> sa.ScalarSelect[Any]:
    """The first hold that is live on the day, or NULL."""
    return (
        sa.select(sa.func.min(_hold.c.id))
        .where(_hold.c.enrolment_id == enrolment_id, is_live(day))
        .scalar_subquery()
    )


def is_live(day: date) -> sa.ColumnElement[bool]:
    """Whether a hold is neither released nor expired on the day; it holds on its last day."""
    return sa.and_(
        _hold.c.released_at.is_(None), sa.or_(_hold.c.expires_on.is_(None), _hold.c.expires_on >= day)
    )


def held(enrolment_id: Any, day: date) -> sa.ColumnElement[bool]:
    """Whether an enrolment is held on the day."""
    return sa.exists().where(_hold.c.enrolment_id == enrolment_id, is_live(day)).correlate_except(_hold)


def not_due(terms: Terms) -> sa.ColumnElement[str | None]:
    """Why nothing is due to an enrolment for the month, or NULL; over `enrolment` joined with `person`."""
    first, last = terms.month.first_day, terms.month.last_day
    return _first(
        (e.status == "applied", "applied"),
        (e.valid_from > last, "not_started"),
        (e.valid_to <= first, "exited"),
        (e.valid_to <= e.valid_from, "never_began"),
        (p.death_date < first, "died_before"),
        (e.status == "suspended", "suspended"),
        (_paid_by_later(terms), "other_enrolment"),
        (e.amount_minor.is_(None), "no_amount"),
        (e.currency != terms.currency, "other_currency"),
    )


def withheld(terms: Terms) -> sa.ColumnElement[str | None]:
    """Why what is due cannot be paid now, or NULL; over `enrolment`, `person` and the confirmed account, if any."""
    return _first(
        (p.death_date <= terms.month.last_day, "died"),
        *_stops(terms),
    )


def drifted(terms: Terms) -> sa.ColumnElement[str | None]:
    """Why a line of the pay list could not be paid any more, or NULL: the list was made earlier, and the world goes on.

    Over `entitlement`, `enrolment`, `person` and the confirmed account. Lines that a person has asked to pay through a
    later cycle are stopped by holds and missing accounts alone: who decided to pay them knew the rest.
    """
    own = t.cycle_id == terms.cycle_id
    return _first(
        (sa.and_(own, p.death_date <= terms.month.last_day), "died"),
        (sa.and_(_carried_by_itself(terms), p.death_date.is_not(None)), "died"),
        (sa.and_(own, e.valid_to <= terms.month.first_day), "exited"),
        (sa.and_(own, e.valid_to <= e.valid_from), "never_began"),
        (sa.and_(own, e.status == "suspended"), "suspended"),
        *_stops(terms),
    )


def stopped(terms: Terms) -> sa.ColumnElement[str | None]:
    """What stops even a payment that a person has asked for, or NULL; over `enrolment` and the confirmed account."""
    return _first(*_stops(terms))


def _stops(terms: Terms) -> list[tuple[sa.ColumnElement[bool], str]]:
    return [(held(e.id, terms.day), "held"), (_unpayable(terms), "no_account")]


def _carried_by_itself(terms: Terms) -> sa.ColumnElement[bool]:
    c = _carried.c
    return (
        sa.exists()
        .where(c.cycle_id == terms.cycle_id, c.entitlement_id == t.id, c.reason.startswith(BY_ITSELF))
        .correlate_except(_carried)
    )


def confirmed_account(person_id: Any) -> sa.ColumnElement[bool]:
    """The condition of a join with the one account of a person that is paid into."""
    return sa.and_(a.person_id == person_id, a.status == "confirmed")


def _unpayable(terms: Terms) -> sa.ColumnElement[bool]:
    return sa.false() if terms.pays_cash else a.id.is_(None)


def _paid_by_later(terms: Terms) -> sa.ColumnElement[bool]:
    """A person who left and came back within a month has two enrolments in it, and is paid once."""
    later = aliased(Enrolment.__table__)
    return (
        sa.exists()
        .where(
            later.c.scheme_id == e.scheme_id,
            later.c.person_id == e.person_id,
            later.c.id > e.id,
            later.c.status.in_(("active", "suspended", "exited")),
            later.c.valid_from <= terms.month.last_day,
            sa.or_(
                later.c.valid_to.is_(None),
                sa.and_(later.c.valid_to > terms.month.first_day, later.c.valid_to > later.c.valid_from),
            ),
        )
        .correlate_except(later)
    )


def _first(*cases: tuple[sa.ColumnElement[bool], str]) -> sa.ColumnElement[str | None]:
    return sa.case(*((condition, sa.literal(code)) for condition, code in cases), else_=sa.null())
