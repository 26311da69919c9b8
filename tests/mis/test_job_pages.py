"""The pages and commands of background work: everybody sees the own, and what is done in his or her areas."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from mis import acting, jobs
from mis.accounts.models import User
from mis.accounts.roles import actor_of
from mis.acting import SYSTEM
from mis.db import db
from mis.job_cli import group
from mis.jobs import Job
from tests.mis.accounts.browsing import Browser
from tests.mis.accounts.people import DAY, PASSWORD, make_areas, make_user

READ = "registry:import:create"


@pytest.fixture
def asked(app: Flask) -> dict[str, int]:
    """A job of each officer, by the name of the officer: two of districts, one of the whole country."""
    with db.unit_of_work(), acting.acting(SYSTEM):
        areas = make_areas()
        officers = {
            "north": make_user("north", "enrolment_officer", area_id=areas["XX1"]),
            "south": make_user("south", "enrolment_officer", area_id=areas["XX2"]),
            "country": make_user("country", "enrolment_officer"),
        }
        make_user("colleague", "enrolment_officer", area_id=areas["XX1"])
        make_user("payer", "payment_officer")
        make_user("root1", "system_administrator")
    return {name: _asked(user) for name, user in officers.items()}


def _asked(user: User) -> int:
    with db.unit_of_work(), acting.acting(actor_of(user, DAY)):
        job = jobs.ask("registry:stage", {"batch": 0}, subject=user.username, permission=READ)
        job.result = {"accepted rows": 4711}
        return job.id


def seen_by(app: Flask, name: str, asked: dict[str, int]) -> set[str]:
    browser = Browser(app)
    browser.sign_in(name, PASSWORD)
    pages = {owner for owner, number in asked.items() if browser.open(f"/jobs/{number}").status_code == 200}
    parts = {
        owner
        for owner, number in asked.items()
        if browser.open(f"/jobs/{number}/progress").status_code == 200
    }
    listed = browser.open("/jobs/").text
    rows = {owner for owner, number in asked.items() if f'/jobs/{number}"' in listed}
    answer = CliRunner().invoke(group, ["list", "--json", "--as", name])
    told = {one["subject"] for one in json.loads(answer.stdout)}
    assert pages == parts == rows == told
    return pages


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("north", {"north"}),
        ("colleague", {"north"}),
        ("south", {"south"}),
        ("country", {"north", "south", "country"}),
        ("root1", {"north", "south", "country"}),
    ],
)
def test_work_is_seen_where_one_works(app: Flask, asked: dict[str, int], name: str, theirs: set[str]) -> None:
    assert seen_by(app, name, asked) == theirs


@pytest.mark.parametrize(("name", "may"), [("country", True), ("payer", False), ("root1", False)])
def test_what_a_job_did_is_shown_to_who_may_read_it(
    app: Flask, asked: dict[str, int], name: str, may: bool
) -> None:
    browser = Browser(app)
    browser.sign_in(name, PASSWORD)
    assert ("4,711" in browser.open(f"/jobs/{asked['north']}").text) == may
    answer = CliRunner().invoke(group, ["show", "--json", "--as", name, str(asked["north"])])
    assert (json.loads(answer.stdout)["result"] is not None) == may


@pytest.mark.parametrize(
    ("name", "status"), [("north", 302), ("root1", 302), ("colleague", 403), ("country", 403), ("south", 404)]
)
def test_work_is_stopped_by_who_asked_for_it_or_may_stop_any(
    app: Flask, asked: dict[str, int], name: str, status: int
) -> None:
    browser = Browser(app)
    browser.sign_in(name, PASSWORD)
    assert browser.send(f"/jobs/{asked['north']}/cancel").status_code == status
    with db.unit_of_work(read_only=True) as session:
        assert (session.get_one(Job, asked["north"]).status == jobs.CANCELLED) == (status == 302)


def test_work_of_a_kind_that_an_earlier_release_had_is_listed(app: Flask, asked: dict[str, int]) -> None:
    with db.unit_of_work() as session:
        session.execute(sa.update(Job).values(kind="registry:gone"))
    browser = Browser(app)
    browser.sign_in("root1", PASSWORD)
    assert "registry:gone" in browser.open("/jobs/").text
    assert browser.open(f"/jobs/{asked['north']}").status_code == 200


def test_work_of_who_was_switched_off_is_not_begun(app: Flask, asked: dict[str, int]) -> None:
    with db.unit_of_work(), acting.acting(SYSTEM):
        db.session.scalars(sa.select(User).where(User.username == "north")).one().active = False
    assert jobs.run(asked["north"]) == jobs.FAILED
