"""Approving and exporting: the list that a second person approved is the list that is paid, or nothing is."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from lxml import etree
from sqlalchemy.exc import DBAPIError, IntegrityError

from eligibility.models import Enrolment, Scheme
from mis import acting, audit, jobs
from mis.db import db
from mis.errors import Conflict, Forbidden, Invalid
from payments import accounts, approval, disbursement, filing, holds, paylist, scheduling, totals
from payments.models import Payment, PaymentBatch, PaymentEvent, PaymentState
from payments.providers import validation
from payments.providers.references import end_to_end_id
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
from tests.payments.conftest import APPROVER, OFFICER, Office


@pytest.fixture
def area(office: Office) -> Area:
    with office.at_work():
        return make_area()


@pytest.fixture
def scheme(office: Office, area: Area) -> Scheme:
    with office.at_work():
        made = make_scheme()
        enrol_many(made, area, 3)
        return made


def status(office: Office, cycle_id: int) -> str:
    with office.at_work():
        return scheduling.get(cycle_id).status


def hold_first(office: Office) -> None:
    with office.at_work() as session:
        holds.place(session.get_one(Enrolment, 1), reason="Moved", day=DAY, at=AT)


def payments(office: Office) -> list[Payment]:
    with office.at_work() as session:
        return list(session.scalars(sa.select(Payment).order_by(Payment.id)))


def test_a_cycle_is_approved_by_a_second_person(office: Office, scheme: Scheme) -> None:
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    office.step(cycle_id, "submit")
    with pytest.raises(Forbidden, match="second person"):
        office.step(cycle_id, "approve", by=OFFICER)
    office.step(cycle_id, "approve", by=APPROVER)
    assert status(office, cycle_id) == "approved"


def test_who_opened_the_cycle_and_no_more_cannot_approve_it_either(office: Office, scheme: Scheme) -> None:
    with office.at_work(APPROVER):
        cycle_id = scheduling.open_cycle(scheme, MONTH, at=AT).id
    office.compute(cycle_id)
    office.step(cycle_id, "submit")
    with pytest.raises(Forbidden, match="second person"):
        office.step(cycle_id, "approve", by=APPROVER)


def test_a_hold_placed_after_the_computation_stops_the_submission(office: Office, scheme: Scheme) -> None:
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    hold_first(office)
    with pytest.raises(Conflict, match=r"1 person on the pay list.*hold") as refusal:
        office.step(cycle_id, "submit")
    assert refusal.value.instead == "Compute it again."


def test_a_hold_placed_after_the_submission_stops_the_approval(office: Office, scheme: Scheme) -> None:
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    office.step(cycle_id, "submit")
    hold_first(office)
    with pytest.raises(Conflict, match="A hold is in place"):
        office.step(cycle_id, "approve", by=APPROVER)


def test_a_hold_placed_after_the_approval_stops_the_export_until_it_is_sent_back(
    office: Office, scheme: Scheme
) -> None:
    cycle_id = office.approved(scheme)
    hold_first(office)
    with pytest.raises(Conflict, match="A hold is in place") as refusal:
        office.export(cycle_id)
    assert "Send it back" in str(refusal.value)
    office.step(cycle_id, "return", by=APPROVER, reason="Held")
    office.compute(cycle_id)
    office.step(cycle_id, "submit")
    office.step(cycle_id, "approve", by=APPROVER)
    office.export(cycle_id)
    assert [one.entitlement_id is not None for one in payments(office)] == [True, True]


def test_a_hold_placed_while_the_file_is_made_comes_too_late_and_says_so(
    office: Office, scheme: Scheme
) -> None:
    cycle_id = office.approved(scheme)
    with office.at_work():
        job_id = disbursement.begin(scheduling.get(cycle_id), at=AT).id
    with office.at_work() as session:
        placed = holds.place(session.get_one(Enrolment, 1), reason="Moved", day=DAY, at=AT)
        assert [cycle.id for cycle in holds.too_late(placed)] == [cycle_id]
    office.run(job_id)
    assert len(payments(office)) == 3


def test_another_account_after_the_submission_voids_the_approval(office: Office, scheme: Scheme) -> None:
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    office.step(cycle_id, "submit")
    with office.at_work() as session:
        make_account(session.get_one(Person, 1))
    with pytest.raises(Conflict, match="no longer what was submitted"):
        office.step(cycle_id, "approve", by=APPROVER)


def test_no_account_changes_while_the_file_that_names_it_is_made(office: Office, scheme: Scheme) -> None:
    with office.at_work() as session:
        account = make_account(session.get_one(Person, 1))
    cycle_id = office.approved(scheme)
    with office.at_work():
        job_id = disbursement.begin(scheduling.get(cycle_id), at=AT).id
    with office.at_work(), pytest.raises(Conflict, match="is being made at this moment"):
        accounts.close(accounts.get(account.id), reason="Lost")
    office.run(job_id)
    with office.at_work():
        accounts.close(accounts.get(account.id), reason="Lost")


def test_an_amount_changed_in_the_database_is_not_paid(office: Office, scheme: Scheme) -> None:
    cycle_id = office.approved(scheme)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE entitlement SET amount_minor = amount_minor + 1 WHERE id = 1")
        connection.commit()
    with pytest.raises(Conflict, match="their sums differ"):
        office.export(cycle_id)
    assert payments(office) == []


def test_the_digest_is_the_same_on_every_database(office: Office, scheme: Scheme) -> None:
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    with office.at_work() as session:
        numbers = session.scalars(sa.text("SELECT id FROM entitlement ORDER BY id")).all()
        lines = "".join(f"{number}|{AMOUNT}|KES|{person}||\n" for person, number in enumerate(numbers, 1))
        found = paylist.digest(scheduling.get(cycle_id), DAY)
    assert found == hashlib.sha256(lines.encode()).hexdigest()


def test_the_file_keeps_its_schema_and_says_count_and_sum_exactly(
    office: Office, scheme: Scheme, area: Area
) -> None:
    with office.at_work():
        person = make_person(area, "Mary O'Brien & <Sons>")
        enrol(scheme, person, amount_minor=123_45)
        make_account(person, kind="iban", number="DE89370400440532013000")
    cycle_id = office.exported(scheme)
    with office.at_work():
        path = filing.fetch(scheduling.get(cycle_id), "pain001", to="test")
    assert validation.validate(path, "pain.001.001.09") == []
    root = etree.parse(path).getroot()
    assert root.findtext(".//{*}GrpHdr/{*}NbOfTxs") == "4"
    assert root.findtext(".//{*}GrpHdr/{*}CtrlSum") == "573.45"
    assert len(root.findall(".//{*}CdtTrfTxInf")) == 4
    assert "Mary O'Brien & <Sons>" in [name.text for name in root.findall(".//{*}Cdtr/{*}Nm")]


def test_a_reference_is_a_function_of_entitlement_and_attempt(office: Office, scheme: Scheme) -> None:
    office.exported(scheme)
    for payment in payments(office):
        assert payment.end_to_end_id == end_to_end_id("OAP", MONTH, payment.entitlement_id, 1)


def test_the_export_is_a_file_of_the_state_of_the_approval_and_the_trail_holds_it(
    office: Office, scheme: Scheme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disbursement, "SPAN", 2)
    cycle_id = office.exported(scheme)
    with office.at_work() as session:
        batch = session.scalars(sa.select(PaymentBatch)).one()
        assert (batch.count, batch.total_minor) == (3, 3 * AMOUNT)
        states = session.scalars(sa.select(PaymentState.status)).all()
        assert states == ["sent"] * 3
        assert all(check.holds for check in totals.checks(totals.of(scheduling.get(cycle_id))))
    with db.unit_of_work(read_only=True):
        assert not audit.verify().findings


def test_what_is_exported_is_not_exported_again(office: Office, scheme: Scheme) -> None:
    cycle_id = office.exported(scheme)
    with pytest.raises(Conflict, match="not possible"):
        office.export(cycle_id)
    assert len(payments(office)) == 3


def test_a_list_that_cannot_be_filed_fails_whole_and_can_go_on(
    office: Office, scheme: Scheme, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycle_id = office.approved(scheme)
    with office.at_work():
        job_id = disbursement.begin(scheduling.get(cycle_id), at=AT).id
    with monkeypatch.context() as patched:
        patched.setattr(filing, "_need_valid", _refuse)
        assert jobs.run_now(job_id).status == jobs.FAILED
    assert status(office, cycle_id) == "exporting"
    with office.at_work():
        assert not list(Path(filing.path_of(_batch(), "csv")).parent.glob("*.tmp"))
        with pytest.raises(Conflict, match="can only go on"):
            approval.take(scheduling.get(cycle_id), "export_failed")
    office.export(cycle_id)
    assert status(office, cycle_id) == "exported"


def _refuse(path: Path) -> None:
    raise Conflict("The payment file breaks its schema.")


def _batch() -> PaymentBatch:
    return db.session.scalars(sa.select(PaymentBatch)).one()


# ── What the database itself refuses ─────────────────────────────────────────────────────────────────────────────────


def second_payment(entitlement_id: int, attempt: int, *, amount: int = AMOUNT) -> None:
    with db.engine.connect() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO payment (batch_id, cycle_id, entitlement_id, person_id, area_id, attempt, "
                "amount_minor, currency, end_to_end_id, payee_name, live) "
                "SELECT batch_id, cycle_id, entitlement_id, person_id, area_id, :attempt, :amount, currency, "
                ":reference, payee_name, 1 FROM payment WHERE entitlement_id = :entitlement LIMIT 1"
            ),
            {
                "attempt": attempt,
                "amount": amount,
                "entitlement": entitlement_id,
                "reference": f"E{entitlement_id}A{attempt}",
            },
        )
        connection.commit()


def test_a_second_live_payment_of_an_entitlement_is_impossible(office: Office, scheme: Scheme) -> None:
    office.exported(scheme)
    with pytest.raises(IntegrityError):
        second_payment(1, 2)
    assert len(payments(office)) == 3


def test_eight_who_race_for_a_second_payment_all_lose(office: Office, scheme: Scheme) -> None:
    office.exported(scheme)
    refused: list[str] = []

    def race(attempt: int) -> None:
        for entitlement_id in (1, 2, 3):
            try:
                second_payment(entitlement_id, attempt)
            except IntegrityError as error:
                refused.append(str(error))

    racers = [threading.Thread(target=race, args=(attempt,)) for attempt in range(2, 10)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(refused) == 24
    assert len(payments(office)) == 3


def test_a_payment_of_another_amount_than_its_entitlement_is_impossible(
    office: Office, scheme: Scheme
) -> None:
    office.exported(scheme)
    with db.engine.connect() as connection, pytest.raises(DBAPIError):
        connection.exec_driver_sql("UPDATE payment SET live = NULL, released_by_event_id = 1 WHERE id = 1")
        connection.commit()
        second_payment(1, 2, amount=AMOUNT + 1)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payment SET amount_minor = 1",
        "UPDATE payment SET end_to_end_id = 'X'",
        "UPDATE payment SET account_id = NULL, payee_name = 'Other'",
        "UPDATE payment SET live = NULL",
        "UPDATE payment_event SET status = 'paid'",
        "DELETE FROM payment_event",
        "UPDATE payment_state SET status = 'maybe'",
        "INSERT INTO entitlement (cycle_id, enrolment_id, person_id, area_id, month, kind, amount_minor, currency) "
        "SELECT cycle_id, enrolment_id, person_id, area_id, month, kind, 1, currency FROM entitlement",
    ],
)
def test_an_instruction_its_evidence_and_its_entitlement_cannot_be_bent(
    office: Office, scheme: Scheme, change: str
) -> None:
    office.exported(scheme)
    with db.engine.connect() as connection, pytest.raises(DBAPIError):
        connection.exec_driver_sql(change)


def test_a_payment_changed_behind_the_application_is_named_by_the_trail(
    office: Office, scheme: Scheme
) -> None:
    office.exported(scheme)
    with db.engine.connect() as connection:
        if db.dialect == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER payment_keeps_its_content")
        else:
            connection.exec_driver_sql("ALTER TABLE payment DISABLE TRIGGER payment_keeps_its_content")
        connection.exec_driver_sql("UPDATE payment SET payee_name = 'Somebody Else' WHERE id = 2")
        if db.dialect == "postgresql":
            connection.exec_driver_sql("ALTER TABLE payment ENABLE TRIGGER payment_keeps_its_content")
        connection.commit()
    with db.unit_of_work(read_only=True):
        (finding,) = audit.verify().findings
    assert (finding.table, finding.row_id) == ("payment", 2)


def test_an_event_that_nobody_recorded_is_named_by_the_trail(office: Office, scheme: Scheme) -> None:
    office.exported(scheme)
    with db.engine.connect() as connection:
        connection.execute(sa.insert(PaymentEvent.__table__), {"payment_id": 1, "status": "paid", "at": AT})  # type: ignore[arg-type]
        connection.commit()
    with db.unit_of_work(read_only=True):
        (finding,) = audit.verify().findings
    assert finding.table == "payment_event"


# ── Accounts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_account_is_confirmed_by_a_second_person_and_replaces_the_one_before(
    office: Office, area: Area
) -> None:
    with office.at_work():
        person = make_person(area)
        before = make_account(person, number="+254700000009")
        account = accounts.propose(
            person, kind="iban", number="DE89 3704 0044 0532 0130 00", institution="DEUTDEFF", at=AT
        )
        assert account.number == "DE89370400440532013000"
        assert account.number_hint == "•••• 3000"
        with pytest.raises(Forbidden, match="second person"):
            accounts.confirm(account)
    with office.at_work(APPROVER):
        accounts.confirm(accounts.get(account.id))
        assert accounts.get(before.id).status == "closed"
        confirmed = accounts.confirmed_of(person.id)
        assert confirmed is not None and confirmed.id == account.id


@pytest.mark.parametrize(
    ("kind", "number", "institution", "field"),
    [
        ("iban", "DE00123", None, "number"),
        ("mobile", "", None, "number"),
        ("bank_account", "1" * 60, None, "number"),
        ("bank_account", "12345", "x" * 36, "institution"),
        ("gold", "1", None, "kind"),
    ],
)
def test_an_account_that_no_provider_could_pay_is_refused_when_it_is_proposed(
    office: Office, area: Area, kind: str, number: str, institution: str | None, field: str
) -> None:
    with office.at_work(), pytest.raises(Invalid) as refusal:
        accounts.propose(make_person(area), kind=kind, number=number, institution=institution, at=AT)
    assert refusal.value.field == field


def test_a_reveal_needs_a_purpose_and_is_recorded(office: Office, area: Area) -> None:
    with office.at_work() as session:
        account = make_account(make_person(area))
        with pytest.raises(Invalid):
            accounts.reveal(account, purpose=" ")
        assert accounts.reveal(account, purpose="Call the bank") == "+254700000001"
        actions = session.scalars(sa.select(audit.AuditEntry.action)).all()
    assert "sealed.reveal" in actions
    assert acting.current().name == "nobody"
