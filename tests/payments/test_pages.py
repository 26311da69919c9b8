"""The pages of the payments, as a browser meets them: every page opens, wrong roles and states are refused."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from eligibility.models import Scheme
from mis.db import db
from payments import filing, scheduling
from tests.factories.payments import enrol_many, make_area, make_scheme
from tests.mis.accounts.browsing import Browser
from tests.mis.accounts.people import PASSWORD, make_user
from tests.payments.conftest import Office


@pytest.fixture
def scheme(office: Office) -> Scheme:
    with office.at_work():
        made = make_scheme()
        enrol_many(made, make_area(), 4)
        for name, role in (
            ("officer", "payment_officer"),
            ("approver", "payment_approver"),
            ("auditor", "auditor"),
            ("enroller", "enrolment_officer"),
        ):
            make_user(name, role)
    return made


@pytest.fixture
def browser_of(app: Flask) -> Callable[[str], Browser]:
    def signed_in(name: str) -> Browser:
        browser = Browser(app)
        browser.sign_in(name, PASSWORD)
        return browser

    return signed_in


def version_on(page: Any) -> str:
    found = re.search(r'name="version" value="(\d+)"', page.text)
    assert found, page.text
    return found[1]


def take(browser: Browser, cycle_id: int, step: str, *, page: str = "", **more: str) -> Any:
    seen = browser.open(f"/payments/cycles/{cycle_id}{page}")
    return browser.send(f"/payments/cycles/{cycle_id}/{step}", version=version_on(seen), **more)


def run_jobs() -> None:
    from mis import jobs

    with db.unit_of_work(read_only=True) as session:
        waiting = [one.id for one in session.query(jobs.Job).filter(jobs.Job.status == jobs.QUEUED)]
    for job_id in waiting:
        assert jobs.run(job_id) == jobs.DONE


def test_a_cycle_is_walked_from_its_opening_to_its_closing(
    scheme: Scheme, browser_of: Callable[[str], Browser]
) -> None:
    officer, approver = browser_of("officer"), browser_of("approver")
    assert officer.open("/payments/cycles").status_code == 200
    officer.open("/payments/cycles/new")
    opened = officer.send("/payments/cycles/new", scheme="OAP", month="2026-03")
    assert opened.status_code == 303, opened.text
    assert take(officer, 1, "compute").status_code == 303
    assert officer.open("/payments/cycles/1").status_code == 200
    assert officer.open("/payments/cycles/1/progress").status_code == 200
    run_jobs()
    assert officer.open("/payments/cycles/1/progress").headers["HX-Refresh"] == "true"
    assert take(officer, 1, "submit").status_code == 303
    waiting = approver.open("/waiting")
    assert "/payments/cycles/1/check" in waiting.text
    assert take(approver, 1, "approve", page="/check").status_code == 303
    assert take(officer, 1, "export").status_code == 303
    run_jobs()
    page = officer.open("/payments/cycles/1")
    assert "OAP-202603-C1" in page.text
    file = officer.send("/payments/cycles/1/files/pain001")
    assert file.status_code == 200 and b"pain.001.001.09" in file.data
    file.close()
    references = re.findall(rb"<EndToEndId>(.*?)</EndToEndId>", file.data)
    lines = [f"{reference.decode()},paid," for reference in references[:3]]
    lines += [f"{references[3].decode()},rejected,AC04", "NOBODY-1,paid,"]
    answer = "reference,status,reason\n" + "\n".join(lines)
    officer.open("/payments/cycles/1")
    taken = officer.send("/payments/cycles/1/answers", file=(io.BytesIO(answer.encode()), "answer.csv"))
    assert taken.status_code == 303, taken.text
    run_jobs()
    assert officer.open("/payments/answers/1").status_code == 200
    assert officer.open("/payments/exceptions?cycle=1").status_code == 200
    assert officer.open("/payments/exceptions/1/6").status_code == 200
    assert take(officer, 1, "reconcile").status_code == 303
    refused = take(officer, 1, "close")
    assert refused.status_code == 409 and "Exceptions wait" in refused.text
    officer.open("/payments/exceptions/1/6")
    assert officer.send("/payments/exceptions/1/6/resolve", note="").status_code == 422
    assert officer.send("/payments/exceptions/1/6/resolve", note="Not ours.").status_code == 303
    assert take(officer, 1, "close").status_code == 303
    for path in (
        "/payments/", "/payments/?cycle=1&status=rejected", "/payments/entitlements", "/payments/not-paid",
        "/payments/1", "/payments/4", "/payments/holds", "/payments/accounts", "/", "/search?q=OAP-202603",
    ):  # fmt: skip
        assert officer.open(path).status_code == 200, path
    assert "Account" in officer.open("/payments/4").text
    assert officer.send("/payments/4/again", reason="New account").status_code == 303


def test_who_prepared_a_cycle_cannot_approve_it_and_others_may_not_even_try(
    scheme: Scheme, office: Office, browser_of: Callable[[str], Browser]
) -> None:
    cycle_id = office.open(scheme)
    office.compute(cycle_id)
    office.step(cycle_id, "submit")
    for name in ("officer", "auditor"):
        answer = browser_of(name)
        page = answer.open(f"/payments/cycles/{cycle_id}")
        assert page.status_code == 200
        assert answer.open(f"/payments/cycles/{cycle_id}/check").status_code == 403
        sent = answer.send(f"/payments/cycles/{cycle_id}/approve", version="4")
        assert sent.status_code == 403
    assert browser_of("enroller").open("/payments/cycles").status_code == 403


def test_a_step_in_the_wrong_state_says_what_can_be_done_instead(
    scheme: Scheme, office: Office, browser_of: Callable[[str], Browser]
) -> None:
    cycle_id = office.open(scheme)
    officer = browser_of("officer")
    seen = officer.open(f"/payments/cycles/{cycle_id}")
    sent = officer.send(f"/payments/cycles/{cycle_id}/submit", version=version_on(seen))
    assert sent.status_code == 409
    assert "Compute entitlements" in sent.text


def test_holds_and_accounts_have_their_pages(
    scheme: Scheme, office: Office, browser_of: Callable[[str], Browser]
) -> None:
    from registry.references import PERSON, reference

    officer, enroller = browser_of("officer"), browser_of("enroller")
    person = reference(PERSON, 1)
    assert officer.open(f"/payments/holds/new?person={person}").status_code == 200
    wrong = officer.send("/payments/holds/new", person="P-1", scheme="OAP", reason="Moved")
    assert wrong.status_code == 422
    placed = officer.send("/payments/holds/new", person=person, scheme="OAP", reason="Moved")
    assert placed.status_code == 303, placed.text
    assert officer.open("/payments/holds/1").status_code == 200
    assert officer.open("/payments/holds?state=live").status_code == 200
    assert officer.send("/payments/holds/1/release", reason="Back").status_code == 303
    assert officer.open("/payments/holds/1").status_code == 200
    assert enroller.open("/payments/persons/1/accounts/new").status_code == 200
    bad = enroller.send("/payments/persons/1/accounts/new", kind="iban", number="DE00123", institution="")
    assert bad.status_code == 422 and "IBAN" in bad.text
    good = enroller.send(
        "/payments/persons/1/accounts/new", kind="iban", number="DE89 3704 0044 0532 0130 00", institution=""
    )
    assert good.status_code == 303, good.text
    seen = officer.open("/payments/accounts/1")
    assert seen.status_code == 200 and "0532013000" not in seen.text
    confirmed = officer.send("/payments/accounts/1/confirm", version=version_on(seen))
    assert confirmed.status_code == 303, confirmed.text
    assert "DE89370400440532013000" in officer.send("/payments/accounts/1/reveal", purpose="Call").text
    assert officer.open("/persons/1").status_code in (200, 404)


def test_the_file_on_the_disk_is_the_file_that_was_exported(scheme: Scheme, office: Office) -> None:
    cycle_id = office.exported(scheme)
    with office.at_work():
        cycle = scheduling.get(cycle_id)
        path = filing.fetch(cycle, "csv", to="test")
        first = path.read_bytes()
        path.write_bytes(first + b"x")
        assert filing.fetch(cycle, "csv", to="test").read_bytes() == first
        path.unlink()
        assert filing.fetch(cycle, "csv", to="test").read_bytes() == first


def test_who_works_in_one_area_sees_and_finds_the_payments_of_that_area_only(
    office: Office, browser_of: Callable[[str], Browser]
) -> None:
    with office.at_work():
        country = make_area("XX")
        north, south = make_area("XX1", parent=country), make_area("XX2", parent=country)
        scheme = make_scheme()
        enrol_many(scheme, north, 2)
        enrol_many(scheme, south, 3)
        make_user("local", "auditor", area_id=north.id)
    office.exported(scheme)
    local = browser_of("local")
    assert "Found: 2" in local.open("/payments/").text
    assert "Found: 2" in local.open("/payments/entitlements").text
    assert local.open("/payments/1").status_code == 200
    assert local.open("/payments/5").status_code == 404
    assert local.send("/payments/cycles/1/reconcile", version="1").status_code == 403
