"""The shell speaks English, French and Arabic, in full."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import session
from flask.testing import FlaskClient
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from mis.web import i18n

from .gallery import create_app

pytestmark = pytest.mark.usefixtures("own_menu")

WEB = Path(i18n.__file__).parent
TRANSLATED = sorted(set(i18n.LANGUAGES) - {i18n.DEFAULT})
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None}
# What stands on every page; the sentences of the rooms fall back to English until somebody translates them.
FRAME = (
    "layout",
    "base",
    "bare",
    "brand",
    "user_menu",
    "home",
    "waiting",
    "search",
    "errors/problem",
    "macros/*",
)
SHELL = [(f"templates/{name}.html", "jinja2") for name in FRAME] + [
    (f"{name}.py", "python") for name in ("shell", "looks", "charts", "forms", "listing", "problems")
]


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    with create_app().test_client() as client:
        yield client


def catalogue(language: str) -> Catalog:
    with (i18n.TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def sentences() -> set[str]:
    found = extract_from_dir(str(WEB), method_map=SHELL, keywords=KEYWORDS)
    return {message for _file, _line, message, _comments, _context in found if isinstance(message, str)}


def test_the_shell_has_sentences_to_translate() -> None:
    assert {"Skip to the content", "Suspended", "Grievances", "Nothing to show."} <= sentences()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_of_the_shell_is_translated(language: str) -> None:
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
