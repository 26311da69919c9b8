"""A scheme with people to pay: valid by default, in the words of the domain."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from eligibility.models import Enrolment, RuleSet, Scheme
from mis.audit import unaudited
from mis.calendar import Month
from mis.db import db
from payments.models import PaymentAccount
from registry.models import Area, AreaClosure, Person

MONTH = Month(2026, 3)
AT = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)
DAY = AT.date()
AMOUNT = 150_00


def make_area(code: str = "XX", *, parent: Area | None = None) -> Area:
    """An area, with its closure."""
    area = Area(
        code=code,
        name=f"Area {code}",
        kind="district",
        level=0 if parent is None else parent.level + 1,
        parent_id=parent and parent.id,
    )
    db.session.add(area)
    db.session.flush()
    db.session.add(AreaClosure(ancestor_id=area.id, descendant_id=area.id, depth=0))
    if parent is not None:
        db.session.add(AreaClosure(ancestor_id=parent.id, descendant_id=area.id, depth=1))
    db.session.flush()
    return area


def make_scheme(code: str = "OAP", *, currency: str = "KES") -> Scheme:
    """A scheme whose rules are in force for ever."""
    scheme = Scheme(
        code=code,
        name=f"Scheme {code}",
        branch="old_age",
        summary="A pension.",
        legal_basis="Act 1",
        currency=currency,
        created_at=AT,
    )
    db.session.add(scheme)
    db.session.flush()
    rules = {
        "scheme_id": scheme.id,
        "number": 1,
        "document": f"scheme: {code}",
        "digest": "0" * 64,
        "valid_from": date(1990, 1, 1),
        "created_at": AT,
        "status": "published",
        "version": 1,
        "round": 1,
    }
    with unaudited("rules that were published before the test began"):
        db.session.connection().execute(RuleSet.__table__.insert(), rules)  # type: ignore[attr-defined]
    return scheme


def make_person(area: Area, name: str = "Ana Example", **more: Any) -> Person:
    """Somebody in the register."""
    given, _, family = name.partition(" ")
    person = Person(
        **{
            "given_name": given,
            "family_name": family or None,
            "search_name": name.casefold(),
            "sex": "female",
            "area_id": area.id,
            "attributes": {},
            "registered_at": AT,
            "changed_at": AT,
        }
        | more
    )
    db.session.add(person)
    db.session.flush()
    return person


def enrol(scheme: Scheme, person: Person, *, status: str = "active", **more: Any) -> Enrolment:
    """An enrolment since January; `status` as it came to be, without the steps that led there."""
    values = {
        "scheme_id": scheme.id,
        "person_id": person.id,
        "area_id": person.area_id,
        "amount_minor": AMOUNT,
        "currency": scheme.currency,
        "valid_from": date(2026, 1, 1),
        "valid_to": None,
        "exit_reason": "own_request" if status == "exited" else None,
        "enrolled_at": AT,
        "status": status,
        "version": 1,
        "round": 1,
    } | more
    table = Enrolment.__table__
    with unaudited("an enrolment that was there before the test began"):
        key = db.session.connection().scalar(table.insert().returning(table.c.id), values)  # type: ignore[attr-defined]
    return db.session.get_one(Enrolment, key)


def enrol_many(scheme: Scheme, area: Area, count: int, **more: Any) -> list[Enrolment]:
    """So many people, each enrolled."""
    return [enrol(scheme, make_person(area, f"Person {number}"), **more) for number in range(1, count + 1)]


def make_account(
    person: Person, *, kind: str = "mobile", number: str | None = "+254700000001", status: str = "confirmed"
) -> PaymentAccount:
    """An account, confirmed unless said otherwise."""
    account = PaymentAccount(person_id=person.id, kind=kind, created_at=AT)
    account.number = number
    db.session.add(account)
    db.session.flush()
    if status != "proposed":
        table = PaymentAccount.__table__
        with unaudited("an account that was confirmed before the test began"):
            db.session.connection().execute(
                table.update().where(table.c.id == account.id).values(status=status)  # type: ignore[attr-defined]
            )
        db.session.refresh(account)
    return account
