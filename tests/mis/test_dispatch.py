"""The shell of the web, whatever is sent to it: odd addresses, odd texts, a database that does not answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask, Response
from sqlalchemy.exc import OperationalError

from mis import acting, audit
from mis.access import signed_in
from mis.acting import SYSTEM
from mis.audit import AuditEntry
from mis.calendar import now
from mis.db import Database, db
from mis.web import desk, safe_next
from mis.web.desk import Waiting
from mis.web.security import HEADERS
from registry.models import Household
from tests.mis.accounts.browsing import Browser
from tests.mis.accounts.people import PASSWORD, make_areas, make_user


@pytest.fixture
def browser(app: Flask) -> Browser:
    """The browser of an auditor, who may read everything."""
    with db.unit_of_work(), acting.acting(SYSTEM):
        area_id = make_areas()["XX1"]
        db.session.add(Household(area_id=area_id, registered_at=now(), changed_at=now()))
        make_user("au.ditor", "auditor")
        make_user("root1", "system_administrator")
    browser = Browser(app)
    browser.sign_in("au.ditor", PASSWORD)
    return browser


@pytest.mark.parametrize("number", [0, 2**63 - 1, 2**63, 10**30])
def test_a_number_that_no_record_has_is_a_page_that_is_not_there(browser: Browser, number: int) -> None:
    assert browser.open(f"/users/{number}").status_code == 404
    assert browser.open(f"/audit/entries/{number}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/search?q=a&q=a%00b", "/users?q%00=x", "/account%00", "/sign-in?next=/%00"]
)
def test_a_character_that_no_form_sends_is_a_bad_request(browser: Browser, path: str) -> None:
    assert browser.open(path).status_code == 400


def test_a_sign_in_with_odd_characters_is_refused_and_nothing_breaks(app: Flask) -> None:
    assert Browser(app).sign_in("a\x00b", PASSWORD).status_code == 400
    assert Browser(app).sign_in("a" * 200 + "é\u202e", PASSWORD).status_code == 422


@pytest.mark.parametrize(
    "path", ["/search?q=%ff%fe", "/users?q=%ff", "/users?status=zz", "/jobs/?status=zz", "/%ff"]
)
def test_whatever_is_typed_into_an_address_is_answered(browser: Browser, path: str) -> None:
    assert browser.open(path).status_code < 500


@pytest.mark.parametrize("referrer", ["http://[", "//", "http://localhost\x7f/", "javascript:x"])
def test_an_odd_referrer_leads_nowhere(app: Flask, referrer: str) -> None:
    answer = Browser(app).open("/users", headers={"HX-Request": "true", "Referer": referrer})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/sign-in")


@pytest.mark.parametrize(
    "address", ["/\t/evil", "/\n/evil", "/\t/[", "//evil", "/\\evil", "/\x7f", "https:/x", "", "x"]
)
def test_an_address_that_a_browser_could_read_as_another_site_is_none(address: str) -> None:
    assert safe_next.local(address) is None


def test_an_address_of_this_site_is_kept() -> None:
    assert safe_next.local("/users?q=a%0Ab&next=//x") == "/users?q=a%0Ab&next=//x"


@pytest.fixture
def unpropagated(application: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors that come while an error is being told are told too, and not raised as tests would have it."""
    monkeypatch.setitem(application.config, "PROPAGATE_EXCEPTIONS", False)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch, unpropagated: None) -> Iterator[None]:
    """A database that answers nobody."""

    def begin(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorname = "SQLITE_BUSY"
        raise OperationalError("BEGIN", {}, error)

    engine = sa.create_engine("sqlite://")
    sa.event.listen(engine, "begin", begin)
    monkeypatch.setattr(Database, "engine", engine)
    yield
    engine.dispose()


def test_a_database_that_does_not_answer_is_said_with_all_headers(browser: Browser, silent: None) -> None:
    for answer in (
        browser.open("/users"),
        browser.open("/nowhere"),
        browser.send("/language", language="fr"),
    ):
        assert answer.status_code == 503
        assert "Not available at the moment" in answer.text
        assert HEADERS.items() <= dict(answer.headers).items()
        assert "nonce-" in answer.headers["Content-Security-Policy"]
    assert browser.open("/users", headers={"Accept": "application/json"}).status_code == 503


def test_a_refusal_that_cannot_be_written_down_does_not_pass_for_one(
    browser: Browser, unpropagated: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise sa.exc.TimeoutError("all connections are at work")

    monkeypatch.setattr(audit, "aside", fail)
    assert browser.open("/users/new").status_code == 503


def test_who_is_refused_a_page_is_named_in_the_trail(browser: Browser) -> None:
    assert browser.open("/users/new").status_code == 403
    with db.unit_of_work(read_only=True) as session:
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "refused")).one()
    assert (entry.actor_name, entry.details["path"]) == ("Au Ditor", "/users/new")


def test_being_signed_in_shows_no_record_with_a_place(
    browser: Browser, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def peep() -> Response:
        return Response(str(db.session.scalar(sa.select(sa.func.count(Household.id)))))

    monkeypatch.setitem(app.view_functions, "web.waiting", signed_in(peep))
    assert browser.open("/waiting").text == "0"


def test_what_waits_is_counted_as_it_is(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    papers = [Waiting("none", "/", 0), Waiting("three", "/", 3), Waiting("some", "/")]
    monkeypatch.setattr(desk, "waiting", lambda: papers)
    assert desk.waiting_count() == 4
