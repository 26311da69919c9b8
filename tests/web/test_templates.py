"""What the macros put on the page: forms that can be used by everybody, lists, steps, and no inline anything."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from lxml import html

from mis.web import shell

from .gallery import TEMPLATES, create_app

pytestmark = pytest.mark.usefixtures("own_menu")

PAGES = (
    "/",
    "/households",
    "/households?none=1",
    "/households/new",
    "/record",
    "/waiting",
    "/search?q=ama",
    "/problem/409",
)


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    app = create_app()
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    with app.test_client() as client:
        yield client


def page(client: FlaskClient, address: str) -> html.HtmlElement:
    return html.fromstring(client.get(address).text)


def refused(client: FlaskClient) -> html.HtmlElement:
    answer = client.post("/households/new", data={"name": "", "members": "many"})
    assert answer.status_code == 422
    return html.fromstring(answer.text)


def templates() -> list[str]:
    return sorted(path.relative_to(TEMPLATES).as_posix() for path in Path(TEMPLATES).rglob("*.html"))


@pytest.mark.parametrize("name", templates())
def test_every_template_parses(name: str, client: FlaskClient) -> None:
    client.application.jinja_env.get_template(name)


@pytest.mark.parametrize("address", PAGES)
def test_no_page_holds_inline_style_or_script(client: FlaskClient, address: str) -> None:
    tree = page(client, address)
    assert not tree.xpath("//@style") and not tree.xpath("//style") and not tree.xpath("//script[not(@src)]")
    assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on")]
    assert not tree.xpath("//@href[starts-with(., 'javascript:')]")


@pytest.mark.parametrize("address", PAGES)
def test_every_id_stands_once_and_every_reference_leads_somewhere(client: FlaskClient, address: str) -> None:
    tree = page(client, address)
    ids = Counter(tree.xpath("//@id"))
    assert [name for name, count in ids.items() if count > 1] == []
    pointed = {
        word
        for name in ("for", "aria-describedby", "aria-labelledby", "form")
        for text in tree.xpath(f"//@{name}")
        for word in text.split()
    }
    anchors = {text[1:] for text in tree.xpath("//@href[starts-with(., '#')]") if len(text) > 1}
    assert (pointed | anchors) - ids.keys() == set()


@pytest.mark.parametrize("address", PAGES)
def test_every_form_that_changes_something_carries_its_token(client: FlaskClient, address: str) -> None:
    for form in page(client, address).xpath("//form[@method='post']"):
        assert form.xpath(".//input[@name='csrf_token']/@value"), html.tostring(form)


@pytest.mark.parametrize("address", PAGES)
def test_every_icon_is_in_the_sprite(client: FlaskClient, address: str) -> None:
    used = {link.rpartition("#")[2] for link in page(client, address).xpath("//use/@href")}
    assert used and used <= shell.icons()


@pytest.mark.parametrize("address", PAGES)
def test_every_page_has_one_heading_and_one_main_part(client: FlaskClient, address: str) -> None:
    tree = page(client, address)
    assert len(tree.xpath("//h1")) == 1 and len(tree.xpath("//main[@id='content']")) == 1
    assert tree.xpath("//title/text()")[0].strip()


def test_a_refused_form_lists_its_errors_with_links_to_the_fields(client: FlaskClient) -> None:
    tree = refused(client)
    links = tree.xpath("//*[@role='alert']//a")
    assert next(link.text_content() for link in links) == "Name of the head: Enter the name."
    for link in links:
        (control,) = tree.xpath(f"//*[@id='{link.attrib['href'][1:]}']")
        assert control.tag in {"input", "select", "textarea"}


def test_a_wrong_field_is_tied_to_its_hint_and_its_error(client: FlaskClient) -> None:
    tree = refused(client)
    (born,) = tree.xpath("//input[@id='born']")
    assert born.attrib["aria-invalid"] == "true"
    assert born.attrib["aria-describedby"] == "born-hint born-error"
    assert tree.xpath("//*[@id='born-error']")[0].text_content().strip() == "Enter the date of birth."
    (street,) = tree.xpath("//input[@id='address-street']")
    assert "aria-invalid" not in street.attrib


def test_a_refused_form_keeps_what_was_typed(client: FlaskClient) -> None:
    (members,) = refused(client).xpath("//input[@id='members']")
    assert members.attrib["value"] == "many"


def test_every_control_has_a_label(client: FlaskClient) -> None:
    for address in PAGES:
        tree = page(client, address)
        labelled = set(tree.xpath("//label/@for"))
        for control in tree.xpath("//input[not(@type='hidden')] | //select | //textarea"):
            inside = control.xpath("ancestor::label")
            assert inside or "aria-label" in control.attrib or control.attrib.get("id") in labelled, (
                address,
                html.tostring(control),
            )


def test_choices_stand_in_a_fieldset_with_their_question(client: FlaskClient) -> None:
    (sex,) = page(client, "/households/new").xpath("//fieldset[@id='sex']")
    assert sex.xpath("legend")[0].text_content().startswith("Sex")
    assert [label.text_content().strip() for label in sex.xpath("label")] == ["Female", "Male"]


def test_a_form_with_a_file_is_sent_whole(client: FlaskClient) -> None:
    (form,) = page(client, "/households/new").xpath("//form[contains(@class, 'entry')]")
    assert form.attrib["enctype"] == "multipart/form-data"
    assert form.attrib["data-keep"] == "/households/new"


def test_a_list_says_how_it_is_sorted_and_turns_at_a_click(client: FlaskClient) -> None:
    tree = page(client, "/households?q=ama")
    (sorted_by,) = tree.xpath("//th[@aria-sort]")
    assert sorted_by.attrib["aria-sort"] == "ascending"
    assert sorted_by.xpath(".//a/@href") == ["/households?q=ama&sort=name&direction=desc"]


def test_a_list_can_be_paged_chosen_from_and_exported(client: FlaskClient) -> None:
    tree = page(client, "/households")
    assert tree.xpath("//a[@rel='next']/@href") == ["?after=20"] and not tree.xpath("//a[@rel='prev']")
    assert len(tree.xpath("//input[@name='ids'][@form='bulk']")) == 20
    exports = tree.xpath("//form[@action='/export']")
    assert [form.attrib["method"] for form in exports] == ["post", "post"]
    assert "Found: 12,345" in tree.text_content()


def test_a_missing_value_is_said_and_not_left_blank(client: FlaskClient) -> None:
    assert page(client, "/households").xpath("//td//*[contains(@class, 'nothing')]")
    assert "not recorded" in page(client, "/record").text_content()


def test_an_empty_list_says_what_to_do(client: FlaskClient) -> None:
    text = page(client, "/households?none=1").text_content()
    assert "Nothing found" in text and "Try fewer filters." in text and "Register a household" in text


def test_a_step_that_is_refused_says_why_and_is_no_button(client: FlaskClient) -> None:
    tree = page(client, "/record")
    assert tree.xpath("//button[@name='step']/@value") == ["approve", "return", "cancel"]
    assert "12 payments have no answer yet." in tree.text_content()


def test_a_step_asks_for_its_reason_and_carries_the_version(client: FlaskClient) -> None:
    tree = page(client, "/record")
    (form,) = tree.xpath("//form[.//button[@value='return']]")
    assert form.xpath(".//textarea[@name='reason'][@required]")
    assert form.xpath(".//input[@name='version']/@value") == ["3"]


def test_a_status_is_said_in_a_word_and_not_only_in_a_colour(client: FlaskClient) -> None:
    for state in page(client, "/households").xpath("//*[contains(@class, 'state ')]"):
        assert state.text_content().strip() and state.xpath(".//use")


def test_a_determination_shows_each_condition_with_what_was_known(client: FlaskClient) -> None:
    rows = page(client, "/record").xpath("//table[contains(@class, 'explain')]/tbody/tr")
    assert [row.xpath("td")[0].text_content().strip() for row in rows] == ["Met", "Not met", "Not known"]
    assert "not known" in rows[2].text_content()


def test_a_chart_can_be_shown_as_a_table(client: FlaskClient) -> None:
    figures = page(client, "/").xpath("//figure")
    assert len(figures) == 4
    for figure in figures:
        assert figure.xpath("svg") and figure.xpath("details//table/tbody/tr")


def test_what_a_person_typed_cannot_become_markup(client: FlaskClient) -> None:
    text = client.get("/search?q=<script>alert(1)</script>").text
    assert "<script>alert" not in text


def test_flash_messages_are_announced(client: FlaskClient) -> None:
    (region,) = page(client, "/record").xpath("//*[@aria-live='polite'][contains(@class, 'messages')]")
    assert "Somebody else has approved this cycle a moment ago." in region.text_content()
