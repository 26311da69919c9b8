"""A remedy acts in the transaction of the answer; what the room where it acts refuses, refuses the answer."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from eligibility import explaining
from eligibility.models import Determination, Enrolment, Scheme
from grievances import casework, remedies, subjects
from grievances.models import Grievance
from mis import acting
from mis.acting import Actor, Grant
from mis.audit import unaudited
from mis.db import MisSession, db
from mis.errors import Conflict, Forbidden, Invalid
from payments import holds
from payments.models import (
    CarryOver,
    Cycle,
    Entitlement,
    Hold,
    Payment,
    PaymentBatch,
    PaymentEvent,
    PaymentState,
)
from tests.conftest import acting_as
from tests.factories import eligibility
from tests.factories.payments import AMOUNT, enrol, make_area, make_person, make_scheme
from tests.grievances.office import AT, MONDAY, a_person, answer, lodged

WORKER = ("grievances:case:*", "payments:hold:*", "eligibility:assessment:run")


@pytest.fixture
def enrolment(work: MisSession) -> Enrolment:
    return enrol(make_scheme(), make_person(make_area()))


def case_about(category: str, **subject: int) -> Grievance:
    """An acknowledged case about something."""
    about = subjects.about(**subject)
    assert about.area_id is not None
    grievance = lodged(about.area_id, category, subject=about).grievance
    casework.acknowledge(grievance, day=MONDAY)
    return grievance


def uphold(grievance: Grievance, remedy: str) -> dict[str, Any]:
    """Answer in favour of the complainant, with a remedy; returns what it did."""
    answer(grievance, finding="upheld", decision="You are right.", remedy=remedy)
    assert grievance.remedy_result is not None
    return grievance.remedy_result


def paid(enrolment: Enrolment, *, status: str, month: str = "2026-02") -> Payment:
    """A payment of a closed cycle, in a status; a rejected one is free to be paid again."""
    cycle_id = _stored(
        Cycle,
        scheme_id=enrolment.scheme_id,
        month=month,
        currency=enrolment.currency,
        opened_at=AT,
        status="closed",
        version=1,
        round=1,
    )
    entitlement = Entitlement(
        cycle_id=cycle_id,
        enrolment_id=enrolment.id,
        person_id=enrolment.person_id,
        area_id=enrolment.area_id,
        month=month,
        kind="regular",
        amount_minor=AMOUNT,
        currency=enrolment.currency,
    )
    batch = PaymentBatch(cycle_id=cycle_id, message_id=f"M{cycle_id}", frozen_at=AT, header={})
    db.session.add_all([entitlement, batch])
    db.session.flush()
    payment = Payment(
        batch_id=batch.id,
        cycle_id=cycle_id,
        entitlement_id=entitlement.id,
        person_id=enrolment.person_id,
        area_id=enrolment.area_id,
        attempt=1,
        amount_minor=AMOUNT,
        currency=enrolment.currency,
        end_to_end_id=f"E{entitlement.id}",
        payee_name="Ana Example",
        live=1,
    )
    db.session.add(payment)
    db.session.flush()
    event = PaymentEvent(payment_id=payment.id, status=status, at=AT)
    db.session.add_all([event, PaymentState(payment_id=payment.id, status=status, changed_at=AT)])
    db.session.flush()
    if status == "rejected":
        payment.live, payment.released_by_event_id = None, event.id
        db.session.flush()
    return payment


def _stored(model: Any, **values: Any) -> int:
    table = model.__table__
    with unaudited("what was there before the test began"):
        return int(db.session.connection().scalar(table.insert().returning(table.c.id), values))


def test_a_hold_is_placed_by_the_answer(enrolment: Enrolment) -> None:
    grievance = case_about("wrong_inclusion", enrolment_id=enrolment.id)
    result = uphold(grievance, "place_hold")
    hold = db.session.get_one(Hold, result["hold_id"])
    assert (hold.enrolment_id, hold.released_at) == (enrolment.id, None)
    assert "You are right." in hold.reason
    assert grievance.status == "resolved"


def test_a_hold_is_released_by_the_answer(enrolment: Enrolment) -> None:
    hold = holds.place(enrolment, reason="Reported absent.", day=MONDAY, at=AT)
    result = uphold(case_about("payment_stopped", enrolment_id=enrolment.id), "release_hold")
    assert result["hold_ids"] == [hold.id]
    assert holds.live_on(enrolment.id, MONDAY) == []


def test_without_a_live_hold_there_is_nothing_to_release(enrolment: Enrolment) -> None:
    grievance = case_about("payment_stopped", enrolment_id=enrolment.id)
    with pytest.raises(Conflict, match="No hold is live") as refusal:
        uphold(grievance, "release_hold")
    assert refusal.value.field == "remedy"


def test_a_rejected_payment_is_paid_again_by_a_later_cycle(enrolment: Enrolment) -> None:
    payment = paid(enrolment, status="rejected")
    result = uphold(case_about("payment_not_received", payment_id=payment.id), "pay_again")
    asked = db.session.get_one(CarryOver, result["carry_over_id"])
    assert (asked.entitlement_id, asked.cycle_id) == (payment.entitlement_id, None)
    assert "2026-02" in result["sentence"]


@pytest.mark.parametrize("status", ["sent", "pending", "paid", "unknown"])
def test_a_payment_that_may_have_arrived_is_never_paid_again(enrolment: Enrolment, status: str) -> None:
    payment = paid(enrolment, status=status)
    grievance = case_about("payment_not_received", payment_id=payment.id)
    (choice,) = [one for one in remedies.choices(grievance, day=MONDAY) if one.code == "pay_again"]
    assert choice.refusal is not None
    with pytest.raises(Conflict, match="a second one is impossible"):
        uphold(grievance, "pay_again")
    assert (grievance.status, grievance.decision) == ("acknowledged", None)
    assert db.session.scalar(sa.select(sa.func.count(CarryOver.id))) == 0


def test_a_payment_is_asked_for_again_only_once(enrolment: Enrolment) -> None:
    payment = paid(enrolment, status="rejected")
    uphold(case_about("payment_not_received", payment_id=payment.id), "pay_again")
    with pytest.raises(Conflict, match="already to be paid"):
        uphold(case_about("payment_not_received", payment_id=payment.id), "pay_again")


@pytest.fixture
def pension(work: MisSession) -> Scheme:
    return eligibility.in_force()


def test_a_refused_person_is_decided_anew(pension: Scheme) -> None:
    person = a_person(birth_date=date(1990, 5, 1))
    refused = explaining.assess_person(pension, person, MONDAY, at=AT)
    assert refused.outcome == "not_eligible"
    person.birth_date = date(1940, 5, 1)
    db.session.flush()
    grievance = case_about("wrong_refusal", determination_id=refused.id)
    (choice,) = [one for one in remedies.choices(grievance, day=MONDAY) if one.code == "reassess"]
    assert "is eligible" in choice.promise
    result = uphold(grievance, "reassess")
    decided = db.session.get_one(Determination, result["determination_id"])
    assert (decided.id > refused.id, decided.outcome, result["outcome"]) == (True, "eligible", "eligible")


def test_whoever_has_no_decision_and_no_enrolment_is_not_assessed_under_unknown_rules(
    pension: Scheme,
) -> None:
    grievance = case_about("data_error", person_id=a_person().id)
    with pytest.raises(Conflict, match="under which rules"):
        uphold(grievance, "reassess")


def test_a_remedy_goes_with_the_category_and_the_finding(enrolment: Enrolment) -> None:
    grievance = case_about("service_quality", enrolment_id=enrolment.id)
    with pytest.raises(Invalid, match="does not fit"):
        uphold(grievance, "place_hold")
    stopped = case_about("payment_stopped", enrolment_id=enrolment.id)
    with pytest.raises(Invalid, match="not upheld"):
        answer(stopped, remedy="release_hold")
    assert [one.code for one in remedies.choices(grievance, day=MONDAY)] == ["none"]


def test_a_remedy_needs_the_permission_of_the_room_where_it_acts(enrolment: Enrolment) -> None:
    grievance = case_about("wrong_inclusion", enrolment_id=enrolment.id)
    with acting_as("gina", "grievances:case:*"), pytest.raises(Forbidden, match="payments:hold:place"):
        uphold(grievance, "place_hold")
    with acting_as("hugo", *WORKER):
        uphold(grievance, "place_hold")


def test_a_remedy_acts_within_the_areas_of_the_officer(enrolment: Enrolment) -> None:
    grievance = case_about("wrong_inclusion", enrolment_id=enrolment.id)
    with acting_as("gina", *WORKER, area_id=enrolment.area_id):
        assert uphold(grievance, "place_hold")["hold_id"]


def test_a_remedy_needs_its_permission_in_the_area_of_the_case(enrolment: Enrolment) -> None:
    grievance, elsewhere = case_about("wrong_inclusion", enrolment_id=enrolment.id), make_area("YY")
    grants = (Grant(WORKER[:1], enrolment.area_id), Grant(("payments:hold:*",), elsewhere.id))
    with acting.acting(Actor(None, "gina", "gina", "test", grants)):
        with pytest.raises(Forbidden, match="payments:hold:place"):
            uphold(grievance, "place_hold")
        with pytest.raises(Forbidden, match="payments:hold:place"):
            holds.place(enrolment, reason="Reported absent.", day=MONDAY, at=AT)
