"""The shell in a real Chromium: nothing breaks the policy, everybody can use it, and typed input survives."""

from collections.abc import Iterator
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from tests import chromium

from .gallery import create_app

PAGES = ("/", "/households", "/households/new", "/record", "/search?q=ama", "/problem/409", "/problem/500")

pytestmark = chromium.marks
browser = chromium.browser


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The gallery, served on a free port."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mis.web.shell._items", {})
        patch.setattr("mis.web.shell._doors", {})
        server = make_server("127.0.0.1", 0, create_app(), threaded=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with browser.new_context(base_url=address, locale="en") as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        assert [
            text for text in complaints if "Failed to load resource: the server responded" not in text
        ] == []


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_page_is_accessible_and_fits_a_phone(
    browser: Browser, address: str, language: str, colours: str
) -> None:
    # The checker is a script of its own, which the policy would refuse.
    with browser.new_context(
        base_url=address,
        locale=language,
        color_scheme="dark" if colours == "dark" else "light",
        viewport={"width": 390, "height": 844},
        bypass_csp=True,
    ) as context:
        page = context.new_page()
        for path in PAGES:
            page.goto(path)
            assert chromium.violations(page) == [], path
            assert chromium.fits(page), path


def test_no_page_breaks_the_policy(page: Page) -> None:
    for path in PAGES:
        page.goto(path)


def test_a_fragment_replaces_itself_without_breaking_the_policy(page: Page) -> None:
    page.goto("/record")
    expect(page.locator("#live")).to_have_text("all parts done")


def test_the_slash_goes_to_the_search_but_not_while_typing(page: Page) -> None:
    page.goto("/households/new")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.locator("#name").press("/")
    expect(page.locator("#name")).to_have_value("/")


def test_the_first_tab_offers_to_skip_the_menu(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_typed_input_comes_back_after_the_page_was_left(page: Page) -> None:
    page.goto("/households/new")
    page.fill("#name", "Amara")
    page.check("#sex-1")
    page.goto("/problem/500")
    page.goto("/households/new")
    expect(page.locator("#name")).to_have_value("Amara")
    expect(page.locator("#sex-1")).to_be_checked()
    expect(page.locator("[data-restored]")).to_be_visible()


def test_typed_input_of_a_form_that_was_taken_does_not_come_back(page: Page) -> None:
    page.goto("/households/new")
    for field, value in {"#name": "Amara", "#born": "1980-01-02", "#members": "3"}.items():
        page.fill(field, value)
    page.check("#sex-0")
    page.click("button:text-is('Save')")
    expect(page.locator(".messages")).to_contain_text("The household is registered.")
    page.goto("/households/new")
    expect(page.locator("#name")).to_have_value("")


def test_typed_input_is_gone_after_signing_out(page: Page) -> None:
    page.goto("/households/new")
    page.fill("#name", "Amara")
    page.click(".user-menu summary")
    page.click("text=Sign out")
    page.goto("/households/new")
    expect(page.locator("#name")).to_have_value("")


def test_errors_take_the_focus_and_lead_to_their_field(page: Page) -> None:
    page.goto("/households/new")
    page.click("button:text-is('Save')")
    expect(page.locator(".error-summary")).to_be_focused()
    page.click(".error-summary a >> nth=0")
    expect(page.locator("#name")).to_be_focused()


def test_a_question_is_asked_and_no_means_no(page: Page) -> None:
    page.goto("/record")
    page.click("text=Stop")
    expect(page.locator("dialog")).to_contain_text("Stop the computation?")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).not_to_be_visible()
    assert "stop by" not in page.locator(".messages").inner_text()
    page.click("text=Stop")
    page.click("[data-yes]")
    expect(page.locator(".messages")).to_contain_text("stop by")


def test_rows_are_chosen_together(page: Page) -> None:
    page.goto("/households")
    expect(page.locator("[data-bulk] button")).to_be_disabled()
    page.check("[data-choose-all]")
    expect(page.locator("[data-chosen]")).to_contain_text("20")
    expect(page.locator("[data-bulk] button")).to_be_enabled()


def test_the_colours_are_remembered(page: Page) -> None:
    page.goto("/")
    page.click(".user-menu summary")
    page.click("[data-theme-choice=dark]")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_menu_opens_on_a_phone_even_without_a_script(browser: Browser, address: str) -> None:
    with browser.new_context(
        base_url=address, viewport={"width": 390, "height": 844}, java_script_enabled=False
    ) as context:
        page = context.new_page()
        page.goto("/")
        page.click("a[href='#menu']")
        expect(page.locator(".side nav")).to_be_visible()
        page.click(".side nav >> text=Households")
        expect(page.locator("h1")).to_have_text("Households")
