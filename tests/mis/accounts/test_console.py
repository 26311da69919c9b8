"""Users from the command line, and the built-in user who acts there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from mis import access, acting, settings
from mis.accounts import console, roles
from mis.acting import SYSTEM
from mis.db import MisSession, db
from mis.errors import Forbidden
from mis.user_cli import group
from tests.mis.accounts.people import DAY, make_areas, make_user


def mis(*words: str, expect: int = 0) -> Any:
    answer = CliRunner().invoke(group, [*words, "--json"])
    assert answer.exit_code == expect, answer.output
    return json.loads(answer.stdout)


def test_the_console_user_is_made_once_and_may_do_everything(work: MisSession):
    user = console.user()
    assert console.user() is user
    with acting.acting(roles.actor_of(user, DAY)):
        assert access.may("payments:cycle:approve")


def test_the_console_user_cannot_sign_in(work: MisSession):
    assert console.user().password_hash is None


def test_the_console_user_can_be_switched_off_in_the_settings(work: MisSession):
    ours = settings.current()
    settings.use(ours.model_copy(update={"console_user_enabled": False}))
    try:
        with pytest.raises(Forbidden, match="switched off"):
            console.user()
    finally:
        settings.use(ours)


def test_a_user_is_added_given_roles_and_listed(app: Flask):
    with db.unit_of_work(), acting.acting(SYSTEM):
        make_areas()
    added = mis("add", "n.wanjiru", "--name", "Njeri Wanjiru", "--staff-number", "S-9")
    assert len(added["temporary_password"]) == 19
    mis("role", "assign", "n.wanjiru", "enrolment_officer", "--area", "XX1", "--until", "2999-01-01")
    (listed,) = mis("list", "--role", "enrolment_officer")
    assert listed["roles"] == [{"role": "enrolment_officer", "area": "XX1", "until": "2999-01-01"}]
    assert mis("role", "withdraw", "n.wanjiru", "enrolment_officer", "--area", "XX1")["roles"] == []


def test_refusals_are_sentences_and_change_nothing(app: Flask):
    mis("add", "p.otieno", "--name", "Peter Otieno")
    mis("role", "assign", "p.otieno", "payment_officer")
    refused = mis("role", "assign", "p.otieno", "payment_approver", expect=1)
    assert "no one person may hold" in refused["error"]
    assert mis("role", "assign", "p.otieno", "president", expect=1)["field"] == "role"
    assert "no area" in mis("role", "assign", "p.otieno", "auditor", "--area", "Atlantis", expect=1)["error"]
    assert "no user" in mis("password", "nobody", expect=1)["error"]
    assert "does not hold" in mis("role", "withdraw", "p.otieno", "auditor", expect=1)["error"]


def test_who_is_named_as_acting_needs_the_permission(app: Flask):
    with db.unit_of_work(), acting.acting(SYSTEM):
        make_user("a.mwangi")
        make_user("root1", "system_administrator")
    assert "may not do this" in mis("list", "--as", "a.mwangi", expect=1)["error"]
    assert {user["user"] for user in mis("list", "--as", "root1")} == {"a.mwangi", "root1"}
    mis("off", "a.mwangi", "--as", "root1")
    assert "switched off" in mis("list", "--as", "a.mwangi", expect=1)["error"]
