"""A remedy acts, in the transaction of the answer: each is a row of a table, with what it needs and what it will do.

The rooms below refuse what is not possible there (a payment that may still arrive is not paid again); their sentence
then refuses the answer too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from eligibility import explaining
from eligibility.assessment import PERMISSION as ASSESS
from eligibility.models import AssessmentRun, Determination, Enrolment, Scheme
from grievances.catalogue import catalogue
from grievances.models import Grievance
from mis import access
from mis.db import db
from mis.errors import Conflict, Invalid, Refusal
from mis.money import Money
from payments import carrying, holds
from payments.models import Entitlement, Hold, Payment
from registry.models import Person

RESOLVE = "grievances:case:resolve"

Result = dict[str, Any]

_OUTCOMES = {
    "eligible": "eligible",
    "not_eligible": "not eligible",
    "undetermined": "undetermined: something that the rules ask for is not known",
}


@dataclass(frozen=True)
class Act:
    """What a remedy is given besides the case: why, as of which day, and at which moment."""

    reason: str
    day: date
    at: datetime


@dataclass(frozen=True)
class Remedy:
    """One row of the table: `lacks` says what is missing to do it here, `promise` what it will do, `do` does it."""

    permission: str | None
    lacks: Callable[[Grievance, date], str | None]
    promise: Callable[[Grievance, date], str]
    do: Callable[[Grievance, Act], Result]


@dataclass(frozen=True)
class Choice:
    """A remedy as the officer meets it: what it will do, or the sentence that says why it cannot be chosen here."""

    code: str
    label: str
    promise: str
    refusal: str | None = None


def choices(grievance: Grievance, *, day: date) -> list[Choice]:
    """Every remedy that the category of the case knows, each with its promise or its refusal, as of a day."""
    fitting = catalogue().categories[grievance.category].remedies
    labels = catalogue().remedies
    return [
        Choice(code, labels[code], _promise(grievance, code, day), _refusal(grievance, code, day))
        for code in ("none", *fitting)
    ]


def refuse_unfit(grievance: Grievance, code: str, *, finding: str, day: date) -> None:
    """Refuse a remedy that does not go with the finding, the category or the subject of the case."""
    if code == "none":
        return
    if finding == "not_upheld":
        raise Invalid("A grievance that is not upheld has no remedy. Choose “none”.", field="remedy")
    category = catalogue().categories[grievance.category]
    if code not in category.remedies:
        raise Invalid(
            f"“{catalogue().remedies[code]}” does not fit a grievance of the category “{category.label}”.",
            field="remedy",
        )
    remedy = TABLE[code]
    if remedy.permission is not None:
        access.need(remedy.permission, on=grievance)
    if (sentence := remedy.lacks(grievance, day)) is not None:
        raise Conflict(sentence, field="remedy")


def act(grievance: Grievance, code: str, *, reason: str, day: date, at: datetime) -> Result:
    """Do the remedy, and answer what came of it. What the room below refuses, refuses the answer."""
    return {"remedy": code} | TABLE[code].do(grievance, Act(reason, day, at))


def _promise(grievance: Grievance, code: str, day: date) -> str:
    remedy = TABLE[code]
    return "" if remedy.lacks(grievance, day) else remedy.promise(grievance, day)


def _refusal(grievance: Grievance, code: str, day: date) -> str | None:
    remedy = TABLE[code]
    if remedy.permission is not None and not access.may(remedy.permission, on=grievance):
        return f"You may not do this: it needs the permission {remedy.permission}."
    return remedy.lacks(grievance, day)


def _enrolment(grievance: Grievance) -> Enrolment | None:
    # By a query: the session narrows it to the areas in which the one who acts may look.
    if grievance.enrolment_id is None:
        return None
    return db.session.scalar(sa.select(Enrolment).where(Enrolment.id == grievance.enrolment_id))


def _entitlement(grievance: Grievance) -> Entitlement | None:
    if grievance.payment_id is None:
        return None
    return db.session.scalar(
        sa.select(Entitlement)
        .join(Payment, Payment.entitlement_id == Entitlement.id)
        .where(Payment.id == grievance.payment_id)
    )


def _live_holds(grievance: Grievance, day: date) -> Sequence[Hold]:
    enrolment = _enrolment(grievance)
    return holds.live_on(enrolment.id, day) if enrolment else []


def _no_enrolment(grievance: Grievance, day: date) -> str | None:
    if _enrolment(grievance) is None:
        return "This case names no enrolment and no payment, so there is nothing to hold."
    if _live_holds(grievance, day):
        return "The payments are held already."
    return None


def _place_hold(grievance: Grievance, act: Act) -> Result:
    enrolment = _enrolment(grievance)
    assert enrolment is not None, grievance.id
    hold = holds.place(enrolment, reason=act.reason, day=act.day, at=act.at)
    return {"hold_id": hold.id, "sentence": f"Hold {hold.id} is placed: the next payments wait."}


def _no_hold(grievance: Grievance, day: date) -> str | None:
    return (
        None if _live_holds(grievance, day) else "No hold is live on the enrolment that this case is about."
    )


def _would_release(grievance: Grievance, day: date) -> str:
    named = ", ".join(f"{hold.id} (“{hold.reason}”)" for hold in _live_holds(grievance, day))
    return f"Releases hold {named}: what was withheld is paid by the next cycle that is computed."


def _release_hold(grievance: Grievance, act: Act) -> Result:
    released = list(_live_holds(grievance, act.day))
    for hold in released:
        holds.release(hold, reason=act.reason, at=act.at)
    numbers = [hold.id for hold in released]
    named = ", ".join(map(str, numbers))
    return {
        "hold_ids": numbers,
        "sentence": f"Hold {named} is released: the next cycle pays what was withheld.",
    }


def _not_payable_again(grievance: Grievance, _day: date) -> str | None:
    entitlement = _entitlement(grievance)
    if entitlement is None:
        return "This case names no payment that could be paid again."
    return carrying.why_not_again(entitlement)


def _would_pay_again(grievance: Grievance, _day: date) -> str:
    entitlement = _entitlement(grievance)
    assert entitlement is not None, grievance.id
    return f"Asks that the next cycle pays {_amount(entitlement)} for {entitlement.month} again."


def _pay_again(grievance: Grievance, act: Act) -> Result:
    entitlement = _entitlement(grievance)
    assert entitlement is not None, grievance.id
    asked = carrying.pay_again(entitlement, reason=act.reason, at=act.at)
    return {
        "carry_over_id": asked.id,
        "entitlement_id": entitlement.id,
        "sentence": f"The next cycle pays {_amount(entitlement)} for {entitlement.month} again.",
    }


def _scheme(grievance: Grievance) -> Scheme | None:
    enrolment = _enrolment(grievance)
    if enrolment is not None:
        return db.session.get_one(Scheme, enrolment.scheme_id)
    return db.session.scalar(
        sa.select(Scheme)
        .join(AssessmentRun, AssessmentRun.scheme_id == Scheme.id)
        .join(Determination, Determination.run_id == AssessmentRun.id)
        .where(Determination.id == grievance.determination_id)
    )


def _whom(grievance: Grievance) -> tuple[Scheme, Person] | None:
    scheme = _scheme(grievance)
    person = db.session.scalar(sa.select(Person).where(Person.id == grievance.person_id))
    return (scheme, person) if scheme is not None and person is not None else None


def _not_assessable(grievance: Grievance, day: date) -> str | None:
    whom = _whom(grievance)
    if whom is None:
        return "This case names no decision and no enrolment, so it is not known under which rules to assess anew."
    try:
        explaining.explain(*whom, day)
    except Refusal as refusal:
        return refusal.sentence
    return None


def _would_reassess(grievance: Grievance, day: date) -> str:
    whom = _whom(grievance)
    assert whom is not None, grievance.id
    outcome = explaining.explain(*whom, day).found.outcome
    return (
        f"Decides anew under {whom[0].name} as of today and keeps the decision. By what the register says now, "
        f"{whom[1].name} is {_OUTCOMES[outcome]}. Correct the register first if it is wrong."
    )


def _reassess(grievance: Grievance, act: Act) -> Result:
    whom = _whom(grievance)
    assert whom is not None, grievance.id
    decision = explaining.assess_person(*whom, act.day, at=act.at)
    return {
        "determination_id": decision.id,
        "outcome": decision.outcome,
        "amount_minor": decision.amount_minor,
        "sentence": f"A new decision was taken under {whom[0].name}: {_OUTCOMES[decision.outcome]}.",
    }


def _amount(entitlement: Entitlement) -> str:
    return Money(entitlement.amount_minor, entitlement.currency).format()


TABLE: dict[str, Remedy] = {
    "none": Remedy(
        permission=None,
        lacks=lambda _grievance, _day: None,
        promise=lambda _grievance, _day: "Nothing else changes: the answer is the remedy.",
        do=lambda _grievance, _act: {},
    ),
    "place_hold": Remedy(
        permission=holds.PLACE,
        lacks=_no_enrolment,
        promise=lambda _grievance, _day: (
            "Holds the payments of this enrolment until somebody releases the hold."
        ),
        do=_place_hold,
    ),
    "release_hold": Remedy(
        permission=holds.RELEASE, lacks=_no_hold, promise=_would_release, do=_release_hold
    ),
    "reassess": Remedy(permission=ASSESS, lacks=_not_assessable, promise=_would_reassess, do=_reassess),
    "pay_again": Remedy(
        permission=RESOLVE, lacks=_not_payable_again, promise=_would_pay_again, do=_pay_again
    ),
}
