"""What a case is about, and what its remedy did, as facts with links into the rooms below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from eligibility.models import AssessmentRun, Determination, Enrolment
from grievances.models import Grievance
from grievances.subjects import Subject
from grievances.views.blueprint import link
from mis import access
from mis.db import db
from mis.money import Money
from mis.web import i18n
from mis.web.looks import look
from payments.models import Entitlement, Payment
from registry import references
from registry.models import Person

Fact = tuple[Any, Any, str | None]

_LATEST = 3
_PAYMENTS, _ENROLMENTS, _DECISIONS = (
    "payments:cycle:read",
    "eligibility:enrolment:read",
    "eligibility:assessment:read",
)


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


def latest_of(person_id: int) -> list[Fact]:
    """The latest payments, enrolments and decisions of a person, each with the address that lodges against it."""
    reference = references.reference(references.PERSON, person_id)
    facts: list[Fact] = []
    for model, permission, word, shown in _LODGED_AGAINST:
        newest = sa.select(model.id).where(model.person_id == person_id).order_by(model.id.desc())
        for number in db.session.scalars(newest.limit(_LATEST)) if access.may(permission) else ():
            against: dict[str, Any] = {"person": reference, word: number}
            if (fact := shown(number)) is not None:
                facts.append((fact[0], fact[1], url_for("grievances.lodge", **against)))
    return facts


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
    if number is not None and not access.may(_PAYMENTS):
        return _("Payment"), _numbered(number), None
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
    if number is not None and not access.may(_ENROLMENTS):
        return _("Enrolment"), _numbered(number), None
    enrolment = number and db.session.scalar(
        sa.select(Enrolment).where(Enrolment.id == number).options(joinedload(Enrolment.scheme))
    )
    if not enrolment:
        return None
    text = f"{enrolment.scheme.name}: {look(enrolment.status).label}"
    return _("Enrolment"), text, link("eligibility.enrolment", enrolment_id=enrolment.id)


def _decision(number: int | None) -> Fact | None:
    if number is not None and not access.may(_DECISIONS):
        return _("Decision"), _numbered(number), None
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


def _numbered(number: int) -> str:
    """All that is said of a record to somebody who may not read it."""
    return str(_("number %(number)s", number=number))


_LODGED_AGAINST: tuple[tuple[Any, str, str, Callable[[int | None], Fact | None]], ...] = (
    (Payment, _PAYMENTS, "payment", _payment),
    (Enrolment, _ENROLMENTS, "enrolment", _enrolment),
    (Determination, _DECISIONS, "decision", _decision),
)
