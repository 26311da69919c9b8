"""Computing: who is due what, a stored reason for everybody else, and figures that tie out."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from eligibility.models import Enrolment, Scheme
from mis import access, acting, audit
from mis.acting import Actor, Grant
from mis.calendar import Month
from mis.db import db
from mis.errors import Conflict, Forbidden
from payments import approval, carrying, holds, paylist, payroll, scheduling, totals
from payments.models import CarryOver, Entitlement, NotPaid
from payments.policy import Policy
from payments.totals import Sum
from registry.models import Area, Person
from tests.factories.payments import (
    AMOUNT,
    AT,
    DAY,
    MONTH,
    enrol,
    enrol_many,
    make_account,
    make_area,
    make_person,
    make_scheme,
)
from tests.payments.conftest import OFFICER, Office

NEXT = MONTH.plus(1)


@pytest.fixture
def scheme(office: Office) -> Scheme:
    with office.at_work():
        return make_scheme()


@pytest.fixture
def area(office: Office) -> Area:
    with office.at_work():
        return make_area()


def reasons(office: Office, cycle_id: int) -> dict[int, str]:
    with office.at_work() as session:
        rows = session.execute(
            sa.select(NotPaid.enrolment_id, NotPaid.reason).where(NotPaid.cycle_id == cycle_id)
        )
        return {int(number): str(reason) for number, reason in rows}


def due(office: Office, cycle_id: int) -> list[int]:
    with office.at_work() as session:
        found = sa.select(Entitlement.enrolment_id).where(Entitlement.cycle_id == cycle_id)
        return list(session.scalars(found.order_by(Entitlement.enrolment_id)))


def figures(office: Office, cycle_id: int) -> dict[str, Sum]:
    with office.at_work():
        return totals.of(scheduling.get(cycle_id))


def hold(office: Office, enrolment: Enrolment, **more: Any) -> int:
    with office.at_work():
        return holds.place(
            db.session.get_one(Enrolment, enrolment.id), reason="Moved", day=DAY, at=AT, **more
        ).id


LEFT_OUT: dict[str, dict[str, Any]] = {
    "applied": {"status": "applied"},
    "not_started": {"valid_from": date(2026, 4, 1)},
    "exited": {"status": "exited", "valid_to": date(2026, 3, 1)},
    "suspended": {"status": "suspended"},
    "no_amount": {"amount_minor": None},
    "other_currency": {"currency": "USD"},
}


@pytest.mark.parametrize("reason", LEFT_OUT)
def test_whoever_is_due_nothing_is_left_out_with_the_reason(
    office: Office, scheme: Scheme, area: Area, reason: str
) -> None:
    with office.at_work():
        enrol(scheme, make_person(area))
        left_out = enrol(scheme, make_person(area), **LEFT_OUT[reason])
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    assert reasons(office, cycle_id) == {left_out.id: reason}
    assert figures(office, cycle_id)["entitled"] == Sum(1, AMOUNT)
    assert figures(office, cycle_id)[f"not_paid.{reason}"] == Sum(1, 0)


@pytest.mark.parametrize(
    "dates",
    [
        {"valid_from": date(2026, 3, 31)},
        {"status": "exited", "valid_to": date(2026, 3, 2)},
        {"valid_from": date(2026, 3, 1), "valid_to": date(2026, 4, 1)},
    ],
)
def test_an_enrolment_that_lives_for_one_day_of_the_month_is_due(
    office: Office, scheme: Scheme, area: Area, dates: dict[str, Any]
) -> None:
    with office.at_work():
        one = enrol(scheme, make_person(area), **dates)
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    assert due(office, cycle_id) == [one.id]


def test_death_before_the_month_ends_the_claim_and_death_within_it_withholds_the_payment(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        before = enrol(scheme, make_person(area, death_date=date(2026, 2, 28)))
        within = enrol(scheme, make_person(area, death_date=date(2026, 3, 15)))
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    assert reasons(office, cycle_id) == {before.id: "died_before", within.id: "died"}
    assert due(office, cycle_id) == [within.id]


def test_who_left_and_came_back_within_a_month_is_paid_once(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        person = make_person(area)
        left = enrol(scheme, person, status="exited", valid_to=date(2026, 3, 10))
        back = enrol(scheme, person, valid_from=date(2026, 3, 20))
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    assert due(office, cycle_id) == [back.id]
    assert reasons(office, cycle_id) == {left.id: "other_enrolment"}


def test_a_hold_withholds_what_stays_due_and_the_next_cycle_pays_it_once_released(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        free, held = enrol_many(scheme, area, 2)
    hold_id = hold(office, held)
    cycle_id = office.exported(scheme)
    assert reasons(office, cycle_id) == {held.id: "held"}
    assert figures(office, cycle_id)["withheld"] == Sum(1, AMOUNT)
    assert figures(office, cycle_id)["exported"] == Sum(1, AMOUNT)
    with office.at_work():
        holds.release(holds.get(hold_id), reason="Found", at=AT)
    later = office.exported(scheme, NEXT)
    assert figures(office, later)["carried"] == Sum(1, AMOUNT)
    assert figures(office, later)["exported"] == Sum(3, 3 * AMOUNT)
    last = office.exported(scheme, NEXT.plus(1))
    assert figures(office, last)["carried"] == Sum(0, 0)
    assert free.id in due(office, last)


def test_what_is_held_still_is_not_carried_over(office: Office, scheme: Scheme, area: Area) -> None:
    with office.at_work():
        (held,) = enrol_many(scheme, area, 1)
        enrol(scheme, make_person(area))
    hold(office, held)
    office.exported(scheme)
    later = office.exported(scheme, NEXT)
    assert figures(office, later)["carried"] == Sum(0, 0)
    assert figures(office, later)["withheld"] == Sum(1, AMOUNT)


def test_a_hold_that_expired_withholds_nothing(office: Office, scheme: Scheme, area: Area) -> None:
    with office.at_work():
        (one,) = enrol_many(scheme, area, 1)
        holds.place(one, reason="Short", day=date(2026, 1, 1), at=AT, expires_on=date(2026, 1, 31))
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    assert reasons(office, cycle_id) == {}


def test_without_an_account_one_is_paid_in_cash_or_waits_for_one_as_the_policy_says(
    office: Office, scheme: Scheme, area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    with office.at_work():
        with_account, without = enrol_many(scheme, area, 2)
        make_account(db.session.get_one(Person, with_account.person_id))
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    assert reasons(office, cycle_id) == {}
    monkeypatch.setattr(paylist, "policy_of", lambda code: Policy("none", "SSBE"))
    office.compute(cycle_id)
    assert reasons(office, cycle_id) == {without.id: "no_account"}
    assert figures(office, cycle_id)["withheld"] == Sum(1, AMOUNT)


def test_computing_again_replaces_what_was_computed_and_the_trail_stays_whole(
    office: Office, scheme: Scheme, area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payroll, "SPAN", 2)
    with office.at_work():
        many = enrol_many(scheme, area, 5)
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    hold(office, many[0])
    office.compute(cycle_id)
    assert figures(office, cycle_id)["payable"] == Sum(4, 4 * AMOUNT)
    assert len(due(office, cycle_id)) == 5
    with db.unit_of_work(read_only=True):
        report = audit.verify()
    assert not report.findings, report.findings
    assert report.rows_checked >= 5


def test_an_aborted_cycle_gives_way_to_the_next_one_of_the_month(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        enrol_many(scheme, area, 3)
    first = office.open(scheme)
    office.compute(first)
    office.step(first, "abort", reason="Wrong amounts")
    second = office.open(scheme)
    office.compute(second)
    assert due(office, first) == []
    assert len(due(office, second)) == 3
    with db.unit_of_work(read_only=True):
        assert not audit.verify().findings


def test_there_is_one_cycle_of_a_scheme_and_month(office: Office, scheme: Scheme) -> None:
    office.open(scheme)
    with pytest.raises(Conflict, match="already a payment cycle of OAP for 2026-03"):
        office.open(scheme)


def test_a_scheme_without_rules_in_force_pays_nobody(office: Office, scheme: Scheme) -> None:
    with pytest.raises(Conflict, match="no rules in force in 1980-01"):
        office.open(scheme, Month(1980, 1))


def test_an_officer_of_one_area_does_not_pay_the_country(office: Office, scheme: Scheme, area: Area) -> None:
    local = Actor(None, "local", "local", "test", (Grant(("*",), area.id),))
    with (
        pytest.raises(Forbidden, match="whole country"),
        db.unit_of_work(),
        acting.acting(local),
        access.within("payments:cycle:prepare"),
    ):
        scheduling.open_cycle(scheme, MONTH, at=AT)


def test_an_empty_cycle_pays_nobody_instead_of_everybody(office: Office, scheme: Scheme, area: Area) -> None:
    with office.at_work():
        other = make_scheme("CHG")
        enrol_many(other, area, 3)
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    assert figures(office, cycle_id)["payable"] == Sum(0, 0)
    with pytest.raises(Conflict, match="pay list is empty"):
        office.step(cycle_id, "submit")


def test_the_list_is_compared_with_that_of_the_month_before(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        enrol_many(scheme, area, 2)
        enrol(scheme, make_person(area), valid_to=date(2026, 4, 1))
    office.exported(scheme)
    with office.at_work():
        enrol(scheme, make_person(area), valid_from=date(2026, 4, 5))
    later = office.open(scheme, NEXT)
    office.compute(later)
    found = figures(office, later)
    assert [found[name].count for name in ("previous", "new", "gone", "changed")] == [3, 1, 1, 0]


def test_amounts_tie_out_without_a_cent_lost(office: Office, scheme: Scheme, area: Area) -> None:
    amounts = [1, 10**15, 333_33, 2**40 + 1]
    with office.at_work():
        for number, amount in enumerate(amounts):
            enrol(scheme, make_person(area, f"P {number}"), amount_minor=amount)
    cycle_id = office.exported(scheme)
    assert figures(office, cycle_id)["exported"] == Sum(4, sum(amounts))
    with office.at_work():
        assert all(check.holds for check in totals.checks(totals.of(scheduling.get(cycle_id))))


def test_two_cycles_of_a_scheme_do_not_both_take_up_what_was_left(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        (held,) = enrol_many(scheme, area, 1)
        enrol(scheme, make_person(area))
    hold_id = hold(office, held)
    office.exported(scheme)
    with office.at_work():
        holds.release(holds.get(hold_id), reason="Found", at=AT)
    one, other = office.open(scheme, NEXT), office.open(scheme, NEXT.plus(1))
    office.compute(one)
    office.compute(other)
    assert figures(office, one)["carried"].count == 1
    assert figures(office, other)["carried"].count == 0
    office.compute(one)
    assert figures(office, one)["carried"].count == 1
    office.step(one, "abort", reason="Late")
    office.compute(other)
    assert figures(office, other)["carried"].count == 1


def test_what_is_under_way_is_not_paid_again(office: Office, scheme: Scheme, area: Area) -> None:
    with office.at_work():
        enrol_many(scheme, area, 1)
    cycle_id = office.approved(scheme)
    with office.at_work() as session:
        entitlement = session.scalars(sa.select(Entitlement)).one()
        with pytest.raises(Conflict, match="still under way"):
            carrying.pay_again(entitlement, reason="Asked", at=AT)
    office.export(cycle_id)
    with office.at_work() as session:
        entitlement = session.scalars(sa.select(Entitlement)).one()
        with pytest.raises(Conflict, match="a second one is impossible"):
            carrying.pay_again(entitlement, reason="Asked", at=AT)
        assert session.scalar(sa.select(sa.func.count()).select_from(CarryOver)) == 0


def test_a_step_takes_the_cycle_in_hand_before_it_looks(office: Office, scheme: Scheme) -> None:
    cycle_id = office.open(scheme)
    with office.at_work(OFFICER):
        cycle = scheduling.get(cycle_id)
        approval.take(cycle, "abort", reason="Not needed")
        assert cycle.status == "aborted"
        with pytest.raises(Conflict, match="aborted"):
            approval.take(cycle, "abort", reason="Again")
