"""The pages of the accounts, as a browser meets them."""

import re
from datetime import datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from mis import acting, settings
from mis.accounts import second_factor, users
from mis.accounts.models import RoleAssignment, User
from mis.acting import SYSTEM
from mis.audit import AuditEntry
from mis.calendar import now
from mis.db import db
from tests.mis.accounts.browsing import Browser
from tests.mis.accounts.people import AT, PASSWORD, make_areas, make_user


@pytest.fixture
def office(app: Flask) -> dict[str, int]:
    """An administrator, a clerk without a role, and a country."""
    with db.unit_of_work(), acting.acting(SYSTEM):
        areas = make_areas()
        return {
            "root": make_user("root1", "system_administrator").id,
            "clerk": make_user("a.mwangi").id,
            "auditor": make_user("au.ditor", "auditor").id,
            **areas,
        }


@pytest.fixture
def browser(app: Flask, office: dict[str, int]) -> Browser:
    return Browser(app)


@pytest.fixture
def root(browser: Browser) -> Browser:
    browser.sign_in("root1", PASSWORD)
    return browser


def stored(user_id: int) -> User:
    with db.unit_of_work(read_only=True) as session:
        return session.get_one(User, user_id)


def test_a_page_asks_a_stranger_to_sign_in_and_leads_there_afterwards(browser: Browser):
    answer = browser.open("/users?q=mwangi")
    assert answer.status_code == 303
    assert "next=/users?q%3Dmwangi" in answer.location
    answer = browser.open(answer.location)
    answer = browser.send(answer.request.path, username="root1", password=PASSWORD, next="/users?q=mwangi")
    assert answer.location == "/users?q=mwangi"
    assert "A Mwangi" in browser.open(answer.location).text


