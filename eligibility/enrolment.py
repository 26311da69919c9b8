"""One person comes into a scheme and leaves it: applied, decided, suspended, resumed, exited; each with its reason.

A decision that is not known yet leaves the application open: what is missing is asked for, nobody is refused for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from eligibility import explaining, publishing
from eligibility.models import AssessmentRun, Determination, Enrolment, Scheme, enrolment_lifecycle
from eligibility.models.schemes import RuleSet
from mis import access, acting
from mis.db import db
from mis.errors import Conflict, Invalid, Missing
from registry import belonging
from registry.models import Person
from registry.references import PERSON, reference

EXIT_REASONS = {
    "death": "The person died",
    "moved": "The person moved out of the scheme's area",
    "own_request": "The person asked for it",
    "no_longer_eligible": "The requirements are no longer met",
    "error": "The enrolment was an error",
}
LIVE = ("applied", "active", "suspended")


def apply(scheme: Scheme, person: Person, day: date, *, at: datetime) -> Enrolment:
    """Take up the application of a person from a day on. Raises Conflict if there is a live enrolment already."""
    if (there := _live_anywhere(scheme, person)) is not None:
        raise there
    membership = belonging.present(person)
    enrolment = Enrolment(
        scheme=scheme,
        person=person,
        household_id=membership.household_id if membership else None,
        area_id=person.area_id,
        currency=scheme.currency,
        valid_from=day,
        enrolled_by_id=acting.current().user_id,
        enrolled_at=at,
    )
    try:
        with db.session.begin_nested():
            db.session.add(enrolment)
    except IntegrityError:
        # Somebody else took up an application of the same person in this very moment.
        if (there := _live_anywhere(scheme, person)) is None:
            raise
        raise there from None
    return enrolment


def decide(enrolment: Enrolment, determination: Determination) -> None:
    """Enrol or refuse an applicant as the determination says; leave the application open where it is undetermined.

    Raises Conflict if the application is decided already, or the determination is of somebody else.
    """
    if determination.person_id != enrolment.person_id:
        raise Conflict("This determination is of another person.")
    if enrolment.status != "applied":
        raise Conflict(
            f"This enrolment is {enrolment.status_label.lower()} and not waiting for a decision.",
            instead="Look at its history.",
        )
    enrolment.determination_id = determination.id
    enrolment.amount_minor = determination.amount_minor or None
    db.session.flush()
    if determination.outcome == "eligible":
        enrolment_lifecycle.take(enrolment, "enrol")
    elif determination.outcome == "not_eligible":
        enrolment_lifecycle.take(enrolment, "refuse", reason=_why_not(determination))


def apply_and_decide(scheme: Scheme, person: Person, day: date, *, at: datetime) -> Enrolment:
    """The application of a person, assessed and decided at once."""
    enrolment = live_enrolment(scheme, person)
    if enrolment is None or enrolment.status != "applied":
        enrolment = apply(scheme, person, day, at=at)
    decide(enrolment, explaining.assess_person(scheme, person, day, at=at))
    return enrolment


def suspend(enrolment: Enrolment, *, reason: str) -> None:
    """Let a person stay in the scheme without being paid. Raises Conflict, Forbidden, Invalid without a reason."""
    enrolment_lifecycle.take(enrolment, "suspend", reason=reason)


def resume(enrolment: Enrolment, *, reason: str) -> None:
    """End a suspension. Raises Conflict, Forbidden, Invalid without a reason."""
    enrolment_lifecycle.take(enrolment, "resume", reason=reason)


def exit_(enrolment: Enrolment, *, code: str, day: date, note: str | None = None) -> None:
    """End an enrolment from `day` on, for one of EXIT_REASONS. Raises Invalid, Conflict, Forbidden."""
    if code not in EXIT_REASONS:
        raise Invalid(f"The reason is one of: {', '.join(EXIT_REASONS)}.", field="reason")
    if enrolment.status not in enrolment_lifecycle.steps["exit"].sources:
        raise Conflict(
            f"“Exit” is not possible: this enrolment is {enrolment.status_label.lower()}.",
            instead="Only somebody who is active or suspended can leave.",
        )
    if day < enrolment.valid_from:
        raise Invalid(f"The enrolment began on {enrolment.valid_from} and cannot end before.", field="on")
    enrolment.exit_reason, enrolment.valid_to = code, day
    db.session.flush()
    sentence = EXIT_REASONS[code] + (f": {note}" if note else ".")
    enrolment_lifecycle.take(enrolment, "exit", reason=sentence)


def live_enrolment(scheme: Scheme, person: Person) -> Enrolment | None:
    """The enrolment of a person that has not ended, if there is one."""
    return db.session.scalar(
        _with_all().where(
            Enrolment.scheme_id == scheme.id, Enrolment.person_id == person.id, Enrolment.status.in_(LIVE)
        )
    )


def enrolments_of(person: Person) -> Sequence[Enrolment]:
    """All enrolments of a person, the newest first."""
    return db.session.scalars(
        _with_all().where(Enrolment.person_id == person.id).order_by(Enrolment.id.desc())
    ).all()


def numbered(enrolment_id: int) -> Enrolment:
    """An enrolment with its person, scheme and decision. Raises Missing."""
    found = db.session.scalar(_with_all().where(Enrolment.id == enrolment_id))
    if found is None:
        raise Missing(f"There is no enrolment {enrolment_id}.")
    return found


def _live_anywhere(scheme: Scheme, person: Person) -> Conflict | None:
    # Also where the one who acts does not look: whoever has moved may be enrolled in the former area.
    with access.seeing(None):
        live = live_enrolment(scheme, person)
    if live is None:
        return None
    return Conflict(
        f"{person.name} ({reference(PERSON, person.id)}) is in this scheme already: "
        f"{live.status_label.lower()} since {live.valid_from}.",
        field="person",
    )


def _with_all() -> sa.Select[Enrolment]:
    run = joinedload(Enrolment.determination).joinedload(Determination.run)
    return sa.select(Enrolment).options(
        joinedload(Enrolment.person), joinedload(Enrolment.scheme), run.joinedload(AssessmentRun.rule_set)
    )


def _why_not(determination: Determination) -> str:
    rule_set = db.session.scalars(
        sa.select(RuleSet)
        .join(AssessmentRun, AssessmentRun.rule_set_id == RuleSet.id)
        .where(AssessmentRun.id == determination.run_id)
    ).one()
    understood = publishing.understood(rule_set)
    failed = set(understood.reasons(determination.fail_mask))
    said = [
        f"{clause.sentence} ({clause.article})"
        for clause in understood.rules.clauses
        if clause.code in failed
    ]
    return f"Not met: {' '.join(said)}"


def _refuse_what_is_not_decided(enrolment: Enrolment) -> str | None:
    if enrolment.determination_id is None:
        return "Nobody is enrolled without a determination: assess the applicant first."
    if not enrolment.amount_minor:
        return "The last determination does not find the applicant eligible for an amount."
    return None


enrolment_lifecycle.behave("enrol", unless=_refuse_what_is_not_decided)
