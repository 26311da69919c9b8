"""From a household survey to a reconciled payment and an answered grievance on the command line; and once more with
every long step killed in the middle of its work and in the middle of its end, to the same totals.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from mis.paths import config_dir
from payments.providers import validation
from tests.journeys import villages
from tests.journeys.commands import mis, mis_killed, mis_process

Run = Callable[..., Any]
DAY, MONTH, NEXT_MONTH = "1998-07-01", "1998-07", "1998-08"
STRANGER = "SOMEBODY-ELSES-PAYMENT"


def staff() -> None:
    """Second persons: the command line never approves what it has prepared."""
    for name, role in (
        ("e.second", "enrolment_officer"),
        ("s.second", "scheme_administrator"),
        ("p.second", "payment_approver"),
        ("g.second", "grievance_officer"),
    ):
        mis("user", "add", name, "--name", name.title())
        mis("user", "role", "assign", name, role)


def killed_and_done(*words: object) -> Any:
    """Killed in the middle of its work, killed in the middle of its end, and then let through."""
    mis_killed("work", *words)
    mis_killed("finish", *words)
    return mis_process(*words)


def import_survey(run: Run, survey: Path) -> None:
    begun = run("import", survey, "--mapping", "vlss_households")
    assert (begun["read"], begun["accepted"], begun["refused"]) == (240, 240, {})
    done = run("import", "accept", begun["batch"], "--as", "e.second")
    assert (done["status"], done["accepted"]) == ("accepted", 240)


def publish_pension() -> None:
    mis("scheme", "load", config_dir() / "schemes" / "old_age_pension.yaml")
    mis("scheme", "submit", "OAP")
    mis("scheme", "publish", "OAP", expect=1)  # The one who drafted it does not publish it.
    mis("scheme", "publish", "OAP", "--as", "s.second")


def enrol(run: Run, *, old: int) -> None:
    assessed = run("assess", "OAP", "--on", DAY)
    assert (assessed["eligible"], assessed["not_eligible"]) == (old, 240 - old)
    assert run("enrol", "OAP", "--on", DAY)["enrolled"] == old
    assert mis("enrol", "OAP", "--on", DAY)["enrolled"] == 0


def instruct(run: Run, folder: Path, *, old: int) -> list[dict[str, str]]:
    """Open, compute, submit, approve, export; returns the instructions as the CSV has them."""
    mis("cycle", "open", "OAP", MONTH)
    computed = run("cycle", "compute", "OAP", MONTH)
    due = {"count": old, "amount": f"{old * villages.PENSION_MINOR // 100}.00"}
    assert {name: computed["totals"]["payable"][name] for name in due} == due
    mis("cycle", "submit", "OAP", MONTH)
    mis("cycle", "approve", "OAP", MONTH, expect=1)
    mis("cycle", "approve", "OAP", MONTH, "--as", "p.second")
    file = folder / "instructions.xml"
    exported = run("cycle", "export", "OAP", MONTH, "--format", "pain001", "--to", file)
    assert exported["totals"]["exported"]["amount_minor"] == old * villages.PENSION_MINOR
    check_instructions(file, count=old)
    mis("cycle", "export", "OAP", MONTH, "--format", "csv", "--to", folder / "instructions.csv")
    with (folder / "instructions.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def check_instructions(file: Path, *, count: int) -> None:
    assert validation.validate(file, "pain.001.001.09") == []
    document = etree.parse(file).getroot()
    names = {"n": etree.QName(document).namespace}
    assert document.findtext(".//n:GrpHdr/n:NbOfTxs", namespaces=names) == str(count)
    control = Decimal(document.findtext(".//n:GrpHdr/n:CtrlSum", namespaces=names) or "")
    assert control == Decimal(count * villages.PENSION_MINOR) / 100
    amounts = [Decimal(str(one.text)) for one in document.iterfind(".//n:InstdAmt", namespaces=names)]
    assert (len(amounts), sum(amounts)) == (count, control)


def write_answer(path: Path, sent: list[dict[str, str]]) -> tuple[Path, dict[str, int]]:
    """Five rejected, ten accepted, all others paid; one line speaks of nobody, one cannot be read."""
    states = ["rejected"] * 5 + ["accepted"] * 10 + ["paid"] * (len(sent) - 15)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["end_to_end_id", "status", "amount", "currency", "reason"])
        for payment, state in zip(sent, states, strict=True):
            reason = "AC04" if state == "rejected" else ""
            writer.writerow([payment["end_to_end_id"], state, payment["amount"], payment["currency"], reason])
        writer.writerow([STRANGER, "paid", "150.00", "XTS", ""])
        writer.writerow([sent[0]["end_to_end_id"], "perhaps", "150.00", "XTS", ""])
    return path, {state: states.count(state) for state in ("rejected", "accepted", "paid")}


def reconcile(run: Run, folder: Path, sent: list[dict[str, str]]) -> dict[str, Any]:
    answer, states = write_answer(folder / "answer.csv", sent)
    taken = run("cycle", "answer", "OAP", MONTH, answer)
    assert taken["lines"] == len(sent) + 2
    assert {state: figure["count"] for state, figure in taken["states"].items()} == states
    assert mis("cycle", "answer", "OAP", MONTH, answer)["again"]
    waiting = mis("cycle", "exceptions", "OAP", MONTH)
    assert {line["class"] for line in waiting} == {"unknown_reference", "unreadable"}
    assert STRANGER in {line["reference"] for line in waiting}
    mis("cycle", "reconcile", "OAP", MONTH)
    mis("cycle", "close", "OAP", MONTH, expect=1)  # Exceptions are open.
    for line in waiting:
        mis("cycle", "resolve", line["file"], line["line"], "--note", "The provider has taken it back.")
    mis("cycle", "close", "OAP", MONTH)
    shown = mis("cycle", "show", "OAP", MONTH)
    assert (shown["status"], shown["ties_out"], shown["exceptions_open"]) == ("closed", True, 0)
    return {name: shown[name] for name in ("totals", "states", "not_paid")}


def pay_again(payment: dict[str, str], *, old: int) -> None:
    """Whoever was not paid complains; the answer acts: the next cycle pays once more."""
    lodged = mis(
        "grievance", "lodge", "--category", "payment_not_received", "--text", "Nothing came.",
        "--payment", payment["end_to_end_id"], "--name", "Somebody",
    )  # fmt: skip
    case = lodged["reference"]
    mis("grievance", "acknowledge", case)
    mis("grievance", "assign", case, "g.second")
    mis(
        "grievance", "resolve", case, "--finding", "upheld", "--remedy", "pay_again",
        "--decision", "The account was closed; you are paid with the next cycle.", "--as", "g.second",
    )  # fmt: skip
    mis("cycle", "open", "OAP", NEXT_MONTH)
    totals = mis("cycle", "compute", "OAP", NEXT_MONTH)["totals"]
    assert (totals["entitled"]["count"], totals["carried"]["count"]) == (old, 1)
    assert totals["payable"]["amount_minor"] == (old + 1) * villages.PENSION_MINOR


def whole_chain(run: Run, survey: Path, folder: Path) -> dict[str, Any]:
    old = villages.old(survey)
    staff()
    import_survey(run, survey)
    publish_pension()
    enrol(run, old=old)
    sent = instruct(run, folder, old=old)
    found = reconcile(run, folder, sent)
    pay_again(sent[0], old=old)
    assert mis("audit", "verify")["clean"]
    return found


@pytest.mark.slow
def test_a_survey_becomes_reconciled_payments_on_the_command_line(
    environment: object, survey: Path, tmp_path: Path
):
    whole_chain(mis, survey, tmp_path)


@pytest.mark.slow
def test_the_totals_are_the_same_when_every_long_step_is_killed(
    environment: object, impatient: None, survey: Path, tmp_path: Path
):
    old = villages.old(survey)
    found = whole_chain(killed_and_done, survey, tmp_path)
    assert found["totals"]["payable"]["count"] == found["totals"]["exported"]["count"] == old