@pytest.mark.parametrize(
    "next_", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_strangers_site(browser: Browser, next_: str):
    assert browser.sign_in("root1", PASSWORD, next=next_).location == "/"


def test_a_wrong_password_shows_the_page_again_with_the_name_and_is_counted(
    browser: Browser, office: dict[str, int]
):
    answer = browser.sign_in("a.mwangi", "wrong")
    assert answer.status_code == 422
    assert "not right" in answer.text
    assert 'value="a.mwangi"' in answer.text
    assert "wrong" not in re.sub(r"<[^>]*>", "", answer.text).replace("not right", "")
    for _ in range(4):
        answer = browser.sign_in("a.mwangi", "wrong")
    assert "Too many" in answer.text
    assert browser.sign_in("a.mwangi", PASSWORD).status_code == 422


def test_the_session_is_new_at_sign_in_and_ends_everywhere_at_sign_out(browser: Browser, app: Flask):
    other = Browser(app)
    browser.sign_in("a.mwangi", PASSWORD)
    other.sign_in("a.mwangi", PASSWORD)
    assert other.open("/account").status_code == 200
    assert browser.send("/sign-out").status_code == 303
    assert browser.open("/account").status_code == 303
    assert other.open("/account").status_code == 303


def test_an_idle_session_ends_and_a_used_one_goes_on(browser: Browser):
    begin = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    with time_machine.travel(begin, tick=False) as clock:
        browser.sign_in("a.mwangi", PASSWORD)
        for _ in range(3):
            clock.shift(timedelta(minutes=20))
            assert browser.open("/account").status_code == 200
        clock.shift(timedelta(minutes=31))
        answer = browser.open("/account")
        assert answer.status_code == 303
        assert "/sign-in" in answer.location


def test_a_form_sent_too_late_leads_to_sign_in_and_back_to_its_page(browser: Browser):
    begin = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    with time_machine.travel(begin, tick=False) as clock:
        browser.sign_in("a.mwangi", PASSWORD)
        browser.open("/account/password")
        clock.shift(timedelta(minutes=31))
        answer = browser.send("/account/password", headers={"Referer": "http://localhost/account/password"})
        assert answer.status_code == 303
        assert answer.location.endswith("next=/account/password")
        assert "kept in this browser" in browser.open(answer.location).text


def test_even_a_busy_session_ends_with_the_day(browser: Browser):
    begin = datetime.fromisoformat("2026-03-02T06:00:00+00:00")
    with time_machine.travel(begin, tick=False) as clock:
        browser.sign_in("a.mwangi", PASSWORD)
        for _ in range(35):
            clock.shift(timedelta(minutes=20))
            assert browser.open("/account").status_code == 200
        clock.shift(timedelta(minutes=25))
        assert browser.open("/account").status_code == 303


def test_a_temporary_password_must_be_changed_before_anything_else(browser: Browser, office: dict[str, int]):
    with db.unit_of_work() as session, acting.acting(SYSTEM):
        first = users.reset_password(session.get_one(User, office["clerk"]), at=AT)
    browser.sign_in("a.mwangi", first)
    assert browser.open("/").location == "/account/password"
    browser.open("/account/password")
    answer = browser.send("/account/password", current=first, new="too short", again="too short")
    assert answer.status_code == 422
    assert "at least 12" in answer.text
    new = "eleven green kites aloft"
    answer = browser.send("/account/password", current=first, new=new, again=new)
    assert answer.location == "/account"
    assert browser.open("/").status_code == 200


def test_a_second_factor_is_set_up_and_asked_for(browser: Browser):
    browser.sign_in("a.mwangi", PASSWORD)
    page = browser.open("/account/second-factor")
    found = re.search(r"<code>([A-Z2-7]+)</code>", page.text)
    assert found
    secret = found[1]
    assert "data:image/svg+xml" in page.text
    assert browser.send("/account/second-factor", code="000000").status_code == 422
    page = browser.send("/account/second-factor", code=pyotp.TOTP(secret).at(int(now().timestamp())))
    (recovery, *_others) = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", page.text)
    browser.send("/sign-out")
    browser.open("/sign-in")
    answer = browser.send("/sign-in", username="a.mwangi", password=PASSWORD)
    assert answer.location == "/sign-in/code"
    assert browser.open("/account").status_code == 303, "half way is not signed in"
    browser.open("/sign-in/code")
    assert browser.send("/sign-in/code", code="000000").status_code == 422
    assert browser.send("/sign-in/code", code=recovery).location == "/"
    assert browser.open("/account").status_code == 200


def test_in_production_an_approver_must_set_up_a_second_factor_first(
    browser: Browser, office: dict[str, int]
):
    with db.unit_of_work() as session, acting.acting(SYSTEM):
        session.add(RoleAssignment(user_id=office["clerk"], role="payment_approver"))
    browser.sign_in("a.mwangi", PASSWORD)
    assert browser.open("/").status_code == 200
    ours = settings.current()
    settings.use(ours.model_copy(update={"environment": "production"}))
    try:
        assert browser.open("/").location == "/account/second-factor"
        assert browser.open("/account/second-factor").status_code == 200
    finally:
        settings.use(ours)


def test_an_administrator_adds_a_user_and_gives_a_role(root: Browser, office: dict[str, int]):
    root.open("/users/new")
    assert root.send("/users/new", username="A.Mwangi", name="Another").status_code == 409
    assert root.send("/users/new", username="b c", name="Another").status_code == 422
    page = root.send("/users/new", username="n.wanjiru", name="Njeri Wanjiru", staff_number="S-9")
    assert "Temporary password" in page.text
    with db.unit_of_work(read_only=True) as session:
        user_id = session.scalar(sa.select(User.id).where(User.username == "n.wanjiru"))
    path = f"/users/{user_id}"
    root.open(path)
    answer = root.send(f"{path}/roles", role="enrolment_officer", area="XX1 (XX1)", expires_on="2999-01-01")
    assert answer.status_code == 303
    page = root.open(path)
    assert "Enrolment officer" in page.text
    answer = root.send(f"{path}/roles", role="auditor", area="", expires_on="")
    assert answer.status_code == 409
    assert "no one person may hold" in answer.text
    answer = root.send(f"{path}/roles", role="", area="Nowhere", expires_on="yesterday")
    assert answer.status_code == 422
    assert answer.text.count('class="error"') == 3


def test_an_administrator_withdraws_a_role(root: Browser, office: dict[str, int]):
    with db.unit_of_work() as session, acting.acting(SYSTEM):
        held = RoleAssignment(user_id=office["clerk"], role="grievance_officer")
        session.add(held)
    path = f"/users/{office['clerk']}"
    root.open(path)
    assert root.send(f"{path}/roles/{held.id}/withdraw").status_code == 303
    assert root.send(f"{path}/roles/{held.id}/withdraw").status_code == 404
    assert "No role yet" in root.open(path).text


def test_switching_off_ends_open_sessions(root: Browser, app: Flask, office: dict[str, int]):
    clerk = Browser(app)
    clerk.sign_in("a.mwangi", PASSWORD)
    path = f"/users/{office['clerk']}"
    root.open(path)
    assert root.send(f"{path}/switch-off").status_code == 303
    assert clerk.open("/account").status_code == 303
    assert clerk.sign_in("a.mwangi", PASSWORD).status_code == 422
    root.open(path)
    root.send(f"{path}/switch-on")
    assert clerk.sign_in("a.mwangi", PASSWORD).status_code == 303


def test_the_last_administrator_is_not_switched_off_even_by_another_permission(
    root: Browser, office: dict[str, int]
):
    path = f"/users/{office['root']}"
    root.open(path)
    assert root.send(f"{path}/switch-off").status_code == 403
    assert root.send(f"{path}/reset-password").status_code == 403
    assert stored(office["root"]).active


def test_a_reset_password_is_shown_once_and_stands_in_no_address(root: Browser, office: dict[str, int]):
    path = f"/users/{office['clerk']}"
    root.open(path)
    page = root.send(f"{path}/reset-password")
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    assert stored(office["clerk"]).must_change_password


def test_a_lost_telephone_is_taken_out_by_an_administrator(root: Browser, office: dict[str, int]):
    with db.unit_of_work() as session, acting.acting(SYSTEM):
        secret, clerk = second_factor.new_secret(), session.get_one(User, office["clerk"])
        second_factor.enrol(clerk, secret, pyotp.TOTP(secret).at(int(AT.timestamp())), at=AT)
    path = f"/users/{office['clerk']}"
    root.open(path)
    assert root.send(f"{path}/remove-second-factor").status_code == 303
    assert stored(office["clerk"]).totp_sealed is None


def test_an_auditor_sees_users_and_changes_none(browser: Browser, office: dict[str, int]):
    browser.sign_in("au.ditor", PASSWORD)
    page = browser.open(f"/users/{office['clerk']}")
    assert page.status_code == 200
    assert "Assign" not in page.text
    for step in ("switch-off", "reset-password", "roles", "unlock"):
        assert browser.send(f"/users/{office['clerk']}/{step}").status_code == 403
    with db.unit_of_work(read_only=True) as session:
        assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == "refused")) == 4


