"""Two at once: what is locked first wins, and the other is told."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from eligibility.models import Enrolment, Scheme
from mis.db import db
from mis.errors import Conflict
from payments import carrying, disbursement, exceptions, holds, scheduling
from payments.models import Cycle, Entitlement, Hold, Payment
from tests.factories.payments import AT, DAY, MONTH, enrol_many, make_area, make_scheme
from tests.payments.conftest import APPROVER, Office


@pytest.fixture
def scheme(office: Office) -> Scheme:
    with office.at_work():
        made = make_scheme()
        enrol_many(made, make_area(), 2)
        return made


def at_once(*works: Callable[[], object]) -> list[Exception]:
    """Start all at the same moment; returns what was refused."""
    refused: list[Exception] = []
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        gate.wait()
        try:
            work()
        except Conflict as refusal:
            refused.append(refusal)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


@pytest.mark.parametrize("round_", range(4))
def test_a_hold_either_stops_the_export_or_comes_too_late(
    office: Office, scheme: Scheme, round_: int
) -> None:
    cycle_id = office.approved(scheme)

    def export() -> None:
        with office.at_work():
            disbursement.begin(scheduling.get(cycle_id), at=AT)

    late: list[Cycle] = []

    def hold() -> None:
        with office.at_work(APPROVER) as session:
            placed = holds.place(session.get_one(Enrolment, 1), reason="Moved", day=DAY, at=AT)
            late.extend(holds.too_late(placed))

    refused = at_once(export, hold)
    with office.at_work() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Hold)) == 1
        exporting = scheduling.get(cycle_id).status == "exporting"
    assert exporting == bool(late)
    assert bool(refused) != exporting


def test_of_two_who_export_at_once_one_job_is_made(office: Office, scheme: Scheme) -> None:
    cycle_id = office.approved(scheme)
    jobs: list[int] = []

    def export() -> None:
        with office.at_work():
            jobs.append(disbursement.begin(scheduling.get(cycle_id), at=AT).id)

    at_once(export, export)
    assert len(jobs) == 2 and len(set(jobs)) == 1
    office.run(jobs[0])
    with office.at_work() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Payment)) == 2


def test_of_two_who_open_a_cycle_at_once_one_is_told(office: Office, scheme: Scheme) -> None:
    def open_() -> None:
        with office.at_work():
            scheduling.open_cycle(scheduling.scheme_named("OAP"), MONTH, at=AT)

    (refusal,) = at_once(open_, open_)
    assert "already a payment cycle" in str(refusal)


def test_of_two_who_ask_to_pay_again_one_is_told(office: Office, scheme: Scheme) -> None:
    office.exported(scheme)
    with office.at_work() as session:
        payment = session.scalars(sa.select(Payment).order_by(Payment.id)).first()
        assert payment is not None
        exceptions.settle(payment, "rejected", note="Call", at=AT)

    def again() -> None:
        with office.at_work() as session:
            entitlement = session.scalars(sa.select(Entitlement).order_by(Entitlement.id)).first()
            assert entitlement is not None
            carrying.pay_again(entitlement, reason="New account", at=AT)

    (refusal,) = at_once(again, again)
    assert "already to be paid" in str(refusal)
    assert not db.is_open
