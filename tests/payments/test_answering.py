"""Answers: every line ends in one class, only a matched one moves its payment, and nothing is lost or taken twice."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eligibility.models import Scheme
from mis import audit
from mis.db import db
from mis.errors import Conflict, Invalid
from payments import answers, carrying, exceptions, reconciliation, scheduling, totals
from payments.models import AnswerFile, AnswerLine, Payment, PaymentEvent, PaymentState
from payments.models.answers import MATCHES
from payments.totals import Sum
from tests.conftest import _empty
from tests.factories.payments import AMOUNT, AT, MONTH, enrol_many, make_area, make_scheme
from tests.payments.conftest import Office


@pytest.fixture
def scheme(office: Office) -> Scheme:
    with office.at_work():
        made = make_scheme()
        enrol_many(made, make_area(), 4)
        return made


@pytest.fixture
def cycle_id(office: Office, scheme: Scheme) -> int:
    return office.exported(scheme)


@pytest.fixture
def references(office: Office, cycle_id: int) -> list[str]:
    return _references(office)


def _references(office: Office) -> list[str]:
    with office.at_work() as session:
        return list(session.scalars(sa.select(Payment.end_to_end_id).order_by(Payment.id)))


_number = itertools.count(1)


def listed(folder: Path, *lines: str) -> Path:
    path = folder / f"answer-{next(_number)}.csv"
    path.write_text("reference,status,amount,currency,reason\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def classes(office: Office) -> list[str]:
    with office.at_work() as session:
        order = (AnswerLine.answer_file_id, AnswerLine.line_no)
        return list(session.scalars(sa.select(AnswerLine.match).order_by(*order)))


def states(office: Office) -> list[str]:
    with office.at_work() as session:
        return list(session.scalars(sa.select(PaymentState.status).order_by(PaymentState.payment_id)))


def close(office: Office, cycle_id: int) -> None:
    with office.at_work():
        reconciliation.close(scheduling.get(cycle_id))


def reconcile(office: Office, cycle_id: int) -> None:
    with office.at_work():
        reconciliation.reconcile(scheduling.get(cycle_id), at=AT)


def test_each_line_ends_in_its_class(
    office: Office, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    one, two, three, four = references
    office.answer(
        cycle_id,
        listed(
            tmp_path,
            f"{one},paid,150.00,KES,",
            f"{two.lower()},rejected,,,AC04",
            f"{three},paid,150.01,KES,",
            f"{three},paid,150.00,USD,",
            f"{one},rejected,,,",
            "NOBODY-1,paid,,,",
            f"{four},bananas,,,",
            ",paid,,,",
            f"{four},accepted,,,",
        ),
    )
    assert classes(office) == [
        "matched", "matched", "amount_mismatch", "amount_mismatch", "duplicate_in_file", "unknown_reference",
        "unreadable", "unknown_reference", "matched",
    ]  # fmt: skip
    assert states(office) == ["paid", "rejected", "sent", "accepted"]


def test_of_two_lines_about_a_payment_one_with_a_wrong_amount_does_not_count(
    office: Office, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    office.answer(
        cycle_id, listed(tmp_path, f"{references[0]},paid,1.00,,", f"{references[0]},paid,150.00,,")
    )
    assert classes(office) == ["amount_mismatch", "matched"]
    assert states(office)[0] == "paid"


def test_statuses_only_move_forward(
    office: Office, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    one = references[0]
    said = ("pending", "accepted", "pending", "paid", "paid", "rejected", "accepted")
    for number, status in enumerate(said):
        office.answer(cycle_id, listed(tmp_path, f"{one},{status},,,note {number}"))
    assert classes(office) == [
        "matched",
        "matched",
        "bad_state",
        "matched",
        "repeated",
        "bad_state",
        "bad_state",
    ]
    assert states(office)[0] == "paid"
    with office.at_work() as session:
        events = session.scalars(sa.select(PaymentEvent.status).where(PaymentEvent.payment_id == 1)).all()
    assert events == ["sent", "pending", "accepted", "paid"]


def test_the_same_file_again_says_so_and_changes_nothing(
    office: Office, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    path = listed(tmp_path, f"{references[0]},paid,,,", "NOBODY-1,paid,,,")
    office.answer(cycle_id, path)
    before = (classes(office), states(office))
    with office.at_work():
        received = answers.receive(scheduling.get(cycle_id), path, name="renamed.csv", at=AT)
    assert received.again
    office.run(received.job_id)
    assert (classes(office), states(office)) == before
    with office.at_work() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AnswerFile)) == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(PaymentEvent)) == 5


def test_an_unknown_reference_waits_for_a_person_and_closing_waits_with_it(
    office: Office, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    office.answer(cycle_id, listed(tmp_path, *(f"{one},paid,,," for one in references), "NOBODY-1,paid,,,"))
    reconcile(office, cycle_id)
    with pytest.raises(Conflict, match=r"Exceptions wait.*\(1\)"):
        close(office, cycle_id)
    with office.at_work() as session:
        (line,) = session.scalars(exceptions.of_cycle(scheduling.get(cycle_id))).all()
        assert line.end_to_end_id == "NOBODY-1"
        with pytest.raises(Invalid, match="found out"):
            exceptions.resolve(line, note=" ", at=AT)
        exceptions.resolve(line, note="Another ministry's payment.", at=AT)
        with pytest.raises(Conflict, match="resolved already"):
            exceptions.resolve(line, note="Again", at=AT)
    close(office, cycle_id)


def test_a_cycle_without_every_answer_is_not_closed(
    office: Office, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    with pytest.raises(Conflict, match="nothing to reconcile"):
        reconcile(office, cycle_id)
    office.answer(cycle_id, listed(tmp_path, f"{references[0]},paid,,,", f"{references[1]},pending,,,"))
    reconcile(office, cycle_id)
    with pytest.raises(Conflict, match=r"no final answer yet \(3\)"):
        close(office, cycle_id)
    office.answer(cycle_id, listed(tmp_path, *(f"{one},paid,,," for one in references[1:])))
    with pytest.raises(Conflict, match="Reconcile again"):
        close(office, cycle_id)
    reconcile(office, cycle_id)
    close(office, cycle_id)
    with office.at_work():
        found = totals.of(scheduling.get(cycle_id))
    assert found["state.paid"] == Sum(4, 4 * AMOUNT) == found["exported"]
    assert "state.pending" not in found


def test_a_rejection_frees_the_entitlement_for_one_later_payment(
    office: Office, scheme: Scheme, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    office.answer(
        cycle_id,
        listed(tmp_path, f"{references[0]},rejected,,,AC04", *(f"{one},paid,,," for one in references[1:])),
    )
    with office.at_work() as session:
        payment = session.scalars(sa.select(Payment).where(Payment.id == 1)).one()
        assert payment.live is None
        assert payment.released_by_event_id is not None
        entitlement = carrying.entitlement_of(scheduling.get(cycle_id), references[0])
        carrying.pay_again(entitlement, reason="New account", at=AT)
        with pytest.raises(Conflict, match="already to be paid"):
            carrying.pay_again(entitlement, reason="Twice", at=AT)
    later = office.exported(scheme, MONTH.plus(1))
    with office.at_work() as session:
        again = session.scalars(
            sa.select(Payment).where(Payment.cycle_id == later, Payment.attempt == 2)
        ).one()
        assert again.entitlement_id == entitlement.id
        assert again.end_to_end_id != references[0]
        with pytest.raises(Conflict, match="a second one is impossible"):
            carrying.pay_again(entitlement, reason="Thrice", at=AT)


def test_late_money_for_a_payment_that_was_rejected_waits_for_a_person(
    office: Office, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    office.answer(cycle_id, listed(tmp_path, f"{references[0]},rejected,,,"))
    office.answer(cycle_id, listed(tmp_path, f"{references[0]},paid,,,"))
    assert classes(office) == ["matched", "bad_state"]
    assert states(office)[0] == "rejected"


def test_an_enquiry_settles_a_payment_that_nobody_answered(office: Office, cycle_id: int) -> None:
    with office.at_work() as session:
        one, two = session.scalars(sa.select(Payment).where(Payment.id < 3).order_by(Payment.id)).all()
        exceptions.settle(one, "paid", note="Bank statement 12", at=AT)
        exceptions.settle(two, "rejected", note="Call with the bank", at=AT)
        with pytest.raises(Conflict, match="is paid already"):
            exceptions.settle(one, "rejected", note="Other call", at=AT)
    assert states(office)[:2] == ["paid", "rejected"]
    with db.unit_of_work(read_only=True):
        assert not audit.verify().findings


def report(folder: Path, message_id: str, body: str, group: str = "") -> Path:
    path = folder / f"answer-{next(_number)}.xml"
    status = f"<GrpSts>{group}</GrpSts>" if group else ""
    path.write_text(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-03-21T09:00:00</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        f"{status}</OrgnlGrpInfAndSts>{body}</CstmrPmtStsRpt></Document>",
        encoding="utf-8",
    )
    return path


def transaction(reference: str, status: str, reason: str = "") -> str:
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>" if reason else ""
    return f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>{why}</TxInfAndSts>"


def within(*transactions: str) -> str:
    return f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>G</OrgnlPmtInfId>{''.join(transactions)}</OrgnlPmtInfAndSts>"


def test_a_status_report_is_matched_like_a_list(
    office: Office, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    one, two, three, _ = references
    body = within(transaction(one, "ACCC"), transaction(two, "RJCT", "MD07"), transaction(three, "BLCK"))
    office.answer(cycle_id, report(tmp_path, "OAP-202603-C1", body, "PART"), "report.xml")
    assert states(office) == ["paid", "rejected", "unknown", "sent"]
    assert classes(office) == ["matched"] * 3


def test_a_rejected_message_without_items_rejects_every_payment(
    office: Office, cycle_id: int, tmp_path: Path
) -> None:
    office.answer(cycle_id, report(tmp_path, "OAP-202603-C1", "", "RJCT"), "report.xml")
    assert states(office) == ["rejected"] * 4
    assert classes(office) == ["matched"]
    with office.at_work() as session:
        assert session.scalars(sa.select(Payment.live)).all() == [None] * 4
    with db.unit_of_work(read_only=True):
        assert not audit.verify().findings


def test_after_a_partial_acceptance_what_is_not_mentioned_stays_open(
    office: Office, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    office.answer(
        cycle_id,
        report(tmp_path, "OAP-202603-C1", within(transaction(references[0], "RJCT")), "PART"),
        "r.xml",
    )
    assert states(office) == ["rejected", "sent", "sent", "sent"]


def test_the_answer_of_another_cycle_is_refused_as_a_whole(
    office: Office, scheme: Scheme, cycle_id: int, tmp_path: Path
) -> None:
    office.exported(scheme, MONTH.plus(1))
    with pytest.raises(Invalid, match="belongs to another cycle"):
        office.answer(cycle_id, report(tmp_path, "OAP-202604-C2", "", "RJCT"), "report.xml")
    assert set(states(office)) == {"sent"}


def test_an_answer_to_a_message_that_was_never_sent_is_refused_as_a_whole(
    office: Office, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    body = within(transaction(references[0], "ACCC"))
    with pytest.raises(Invalid, match="OTHER-1, not OAP-202603-C1: we never sent that one"):
        office.answer(cycle_id, report(tmp_path, "OTHER-1", body, "PART"), "report.xml")
    assert set(states(office)) == {"sent"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "no column"),
        ("name,amount\nA,1\n", "no column"),
        ("reference,status\n", "says nothing"),
        ("<Document><CstmrPmtStsRpt>", "not well-formed"),
        ("<html/>", "not a payment status report"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_sentence_and_leaves_nothing(
    office: Office, cycle_id: int, tmp_path: Path, content: str, sentence: str
) -> None:
    path = tmp_path / "odd"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Invalid, match=sentence):
        office.answer(cycle_id, path)
    with office.at_work() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AnswerFile)) == 0


def test_a_report_that_breaks_off_in_the_middle_is_not_taken_half(
    office: Office, cycle_id: int, references: list[str], tmp_path: Path
) -> None:
    path = report(tmp_path, "OAP-202603-C1", within(*(transaction(one, "ACCC") for one in references)))
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(Invalid, match="not well-formed"):
        office.answer(cycle_id, path, "report.xml")
    assert set(states(office)) == {"sent"}


def test_before_the_export_there_is_nothing_to_answer(office: Office, scheme: Scheme, tmp_path: Path) -> None:
    cycle_id = office.approved(scheme)
    with pytest.raises(Conflict, match="between the export and the closing"):
        office.answer(cycle_id, listed(tmp_path, "A,paid,,,"))


def test_parts_of_a_file_do_not_change_how_its_lines_end(
    office: Office,
    cycle_id: int,
    references: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "LINES_AT_ONCE", 2)
    one, two, three, four = references
    lines = [
        f"{one},paid,,,",
        f"{two},paid,9,,",
        f"{one},paid,,,",
        "X,paid,,,",
        f"{two},paid,,,",
        f"{two},rejected,,,",
    ]
    office.answer(cycle_id, listed(tmp_path, *lines, f"{three},nonsense,,,", f"{four},rejected,,,"))
    assert classes(office) == [
        "matched", "amount_mismatch", "duplicate_in_file", "unknown_reference", "matched", "duplicate_in_file",
        "unreadable", "matched",
    ]  # fmt: skip
    assert states(office) == ["paid", "paid", "sent", "rejected"]


line = st.tuples(
    st.sampled_from(["0", "1", "2", "3", "NOBODY", ""]),
    st.sampled_from(["paid", "rejected", "pending", "accepted", "settled", "bananas", "BLCK", ""]),
    st.sampled_from(["", "150.00", "150", "149.99", "1e3", "-150"]),
)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(st.lists(line, min_size=1, max_size=8), min_size=1, max_size=3))
def test_whatever_is_answered_no_line_and_no_cent_is_lost(
    app: Flask, workshop: Path, files: list[list[Any]]
) -> None:
    _empty(workshop)
    office = Office()
    with office.at_work():
        scheme = make_scheme()
        enrol_many(scheme, make_area(), 4)
    cycle_id = office.exported(scheme)
    references = _references(office)
    sent: Counter[int] = Counter()
    seen: set[str] = set()
    for number, lines in enumerate(files):
        written = [f"{references[int(who)] if who.isdigit() else who},{status},{amount},,"
                   for who, status, amount in lines]  # fmt: skip
        path = listed(workshop, *written)
        if path.read_text() not in seen:
            seen.add(path.read_text())
            sent[len(seen)] = sum(1 for one in written if one.strip(","))
        try:
            office.answer(cycle_id, path, f"{number}.csv")
        except Invalid:
            assert not any(one.strip(",") for one in written)
            sent[len(seen)] = 0
    with office.at_work() as session:
        found = session.scalars(sa.select(AnswerLine.match)).all()
        assert len(found) == sum(sent.values())
        assert set(found) <= set(MATCHES)
        cycle = scheduling.get(cycle_id)
        assert all(check.holds for check in reconciliation.tie_out(cycle))
        matched = session.scalar(sa.select(sa.func.count()).where(AnswerLine.match == "matched")) or 0
        events = session.scalar(sa.select(sa.func.count()).select_from(PaymentEvent)) or 0
        assert events == 4 + matched
        released = session.scalar(sa.select(sa.func.count()).where(Payment.live.is_(None)))
        rejected = session.scalar(sa.select(sa.func.count()).where(PaymentState.status == "rejected"))
        assert released == rejected
    with db.unit_of_work(read_only=True):
        assert not audit.verify().findings