def test_a_user_without_a_role_sees_no_users(browser: Browser):
    browser.sign_in("a.mwangi", PASSWORD)
    assert browser.open("/users").status_code == 403


def test_users_are_found_filtered_and_exported(root: Browser):
    assert "Root1" not in root.open("/users?q=mwangi").text.split("<tbody>")[1]
    assert "Au Ditor" in root.open("/users?role=auditor").text
    assert root.open("/users?role=president").status_code == 422
    assert root.open("/users?colour=red").status_code == 422
    root.open("/users")
    answer = root.send("/lists/accounts.users/export.csv?q=mwangi")
    assert answer.status_code == 200
    assert answer.data.decode("utf-8-sig").splitlines()[1].startswith("A Mwangi,a.mwangi")
    with db.unit_of_work(read_only=True) as session:
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "exported")).one()
    assert entry.details["filters"] == {"q": "mwangi"}
    assert entry.details["rows"] == 1


def test_ones_own_language_is_kept(browser: Browser, office: dict[str, int]):
    browser.sign_in("a.mwangi", PASSWORD)
    browser.open("/account")
    assert browser.send("/account/language", locale="fr").status_code == 303
    assert 'lang="fr"' in browser.open("/account").text
    assert browser.send("/account/language", locale="tlh").status_code == 422


def test_a_form_without_its_token_is_refused(browser: Browser):
    browser.token = ""
    assert browser.send("/sign-in", username="root1", password=PASSWORD).status_code == 400


@pytest.mark.parametrize("cookie", ["", "x", "1", "1.", "99999999999999999999.x", "-1.x", "1.wrong"])
def test_a_cookie_that_is_no_session_is_nobody(browser: Browser, cookie: str):
    with browser.client.session_transaction() as kept:
        kept["_user_id"] = cookie
        kept["seen"] = kept["started"] = int(now().timestamp())
    assert browser.open("/account").status_code == 303
