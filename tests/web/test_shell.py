"""The frame around every page."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from lxml import html

from mis import access
from mis.web import shell

from .gallery import create_app

pytestmark = pytest.mark.usefixtures("own_menu")


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    with create_app().test_client() as client:
        yield client


def page(client: FlaskClient, address: str, **headers: str) -> html.HtmlElement:
    return html.fromstring(client.get(address, headers=headers).text)


def menu(tree: html.HtmlElement) -> list[str]:
    return [link.text_content().strip() for link in tree.xpath("//aside//nav//a")]


def test_the_menu_shows_what_this_user_may_open(client: FlaskClient) -> None:
    assert menu(page(client, "/")) == [
        "Home",
        "Waiting for me",
        "Households",
        "Register a household",
        "Cycles",
    ]


def test_nobody_signed_in_sees_no_menu_and_no_search() -> None:
    tree = page(create_app(user=None).test_client(), "/")
    assert menu(tree) == [] and not tree.xpath("//*[@id='search']")


def test_a_page_belongs_to_the_item_with_the_longest_common_address(client: FlaskClient) -> None:
    def active(address: str) -> list[str]:
        return [
            link.text_content().strip() for link in page(client, address).xpath("//aside//*[@aria-current]")
        ]

    assert active("/households") == ["Households"]
    assert active("/households/new") == ["Register a household"]
    assert active("/search") == []


def test_an_item_that_leads_nowhere_stops_the_start() -> None:
    shell.register_menu("payments", "Lost", "payments.lost", "cash", None, 1)
    with pytest.raises(AssertionError, match=r"payments\.lost"):
        create_app()


def test_an_item_needs_a_known_section_and_a_known_icon() -> None:
    with pytest.raises(AssertionError, match="cellar"):
        shell.register_menu("cellar", "Lost", "home", "cash", None, 1)
    with pytest.raises(AssertionError, match="unicorn"):
        shell.register_menu("payments", "Lost", "home", "unicorn", None, 1)


def test_a_static_file_has_an_address_that_changes_with_its_content(client: FlaskClient) -> None:
    (script,) = page(client, "/").xpath("//script[contains(@src, 'mis.js')]")
    assert "v=" in script.attrib["src"]
    with client.get(script.attrib["src"]) as answer:
        assert answer.status_code == 200


def test_every_script_carries_the_nonce_that_the_policy_announces(client: FlaskClient) -> None:
    response = client.get("/")
    nonces = {str(script.attrib["nonce"]) for script in html.fromstring(response.text).iter("script")}
    assert len(nonces) == 1
    assert f"'nonce-{nonces.pop()}'" in response.headers["Content-Security-Policy"]


def test_a_broken_system_shows_a_page_without_menu(client: FlaskClient) -> None:
    for status, framed in ((403, True), (409, True), (418, True), (500, False), (503, False)):
        tree = page(client, f"/problem/{status}")
        assert bool(tree.xpath("//aside")) is framed, status
        assert "ab12cd34" in tree.text_content() and "Open a new cycle." in tree.text_content()


def test_a_broken_system_asks_neither_for_the_menu_nor_for_what_waits() -> None:
    app = create_app()
    frame = shell.Frame(_fails, _fails_too, _fails_too)  # type: ignore[arg-type]
    with app.test_request_context():
        assert "h1" in app.jinja_env.get_template("errors/problem.html").render(
            status=503, frame=frame, locale="en", direction="ltr", release=""
        )


def _fails(permission: str) -> bool:
    raise AssertionError(permission)


def _fails_too() -> int:
    raise AssertionError


def test_a_new_order_starts_at_the_first_page_and_keeps_the_filters() -> None:
    app = create_app()
    with app.test_request_context("/households?q=ama&after=abc&sort=name"):
        assert shell.address(sort="area") == "/households?q=ama&sort=area"


def test_a_way_is_shown_only_to_whom_the_page_is_open() -> None:
    app = create_app()
    app.view_functions["closed"] = access.requires("payments:cycle:read")(lambda: "")
    app.add_url_rule("/closed", "closed")
    with app.test_request_context():
        assert shell.way("closed", may=lambda _permission: False) is None
        assert shell.way("closed", may=lambda permission: permission == "payments:cycle:read") == "/closed"
