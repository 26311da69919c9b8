"""What a grievance is about: a payment leads to its enrolment, an enrolment to its decision, each to its person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from eligibility.models import Determination, Enrolment
from mis.db import Base, db
from mis.errors import Invalid, Missing
from payments.models import Entitlement, Payment
from registry.models import Person

Model = TypeVar("Model", bound=Base)


@dataclass(frozen=True)
class Subject:
    """What a grievance is about; nothing at all for one about service in general."""

    person_id: int | None = None
    determination_id: int | None = None
    enrolment_id: int | None = None
    payment_id: int | None = None
    area_id: int | None = None


NOTHING = Subject()


def about(
    *,
    person_id: int | None = None,
    determination_id: int | None = None,
    enrolment_id: int | None = None,
    payment_id: int | None = None,
) -> Subject:
    """The subject with all that it implies. Raises Missing for what is not there or lies outside the areas seen."""
    # From the narrowest to the widest: the first one that names a decision or an enrolment names the right one.
    asked = (
        (_about_payment, payment_id),
        (_about_enrolment, enrolment_id),
        (_about_decision, determination_id),
        (_about_person, person_id),
    )
    found = [look_up(number) for look_up, number in asked if number is not None]
    if len({one.person_id for one in found}) > 1:
        raise Invalid("Person, decision and payment are not of one and the same person.", field="person")
    return Subject(
        person_id=_first(one.person_id for one in found),
        determination_id=determination_id or _first(one.determination_id for one in found),
        enrolment_id=enrolment_id or _first(one.enrolment_id for one in found),
        payment_id=payment_id,
        area_id=_first(one.area_id for one in reversed(found)),
    )


def _about_payment(payment_id: int) -> Subject:
    payment = _there(Payment, payment_id, "payment")
    enrolment = db.session.execute(
        sa.select(Enrolment.id, Enrolment.determination_id)
        .join(Entitlement, Entitlement.enrolment_id == Enrolment.id)
        .where(Entitlement.id == payment.entitlement_id)
    ).one_or_none()
    return Subject(
        person_id=payment.person_id,
        determination_id=enrolment.determination_id if enrolment else None,
        enrolment_id=enrolment.id if enrolment else None,
        payment_id=payment.id,
        area_id=payment.area_id,
    )


def _about_enrolment(enrolment_id: int) -> Subject:
    one = _there(Enrolment, enrolment_id, "enrolment")
    return Subject(one.person_id, one.determination_id, one.id, area_id=one.area_id)


def _about_decision(determination_id: int) -> Subject:
    one = _there(Determination, determination_id, "decision")
    return Subject(one.person_id, one.id, area_id=one.area_id)


def _about_person(person_id: int) -> Subject:
    one = _there(Person, person_id, "person")
    return Subject(one.id, area_id=one.area_id)


def _there(model: type[Model], number: int, noun: str) -> Model:
    # By a query and not by get(): the session narrows it to the areas in which the one who acts may look.
    key: Any = sa.inspect(model).primary_key[0]
    found = db.session.scalar(sa.select(model).where(key == number))
    if found is None:
        raise Missing(f"There is no such {noun}, or it lies outside the areas you work in.", field=noun)
    return found


def _first(numbers: Iterable[int | None]) -> int | None:
    return next((number for number in numbers if number is not None), None)
