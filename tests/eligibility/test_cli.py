"""The room from the command line: the commands of the issue in their order, refusals as sentences."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from flask import Flask

from eligibility.cli import commands
from mis.acting import SYSTEM, acting
from mis.db import db
from mis.paths import config_dir
from registry.references import PERSON, reference
from tests.factories.registry import AreaFactory, PersonFactory, household_of
from tests.mis.accounts.people import make_user

group = click.Group("mis", commands={command.name or "": command for command in commands})
FILE = config_dir() / "schemes" / "old_age_pension.yaml"


def mis(*words: str, expect: int = 0) -> Any:
    answer = CliRunner().invoke(group, [*words, "--json"])
    assert answer.exit_code == expect, answer.output
    return json.loads(answer.stdout)


@pytest.fixture
def village(app: Flask) -> str:
    """Two elderly people and their daughters; two scheme administrators. The reference of the first elderly person."""
    with db.unit_of_work(), acting(SYSTEM):
        area = AreaFactory()
        elderly = [PersonFactory(area=area, elderly=True) for _ in range(2)]
        for head in elderly:
            household_of(head, (PersonFactory(area=area), "child"))
        for name in ("ada", "ben"):
            make_user(name, "scheme_administrator", "enrolment_officer")
        return reference(PERSON, elderly[0].id)


def publish() -> None:
    mis("scheme", "load", str(FILE), "--as", "ada")
    mis("scheme", "submit", "OAP", "--as", "ada")
    mis("scheme", "publish", "oap", "--as", "ben")


def test_the_commands_lead_from_a_document_to_people_in_the_scheme_and_out_of_it(village: str) -> None:
    publish()
    assert mis("scheme", "list")[0]["in_force"] == 1
    assert mis("scheme", "show", "OAP")["clauses"][0]["code"] == "AGE"
    assessed = mis("assess", "OAP", "--on", "2026-06-01")
    assert (assessed["eligible"], assessed["not_eligible"], assessed["undetermined"]) == (2, 2, 0)
    assert (
        assessed["reasons"] == {"AGE": 2} and assessed["seconds"] is not None and assessed["rows_per_second"]
    )
    explained = mis("explain", "OAP", village, "--on", "2026-06-01")
    assert explained["outcome"] == "eligible" and explained["stored"]["same"] is True
    assert explained["clauses"][0]["values"][1]["value"] == 86
    enrolled = mis("enrol", "OAP", "--on", "2026-06-01")
    assert (enrolled["enrolled"], enrolled["reasons"]) == (2, {"AGE": 2})
    assert mis("enrol", "OAP", "--on", "2026-06-01")["already_enrolled"] == 2
    left = mis("exit", village, "OAP", "--reason", "death", "--on", "2026-08-01")
    assert (left["status"], left["valid_to"]) == ("exited", "2026-08-01")


def test_enrolling_assesses_first_where_nobody_did(village: str) -> None:
    publish()
    assert mis("enrol", "OAP", "--on", "2026-06-01")["enrolled"] == 2


def test_the_same_document_again_changes_nothing_and_says_so(village: str) -> None:
    assert mis("scheme", "load", str(FILE))["new"] is True
    again = mis("scheme", "load", str(FILE))
    assert again["new"] is False and "nothing was changed" in again["message"]


def test_nobody_publishes_the_own_rules(village: str) -> None:
    mis("scheme", "load", str(FILE), "--as", "ada")
    mis("scheme", "submit", "OAP", "--as", "ada")
    assert "second person" in mis("scheme", "publish", "OAP", "--as", "ada", expect=1)["error"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("assess", "NONE", "--on", "2026-06-01"), "There is no scheme NONE"),
        (("explain", "OAP", "P-000-000-000", "--on", "2026-06-01"), "check digits"),
        (("scheme", "publish", "OAP"), "No version"),
        (("enrol", "OAP", "--on", "1990-01-01"), "No published rules"),
    ],
)
def test_what_is_not_possible_is_refused_in_a_sentence(
    village: str, words: tuple[str, ...], said: str
) -> None:
    publish()
    assert said in mis(*words, expect=1)["error"]


def test_a_mistake_in_a_document_is_told_with_its_line(village: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(FILE.read_text().replace("person.age >=", "person.agee >="))
    refusal = mis("scheme", "load", str(file), expect=1)
    assert "Line 26, column 19" in refusal["error"] and "Did you mean person.age?" in refusal["error"]
    file.write_bytes(b"\xff\xfe")
    assert "UTF-8" in mis("scheme", "load", str(file), expect=1)["error"]


def test_a_day_without_rules_is_one_before_the_act(village: str) -> None:
    publish()
    assert date(1995, 1, 1).isoformat() == mis("scheme", "show", "OAP")["versions"][0]["valid_from"]
