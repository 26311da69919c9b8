"""The pages of the auditor: the trail of the areas that are his or hers, and a verification that nobody waits for."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from mis import acting, audit
from mis.acting import SYSTEM
from mis.audit import AuditEntry
from mis.audit_cli import group
from mis.calendar import now
from mis.db import db
from registry.models import Household
from tests.mis.accounts.browsing import Browser
from tests.mis.accounts.people import PASSWORD, make_areas, make_user


@pytest.fixture
def entries(app: Flask) -> dict[str, int]:
    """An entry of each district, and one of none, by the code of the district."""
    with db.unit_of_work(), acting.acting(SYSTEM):
        areas = make_areas()
        make_user("national", "auditor")
        make_user("northern", "auditor", area_id=areas["XX1"])
        for code in ("XX1", "XX2"):
            db.session.add(Household(area_id=areas[code], registered_at=now(), changed_at=now()))
        db.session.flush()
        found = db.session.execute(
            sa.select(AuditEntry.area_id, AuditEntry.id).where(AuditEntry.action == "household.insert")
        )
        by_area = {row.area_id: row.id for row in found}
        return {code: by_area[areas[code]] for code in ("XX1", "XX2")} | {"nowhere": audit.record("counted")}


@pytest.mark.parametrize(("name", "theirs"), [("national", {"XX1", "XX2", "nowhere"}), ("northern", {"XX1"})])
def test_an_auditor_reads_the_trail_of_the_own_areas(
    app: Flask, entries: dict[str, int], name: str, theirs: set[str]
) -> None:
    browser = Browser(app)
    browser.sign_in(name, PASSWORD)
    opened = {
        code
        for code, number in entries.items()
        if browser.open(f"/audit/entries/{number}").status_code == 200
    }
    listed = browser.open("/audit/").text
    answer = CliRunner().invoke(group, ["show", "--json", "--as", name])
    told = {entry["entry"] for entry in json.loads(answer.stdout)}
    assert opened == theirs
    assert {code for code, number in entries.items() if f'/audit/entries/{number}"' in listed} == theirs
    assert {code for code, number in entries.items() if number in told} == theirs


def test_a_verification_keeps_nobody_from_writing(
    app: Flask, entries: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = audit.verify

    def meanwhile(*, expected_head: str | None) -> audit.Report:
        audit.aside("written meanwhile")
        return verify(expected_head=expected_head)

    monkeypatch.setattr(audit, "verify", meanwhile)
    browser = Browser(app)
    browser.sign_in("national", PASSWORD)
    assert "Result" not in browser.open("/audit/verify").text
    assert "The trail is whole" in browser.open("/audit/verify?head=").text
    assert "No seal has the head abc" in browser.open("/audit/verify?head=abc").text
