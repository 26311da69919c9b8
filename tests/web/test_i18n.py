"""The product speaks English, French and Arabic, in full."""

import io
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import session
from flask.testing import FlaskClient
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from mis.web import i18n

from .gallery import create_app

pytestmark = pytest.mark.usefixtures("own_menu")

TOP = Path(__file__).parents[2]
PARTS = ("mis", "registry", "eligibility", "payments", "grievances", "config")
TRANSLATED = sorted(set(i18n.LANGUAGES) - {i18n.DEFAULT})
KEYWORDS = DEFAULT_KEYWORDS | {"_l": None, "lazy_gettext": None}


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    with create_app().test_client() as client:
        yield client


def catalogue(language: str) -> Catalog:
    with (i18n.TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@cache
def sentences() -> frozenset[str]:
    """Every sentence that somebody may read, of every room, found as the three commands find it."""
    with (i18n.TRANSLATIONS / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = (
        extract_from_dir(str(TOP / part), method_map=methods, options_map=options, keywords=KEYWORDS)
        for part in PARTS
    )
    return frozenset(str(message) for _file, _line, message, _comments, _context in chain(*found) if message)


@pytest.mark.parametrize(
    "sentence",
    [
        "Skip to the content",
        "Suspended",
        "Register a household",
        "The number is recorded.",
        "Waiting for approval",  # a status of a lifecycle
        "Export instructions",  # a step, and a kind of background work
        "The household has no head, or several",  # why a row is refused
        "Payment approver",  # a role of the configuration
        "By telephone",  # a channel of the configuration
    ],
)
def test_the_sentences_of_every_room_are_found(sentence: str) -> None:
    assert sentence in sentences()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated(language: str) -> None:
    known = {message.id for message in catalogue(language) if message.string and not message.fuzzy}
    assert sentences() - known == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_names_the_same_values_as_its_sentence(language: str) -> None:
    for message in catalogue(language):
        assert not list(message.check(catalogue(language))), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogues_are_up_to_date(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    committed = i18n.TRANSLATIONS / language / "LC_MESSAGES" / "messages.mo"
    assert committed.read_bytes() == compiled.getvalue(), "run pybabel compile -d mis/translations"


@pytest.mark.parametrize(
    ("wishes", "browser", "spoken"),
    [
        (("fr", "ar"), "en", "fr"),
        ((None, "ar"), "en", "ar"),
        ((None, "xx"), "fr-CA,fr;q=0.9,en;q=0.5", "fr"),
        ((None, None), "ar", "ar"),
        ((None, None), "sw,lg;q=0.8", "en"),
        ((None, None), "", "en"),
    ],
)
def test_the_users_choice_comes_first_then_the_session_then_the_browser(
    wishes: tuple[str | None, ...], browser: str, spoken: str
) -> None:
    assert i18n.choose(*wishes, accept=parse_accept_header(browser, LanguageAccept)) == spoken


def test_an_arabic_page_reads_from_right_to_left_with_its_own_sheet(client: FlaskClient) -> None:
    text = client.get("/", headers={"Accept-Language": "ar"}).text
    assert '<html lang="ar" dir="rtl">' in text
    assert "tabler.rtl.min.css" in text and "الانتقال إلى المحتوى" in text


def test_a_chosen_language_holds_for_the_session(client: FlaskClient) -> None:
    app = client.application
    app.config["WTF_CSRF_ENABLED"] = False
    answer = client.post("/language", data={"language": "fr", "next": "/"}, follow_redirects=True)
    assert "Aller au contenu" in answer.text
    assert session[i18n.SESSION_KEY] == "fr"
    assert (
        "Aller au contenu"
        in client.post("/language", data={"language": "xx", "next": "/"}, follow_redirects=True).text
    )


def test_every_language_can_be_chosen_in_its_own_name(client: FlaskClient) -> None:
    text = client.get("/").text
    for name in i18n.LANGUAGES.values():
        assert name in text


def test_outside_of_a_request_the_default_language_is_spoken() -> None:
    assert i18n.number(1234567) == "1,234,567"
