"""The commands of the grievances: the same rules, with --json, an exit code and a sentence for every refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from click.testing import CliRunner
from flask import Flask

from grievances.cli import group
from mis import acting
from mis.acting import SYSTEM
from mis.audit import AuditEntry
from mis.db import db
from tests.grievances.office import AT, staff


def mis(*words: str, expect: int = 0) -> Any:
    answer = CliRunner().invoke(group, [*words, "--json"])
    assert answer.exit_code == expect, answer.output
    return json.loads(answer.stdout) if expect < 2 else answer.output


@pytest.fixture(autouse=True)
def office(app: Flask) -> Iterator[None]:
    with db.unit_of_work(), acting.acting(SYSTEM):
        staff()
    with time_machine.travel(AT, tick=False):
        yield


def lodge(*more: str) -> str:
    made = mis(
        "lodge", "--category", "service_quality", "--text", "Closed on market day.", "--area", "XX1", *more
    )
    return str(made["reference"])


def test_a_case_goes_from_the_counter_to_the_appeal(app: Flask) -> None:
    reference = lodge("--name", "Awa Diallo", "--as", "enno.bah")
    assert mis("acknowledge", reference, "--as", "gina.oduya")["status"] == "acknowledged"
    assert mis("assign", reference, "hugo.mensah", "--as", "gina.oduya")["status"] == "assigned"
    assert mis("note", reference, "Asked the guard.", "--as", "hugo.mensah")["by"] == "Hugo Mensah"
    assert [one["reference"] for one in mis("list", "--mine", "--as", "hugo.mensah")] == [reference]
    answer = ("--finding", "not_upheld", "--decision", "The office was open.")
    assert mis("resolve", reference, *answer, "--as", "hugo.mensah")["appeal_by"] == "2026-03-30"
    appeal = mis("appeal", reference, "--grounds", "I was there.", "--as", "enno.bah")["reference"]
    mis("acknowledge", appeal, "--as", "hugo.mensah")
    refusal = mis("resolve", appeal, *answer, "--as", "hugo.mensah", expect=1)
    assert "second person" in refusal["error"]
    mis("resolve", appeal, "--finding", "upheld", "--decision", "It was closed.", "--as", "gina.oduya")
    assert mis("close", appeal, "--as", "gina.oduya")["status"] == "closed"
    shown = mis("show", reference)
    assert (shown["status"], shown["appeal"], shown["notes"][0]["text"]) == (
        "appealed",
        appeal,
        "Asked the guard.",
    )


def test_an_anonymous_grievance_answers_with_its_word(app: Flask) -> None:
    made = mis(
        "lodge", "--category", "staff_conduct", "--text", "Asked for money.", "--area", "XX1", "--anonymous"
    )
    assert made["acknowledge_by"] == "2026-03-03"
    assert len(made["word"]) == 9


def test_a_refusal_is_a_sentence_with_its_field_and_changes_nothing(app: Flask) -> None:
    refusal = mis("lodge", "--category", "other", "--text", "Hm.", "--area", "XX1", expect=1)
    assert refusal["field"] == "name"
    assert mis("list") == []
    reference = lodge("--anonymous")
    wrong_state = mis("close", reference, expect=1)
    assert wrong_state["instead"] == "From here: Acknowledge."
    swapped = reference[:-2] + reference[-1] + reference[-2]
    if swapped != reference:
        assert "digit" in mis("show", swapped, expect=1)["error"]


def test_a_wrong_role_is_refused_and_leaves_a_trace(app: Flask) -> None:
    reference = lodge("--anonymous")
    refusal = mis("acknowledge", reference, "--as", "audi.tor", expect=1)
    assert "grievances:case:work" in refusal["error"]
    with db.unit_of_work(read_only=True) as session:
        refused = session.scalars(
            sa.select(AuditEntry.actor_name).where(AuditEntry.action == "refused")
        ).all()
    assert refused == ["Audi Tor"]


def test_a_case_of_another_area_does_not_exist_for_an_officer(app: Flask) -> None:
    reference = lodge("--anonymous")
    mis("show", reference, "--as", "ines.paulo", expect=1)
    assert mis("list", "--as", "ines.paulo") == []


def test_overdue_cases_are_listed(app: Flask) -> None:
    reference = lodge("--anonymous", "--received", "2026-02-02")
    lodge("--anonymous")
    assert [one["reference"] for one in mis("list", "--overdue")] == [reference]
