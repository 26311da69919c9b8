"""The same on the command line: a cycle from its opening to its closing, each step with its answer and its refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from mis import jobs, settings
from mis.app import configure
from mis.cli import main
from mis.db import db
from registry.references import PERSON, reference
from tests.factories.payments import enrol_many, make_area, make_scheme
from tests.mis.accounts.people import make_user
from tests.payments.conftest import Office

CYCLE = ("OAP", "2026-03")


def mis(*words: object, expect: int = 0) -> Any:
    answer = CliRunner().invoke(main, [*map(str, words), "--json"], catch_exceptions=False)
    assert answer.exit_code == expect, answer.output
    return json.loads(answer.stdout)


@pytest.fixture(autouse=True)
def _here(app: Flask, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    here = settings.current()
    monkeypatch.setattr(settings, "load", lambda: here)
    configure(here)
    jobs.install(None, lease_seconds=60)
    with office.at_work():
        enrol_many(make_scheme(), make_area(), 4)
        make_user("b.approver", "payment_approver")


def test_a_cycle_is_run_from_its_opening_to_its_closing(tmp_path: Path) -> None:
    assert mis("cycle", "open", *CYCLE)["status"] == "open"
    computed = mis("cycle", "compute", *CYCLE)
    assert computed["totals"]["entitled"] == {"count": 4, "amount": "600.00", "amount_minor": 60000}
    assert mis("cycle", "submit", *CYCLE)["status"] == "submitted"
    refused = mis("cycle", "approve", *CYCLE, expect=1)
    assert "second person" in refused["error"]
    assert mis("cycle", "approve", *CYCLE, "--as", "b.approver")["status"] == "approved"
    xml, listed = tmp_path / "pay.xml", tmp_path / "pay.csv"
    exported = mis("cycle", "export", *CYCLE, "--to", xml)
    assert exported["sha256"] == exported["files"]["pain001"]
    assert b"<NbOfTxs>4</NbOfTxs><CtrlSum>600.00</CtrlSum>" in xml.read_bytes()
    mis("cycle", "export", *CYCLE, "--format", "csv", "--to", listed)
    before = xml.read_bytes()
    mis("cycle", "export", *CYCLE, "--to", xml)
    assert xml.read_bytes() == before
    references = [line.split(",")[0] for line in listed.read_text().splitlines()[1:]]
    answer = tmp_path / "answer.csv"
    lines = [f"{references[0]},rejected", *(f"{one},accepted" for one in references[1:]), "NOBODY-1,paid"]
    answer.write_text("reference,status\n" + "\n".join(lines) + "\n")
    taken = mis("cycle", "answer", *CYCLE, answer)
    assert taken["classes"] == {"matched": 4, "unknown_reference": 1}
    assert not taken["again"]
    again = mis("cycle", "answer", *CYCLE, answer)
    assert again["again"] and again["classes"] == taken["classes"]
    assert mis("cycle", "reconcile", *CYCLE)["ties_out"]
    assert "Exceptions wait" in mis("cycle", "close", *CYCLE, expect=1)["error"]
    (waiting,) = mis("cycle", "exceptions", *CYCLE)
    assert waiting["reference"] == "NOBODY-1"
    mis("cycle", "resolve", waiting["file"], waiting["line"], "--note", "Not ours.")
    mis("cycle", "carry", *CYCLE, references[0], "--reason", "New account")
    assert mis("cycle", "close", *CYCLE)["status"] == "closed"
    shown = mis("cycle", "show", *CYCLE)
    assert shown["states"]["accepted"]["count"] == 3
    assert [one["month"] for one in mis("cycle", "list")] == ["2026-03"]


def test_holds_are_placed_and_released() -> None:
    mis("cycle", "open", *CYCLE)
    placed = mis("hold", "place", reference(PERSON, 1), "OAP", "--reason", "Moved", "--until", "2099-12-31")
    assert placed == {"hold": 1, "expires_on": "2099-12-31", "too_late_for": []}
    assert mis("cycle", "compute", *CYCLE)["not_paid"]["held"]["count"] == 1
    assert mis("hold", "release", 1, "--reason", "Back")["released"]
    assert mis("cycle", "compute", *CYCLE)["not_paid"] == {}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("cycle", "show", "OAP", "2026-04"), "no payment cycle of OAP for 2026-04"),
        (("cycle", "open", "XYZ", "2026-03"), "no scheme"),
        (("cycle", "open", "OAP", "1980-01"), "no rules in force"),
        (("cycle", "compute", "OAP", "2026-04"), "no payment cycle"),
        (("hold", "place", "P-1", "OAP", "--reason", "x"), "reference"),
    ],
)
def test_what_cannot_be_done_exits_with_a_sentence(words: tuple[str, ...], sentence: str) -> None:
    assert sentence in mis(*words, expect=1)["error"]


def test_show_is_read_by_people_too() -> None:
    mis("cycle", "open", *CYCLE)
    answer = CliRunner().invoke(main, ["cycle", "show", *CYCLE], catch_exceptions=False)
    assert "status: open" in answer.stdout
    assert not db.is_open
