"""The demo in a real Chromium: pages that everybody can use, and one way through all rooms, with the keyboard."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from mis.demo import office
from mis.demo.office import Colleague
from tests import chromium
from tests.browser.conftest import SignedIn

pytestmark = [*chromium.marks, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}
# Whose work it is, and the pages that he or she has open most of the day.
PAGES: dict[str, tuple[Colleague, tuple[str, ...]]] = {
    "registry": (
        office.REGISTRAR,
        (
            "/", "/registry/persons", "/registry/persons/1", "/registry/households", "/registry/households/1",
            "/registry/households/new", "/registry/imports", "/registry/imports/1", "/registry/imports/new",
            "/registry/areas",
        ),
    ),
    "eligibility": (
        office.DRAFTER,
        (
            "/", "/eligibility/schemes", "/eligibility/schemes/OAP", "/eligibility/schemes/draft",
            "/eligibility/runs", "/eligibility/runs/1", "/eligibility/decisions", "/eligibility/enrolments",
            "/eligibility/enrolments/1",
        ),
    ),
    "payments": (
        office.PAYER,
        (
            "/", "/payments/cycles", "/payments/cycles/1", "/payments/cycles/3", "/payments/", "/payments/1",
            "/payments/not-paid", "/payments/exceptions", "/payments/holds", "/payments/holds/new",
            "/payments/accounts", "/payments/accounts/1",
        ),
    ),
    "grievances": (
        office.CASEWORKER,
        ("/", "/waiting", "/grievances/", "/grievances/1", "/grievances/lodge", "/grievances/1/letter"),
    ),
    "approval": (office.APPROVER, ("/", "/payments/cycles/3/check")),
    "oversight": (office.AUDITOR, ("/", "/audit/", "/audit/entries/1", "/jobs/", "/jobs/1")),
    "administration": (office.ADMINISTRATOR, ("/", "/users", "/users/2", "/users/new", "/account")),
}  # fmt: skip

LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark on a phone": {"color_scheme": "dark", "viewport": PHONE},
    "right to left on a phone": {"locale": "ar", "viewport": PHONE},
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("room", PAGES)
def test_the_main_pages_can_be_used_by_everybody(signed_in: SignedIn, room: str, look: str):
    colleague, paths = PAGES[room]
    problems = []
    # The checker is a script of its own, which the policy would refuse.
    with signed_in(colleague, bypass_csp=True, **LOOKS[look]) as page:
        for path in paths:
            answer = page.goto(path)
            if answer is None or answer.status != 200:
                problems.append((path, "answered", answer and answer.status))
                continue
            problems += [(path, *one) for one in chromium.violations(page)]
            if not chromium.fits(page):
                problems.append((path, "is wider than the screen", None))
    assert problems == []


def test_no_main_page_breaks_the_policy(signed_in: SignedIn):
    for colleague, paths in PAGES.values():
        with signed_in(colleague) as page:
            complaints: list[str] = []
            page.on("console", lambda message, told=complaints: told.append(message.text))
            for path in paths:
                page.goto(path)
            assert [text for text in complaints if "Policy" in text] == []


def press(page: Page, words: str) -> None:
    """Press a button from the keyboard."""
    button = page.get_by_role("button", name=words, exact=True)
    button.focus()
    page.keyboard.press("Enter")


def test_a_cycle_is_approved_exported_and_a_household_registered_in_a_real_browser(signed_in: SignedIn):
    with signed_in(office.APPROVER) as page:
        page.get_by_role("link", name=re.compile("approv", re.I)).first.click()
        page.goto("/payments/cycles/3/check")
        press(page, "Approve")
        expect(page.locator(".messages")).to_contain_text("approved")
    with signed_in(office.PAYER) as page:
        page.goto("/payments/cycles/3")
        press(page, "Export instructions")
        # The worker makes the instructions; the page looks for itself and shows the files when they are there.
        with page.expect_download() as download:
            page.get_by_role("button", name="List (CSV)").click(timeout=60_000)
        assert download.value.suggested_filename.startswith("OAP-")
    with signed_in(office.REGISTRAR) as page:
        page.keyboard.press("/")
        expect(page.locator("#search")).to_be_focused()
        page.keyboard.type("Finch")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_contain_text("Finch")
