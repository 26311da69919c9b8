"""Nobody is paid twice, for nothing, or never: what changes between two steps, and what an old job may still do."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from eligibility.models import Enrolment, Scheme
from mis import access, acting, jobs
from mis.accounts.models import User
from mis.acting import Actor, Grant
from mis.audit import unaudited
from mis.db import db
from mis.errors import Conflict, Forbidden
from payments import (
    accounts,
    answers,
    carrying,
    disbursement,
    exceptions,
    holds,
    payroll,
    reconciliation,
    scheduling,
)
from payments.models import (
    AnswerLine,
    CarryOver,
    Entitlement,
    NotPaid,
    Payment,
    PaymentState,
)
from registry.models import Area, Person
from tests.factories.payments import (
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
from tests.payments.conftest import APPROVER, Office

NEXT = MONTH.plus(1)


@pytest.fixture
def area(office: Office) -> Area:
    with office.at_work():
        return make_area()


@pytest.fixture
def scheme(office: Office, area: Area) -> Scheme:
    with office.at_work():
        return make_scheme()


def reasons(office: Office, cycle_id: int) -> dict[int, str]:
    with office.at_work() as session:
        found = sa.select(NotPaid.enrolment_id, NotPaid.reason).where(NotPaid.cycle_id == cycle_id)
        return dict(session.execute(found).all())


def entitled(office: Office) -> list[int]:
    with office.at_work() as session:
        return list(session.scalars(sa.select(Entitlement.enrolment_id).order_by(Entitlement.enrolment_id)))


def change(model: type, key: int, **values: object) -> None:
    table = model.__table__  # type: ignore[attr-defined]
    with db.unit_of_work() as session, unaudited("what came to be while the test looked away"):
        session.connection().execute(table.update().where(table.c.id == key).values(**values))


def answer(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("reference,status\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_an_enrolment_that_ended_on_the_day_it_began_is_due_nothing_and_takes_nobodys_place(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        person = make_person(area)
        true = enrol(scheme, person, status="exited", valid_to=date(2026, 3, 10))
        day = date(2026, 3, 12)
        error = enrol(scheme, person, status="exited", valid_from=day, valid_to=day, exit_reason="error")
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    assert entitled(office) == [true.id]
    assert reasons(office, cycle_id) == {error.id: "never_began"}


def test_an_exit_after_the_computation_that_reaches_back_stops_the_approval(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        one, _ = enrol_many(scheme, area, 2)
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    office.step(cycle_id, "submit")
    change(Enrolment, one.id, status="exited", valid_to=MONTH.first_day, exit_reason="error")
    with pytest.raises(Conflict, match="ended before this month"):
        office.step(cycle_id, "approve", by=APPROVER)
    office.step(cycle_id, "return", by=APPROVER, reason="Somebody left")
    office.compute(cycle_id)
    assert reasons(office, cycle_id) == {one.id: "exited"}
    office.step(cycle_id, "submit")


def test_what_is_asked_for_the_dead_waits_while_it_is_held_and_stops_nobody_else(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        dead, _ = enrol_many(scheme, area, 2)
    change(Person, dead.person_id, death_date=date(2026, 3, 5))
    office.exported(scheme)
    with office.at_work() as session:
        due = session.scalars(sa.select(Entitlement).where(Entitlement.enrolment_id == dead.id)).one()
        carrying.pay_again(due, reason="The heirs were found", at=AT)
        hold = holds.place(session.get_one(Enrolment, dead.id), reason="Heirs disagree", day=DAY, at=AT)
    cycle_id = office.open(scheme, NEXT)
    office.compute(cycle_id)
    office.step(cycle_id, "submit")
    with office.at_work() as session:
        assert session.scalars(sa.select(CarryOver.cycle_id)).all() == [None]
        holds.release(session.get_one(type(hold), hold.id), reason="They agree", at=AT)
    office.step(cycle_id, "return", by=APPROVER, reason="There is one more")
    office.compute(cycle_id)
    with office.at_work() as session:
        assert session.scalars(sa.select(CarryOver.cycle_id)).all() == [cycle_id]


def test_whoever_dies_before_the_approval_is_not_paid_what_was_taken_up_by_itself(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work() as session:
        one, _ = enrol_many(scheme, area, 2)
        hold = holds.place(session.get_one(Enrolment, one.id), reason="Where?", day=DAY, at=AT)
    office.exported(scheme)
    with office.at_work() as session:
        holds.release(session.get_one(type(hold), hold.id), reason="Here", at=AT)
    cycle_id = office.open(scheme, NEXT)
    office.compute(cycle_id)
    office.step(cycle_id, "submit")
    change(Person, one.person_id, death_date=NEXT.plus(1).first_day)
    with pytest.raises(Conflict, match="died"):
        office.step(cycle_id, "approve", by=APPROVER)


def test_what_an_aborted_cycle_computed_is_not_paid_again_but_computed_anew(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        enrol_many(scheme, area, 1)
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    office.step(cycle_id, "abort", reason="Wrong month")
    with office.at_work() as session, pytest.raises(Conflict, match="aborted"):
        carrying.pay_again(session.scalars(sa.select(Entitlement)).one(), reason="Again", at=AT)
    office.exported(scheme)


def test_whoever_comes_into_the_scheme_between_two_statements_has_a_reason_too(
    office: Office, scheme: Scheme, area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    with office.at_work():
        one, other = enrol_many(scheme, area, 2)
    change(Enrolment, one.id, status="suspended")
    insert = payroll._insert_entitlements

    def then_somebody_resumes(*given: object) -> None:
        insert(*given)  # type: ignore[arg-type]
        with unaudited("another transaction"):
            db.session.connection().execute(sa.update(Enrolment).values(status="active"))

    monkeypatch.setattr(payroll, "_insert_entitlements", then_somebody_resumes)
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    assert entitled(office) == [other.id]
    assert reasons(office, cycle_id) == {one.id: "meanwhile"}


def test_an_old_job_that_is_resumed_leaves_what_was_decided_since_alone(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        enrol_many(scheme, area, 2)
    cycle_id = office.open(scheme)
    with office.at_work() as session:
        old = payroll.begin(scheduling.get(cycle_id)).id
        jobs.cancel(session.get_one(jobs.Job, old))
    office.step(cycle_id, "compute_failed")
    office.compute(cycle_id)
    office.step(cycle_id, "submit")
    with office.at_work() as session:
        before = session.scalars(sa.select(Entitlement.id).order_by(Entitlement.id)).all()
        jobs.resume(session.get_one(jobs.Job, old))
    assert jobs.run_now(old).status == jobs.FAILED
    with office.at_work() as session:
        assert session.scalars(sa.select(Entitlement.id).order_by(Entitlement.id)).all() == before
    office.step(cycle_id, "approve", by=APPROVER)


def test_a_cycle_is_not_closed_while_an_answer_is_being_taken_in(
    office: Office, scheme: Scheme, area: Area, tmp_path: Path
) -> None:
    with office.at_work():
        enrol_many(scheme, area, 1)
    cycle_id = office.exported(scheme)
    with office.at_work() as session:
        reference = session.scalars(sa.select(Payment.end_to_end_id)).one()
    office.answer(cycle_id, answer(tmp_path, "one.csv", f"{reference},paid"))
    with office.at_work():
        reconciliation.reconcile(scheduling.get(cycle_id), at=AT)
        late = answer(tmp_path, "two.csv", "OAP-NOBODY,rejected")
        job_id = answers.receive(scheduling.get(cycle_id), late, name="two.csv", at=AT).job_id
    with office.at_work(), pytest.raises(Conflict, match="still being taken in"):
        reconciliation.close(scheduling.get(cycle_id))
    office.run(job_id)


@pytest.mark.parametrize("round_", range(3))
def test_of_two_answers_at_once_that_contradict_each_other_the_first_counts(
    office: Office, scheme: Scheme, area: Area, tmp_path: Path, round_: int
) -> None:
    with office.at_work():
        enrol_many(scheme, area, 40)
    cycle_id = office.exported(scheme)
    with office.at_work() as session:
        references = session.scalars(sa.select(Payment.end_to_end_id)).all()
    paths = [
        answer(tmp_path, f"{word}.csv", *(f"{reference},{word}" for reference in references))
        for word in ("paid", "rejected")
    ]
    with office.at_work():
        job_ids = [
            answers.receive(scheduling.get(cycle_id), path, name=path.name, at=AT).job_id for path in paths
        ]
    threads = [threading.Thread(target=jobs.run_now, args=(job_id,)) for job_id in job_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with office.at_work() as session:
        matches = session.execute(sa.select(AnswerLine.match, sa.func.count()).group_by(AnswerLine.match))
        assert dict(matches.all()) == {"matched": 40, "bad_state": 40}
        ends = session.scalars(sa.select(PaymentState.status).distinct()).all()
        live = session.scalars(sa.select(Payment.live).distinct()).all()
    assert (ends, live) in ((["paid"], [1]), (["rejected"], [None]))


def test_an_answer_waits_for_whoever_settles_a_payment(
    office: Office, scheme: Scheme, area: Area, tmp_path: Path
) -> None:
    with office.at_work():
        enrol_many(scheme, area, 1)
    cycle_id = office.exported(scheme)
    with office.at_work() as session:
        reference = session.scalars(sa.select(Payment.end_to_end_id)).one()
        path = answer(tmp_path, "no.csv", f"{reference},rejected")
        job_id = answers.receive(scheduling.get(cycle_id), path, name="no.csv", at=AT).job_id
    worker = threading.Thread(target=jobs.run_now, args=(job_id,))
    with office.at_work() as session:
        exceptions.settle(session.scalars(sa.select(Payment)).one(), "paid", note="Call", at=AT)
        worker.start()
        worker.join(0.7)
    worker.join()
    with office.at_work() as session:
        assert session.scalars(sa.select(AnswerLine.match)).all() == ["bad_state"]
        assert session.scalars(sa.select(PaymentState.status)).all() == ["paid"]
        assert session.scalars(sa.select(Payment.live)).all() == [1]


def test_an_account_does_not_change_under_an_export_that_begins(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        one, _ = enrol_many(scheme, area, 2)
        account = make_account(make_person(area, "Nobody"), status="proposed")
    change(type(account), account.id, person_id=one.person_id)
    cycle_id = office.approved(scheme)
    refused: list[str] = []

    def confirm() -> None:
        with office.at_work(APPROVER):
            try:
                accounts.confirm(accounts.get(account.id))
            except Conflict as refusal:
                refused.append(str(refusal))

    other = threading.Thread(target=confirm)
    with office.at_work():
        job_id = disbursement.begin(scheduling.get(cycle_id), at=AT).id
        other.start()
        other.join(0.7)
    other.join()
    assert len(refused) == 1 and "being made" in refused[0]
    office.run(job_id)


def test_an_account_is_guarded_also_by_what_arose_in_another_area(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        elsewhere = make_area("YY")
        (one,) = enrol_many(scheme, area, 1)
        account = make_account(make_person(elsewhere, "Nobody"))
    change(type(account), account.id, person_id=one.person_id)
    change(Person, one.person_id, area_id=elsewhere.id)
    cycle_id = office.approved(scheme)
    with office.at_work():
        disbursement.begin(scheduling.get(cycle_id), at=AT)
    local = Actor(None, "local", "local", "test", (Grant(("*",), elsewhere.id),))
    with db.unit_of_work(), acting.acting(local), access.within("payments:account:propose"):
        found = accounts.get(account.id)
        with pytest.raises(Conflict, match="being made"):
            accounts.close(found, reason="Lost card")


@pytest.mark.parametrize("last_day", [date(2026, 1, 1), MONTH.first_day, date(2026, 3, 2)])
def test_what_was_withheld_of_an_enrolment_that_ended_before_the_month_is_not_paid_by_itself(
    office: Office, scheme: Scheme, area: Area, last_day: date
) -> None:
    with office.at_work() as session:
        one, _ = enrol_many(scheme, area, 2)
        hold = holds.place(session.get_one(Enrolment, one.id), reason="Is it a person?", day=DAY, at=AT)
    office.exported(scheme)
    change(Enrolment, one.id, status="exited", valid_to=last_day, exit_reason="error")
    with office.at_work() as session:
        holds.release(session.get_one(type(hold), hold.id), reason="It ended", at=AT)
    cycle_id = office.open(scheme, NEXT)
    office.compute(cycle_id)
    with office.at_work() as session:
        carried = session.scalars(sa.select(CarryOver.cycle_id)).all()
    assert carried == ([cycle_id] if last_day > MONTH.first_day else [])


def test_who_approved_one_round_may_prepare_the_next_one_and_another_approves_it(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work() as session:
        enrol_many(scheme, area, 1)
        ada, ben = User(username="ada", name="Ada"), User(username="ben", name="Ben")
        session.add_all((ada, ben))
        session.flush()
    one, other = (
        Actor(user.id, user.name, f"user:{user.id}", "test", (Grant(("*",), None),)) for user in (ada, ben)
    )
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    office.step(cycle_id, "submit", by=one)
    office.step(cycle_id, "approve", by=other)
    office.step(cycle_id, "return", by=one, reason="Once more")
    office.step(cycle_id, "submit", by=other)
    with pytest.raises(Forbidden, match="second person"):
        office.step(cycle_id, "approve", by=other)
    office.step(cycle_id, "approve", by=one)
