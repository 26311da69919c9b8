"""What a case is about, and what its remedy did, as facts with links into the rooms below."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from eligibility.models import AssessmentRun, Determination, Enrolment
from grievances.models import Grievance
from grievances.subjects import Subject
from grievances.views.blueprint import link
from mis.db import db
from mis.money import Money
from mis.web import i18n
from mis.web.looks import look
from payments.models import Entitlement, Payment
from registry import references
from registry.models import Person

Fact = tuple[Any, Any, str | None]


def of_case(grievance: Grievance) -> list[Fact]:
    """(label, value, address) of the person, decision, enrolment and payment of a case."""
    return of_subject(
        Subject(grievance.person_id, grievance.determination_id, grievance.enrolment_id, grievance.payment_id)
    )


def of_subject(subject: Subject) -> list[Fact]:
    """The same for a subject that is no case yet; what the reader may not see is left out."""
    known = (
        _person(subject.person_id),
        _payment(subject.payment_id),
        _enrolment(subject.enrolment_id),
        _decision(subject.determination_id),
    )
    return [fact for fact in known if fact is not None]


def of_remedy(grievance: Grievance) -> list[Fact]:
    """What the remedy did, with the record it left."""
    result = grievance.remedy_result or {}
    if "hold_id" in result:
        return [(_("Hold"), str(result["hold_id"]), link("payments.hold", hold_id=result["hold_id"]))]
    if "determination_id" in result:
        fact = _decision(result["determination_id"])
        return [(_("New decision"), fact[1], fact[2])] if fact else []
    return []


def _person(number: int | None) -> Fact | None:
    person = number and db.session.scalar(sa.select(Person).where(Person.id == number))
    if not person:
        return None
    text = f"{person.name} ({references.reference(references.PERSON, person.id)})"
    return _("Person concerned"), text, link("registry.person", person_id=person.id)


def _payment(number: int | None) -> Fact | None:
    found = (
        number
        and db.session.execute(
            sa.select(Payment, Entitlement)
            .join(Entitlement, Entitlement.id == Payment.entitlement_id)
            .where(Payment.id == number)
        ).one_or_none()
    )
    if not found:
        return None
    payment, entitlement = found
    amount = i18n.money(Money(payment.amount_minor, payment.currency))
    text = f"{amount}, {entitlement.month} ({payment.end_to_end_id})"
    return _("Payment"), text, link("payments.payment", payment_id=payment.id)


def _enrolment(number: int | None) -> Fact | None:
    enrolment = number and db.session.scalar(
        sa.select(Enrolment).where(Enrolment.id == number).options(joinedload(Enrolment.scheme))
    )
    if not enrolment:
        return None
    text = f"{enrolment.scheme.name}: {look(enrolment.status).label}"
    return _("Enrolment"), text, link("eligibility.enrolment", enrolment_id=enrolment.id)


def _decision(number: int | None) -> Fact | None:
    decision = number and db.session.scalar(
        sa.select(Determination)
        .where(Determination.id == number)
        .options(joinedload(Determination.run).joinedload(AssessmentRun.scheme))
    )
    if not decision:
        return None
    run = decision.run
    text = f"{run.scheme.name}, {i18n.day(run.as_of)}: {look(decision.outcome).label}"
    return (
        _("Decision"),
        text,
        link("eligibility.determination", determination_id=decision.id),
    )
