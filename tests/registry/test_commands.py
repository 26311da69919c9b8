"""The commands of the registry, as programs use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask

from mis import acting
from mis.acting import SYSTEM
from mis.db import db
from registry import cli
from tests.mis.accounts.people import make_user
from tests.registry.lists import vlss, vlss_row

root = click.Group("mis", commands={command.name or "": command for command in cli.commands})


@pytest.fixture
def office(app: Flask) -> None:
    with db.unit_of_work(), acting.acting(SYSTEM):
        make_user("b.ba", "enrolment_officer")
        make_user("d.ba", "auditor")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments), catch_exceptions=False)


def answer(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def households(tmp_path: Path) -> Path:
    path = tmp_path / "households.csv"
    path.write_text(vlss(vlss_row(1), vlss_row(2, sex="x"), vlss_row(3)))
    return path


def test_a_list_is_brought_accepted_and_its_refused_rows_written(office: None, households: Path):
    brought = answer("import", str(households), "--mapping", "vlss_households")
    assert brought == {"batch": 1, "status": "staged", "read": 3, "accepted": 2, "refused": {"unknown_value": 1},
                       "unchanged": 0, "failure": None, "already": False}  # fmt: skip
    assert run("import", "accept", "1").exit_code == 1, "the console user is no second person for itself"
    assert answer("import", "accept", "1", "--as", "b.ba")["status"] == "accepted"
    (row,) = answer("import", "refused", "1")
    assert row["household_no"] == "VN0002" and row["row_number"] == "3" and row["columns"] == "head_sex"
    assert run("import", "refused", "1").stdout.count("\n") == 2


def test_the_same_file_again_is_no_refusal(office: None, households: Path):
    first = answer("import", str(households), "--mapping", "vlss_households.yaml")
    again = answer("import", "--mapping", "vlss_households.yaml", str(households))
    assert again == first | {"already": True}


def test_refusals_exit_with_one_and_a_sentence(office: None, households: Path, tmp_path: Path):
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    for arguments, sentence in (
        (("import", str(empty), "--mapping", "vlss_households"), "The file is empty."),
        (("import", str(households), "--mapping", "nothing"), "There is no mapping file nothing."),
        (("import", str(households), "--mapping", "vlss_households", "--area", "NO"), "There is no area NO."),
        (("import", "accept", "9", "--as", "b.ba"), "There is no import batch 9."),
        (
            ("import", str(households), "--mapping", "vlss_households", "--as", "d.ba"),
            "registry:import:create",
        ),
    ):
        refused = run(*arguments)
        assert refused.exit_code == 1 and sentence in refused.stderr, refused.output
        assert "Traceback" not in refused.output


def test_areas_are_loaded(office: None, tmp_path: Path):
    path = tmp_path / "areas.csv"
    path.write_text("code,name,kind,parent_code\nA,A,country,\nB,B,district,A\n")
    assert answer("area", "load", str(path)) == {"added": 2, "changed": 0, "unchanged": 0}
    assert answer("area", "load", str(path)) == {"added": 0, "changed": 0, "unchanged": 2}
