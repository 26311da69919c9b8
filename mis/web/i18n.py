"""Which language a page speaks: the user's choice, else the session's, else the browser's, else English.

Adding a language is adding a folder to ``mis/translations`` and a line to LANGUAGES; nothing else names one.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from flask import Flask, request, session
from flask_babel import Babel, format_datetime, get_locale, gettext, lazy_gettext, refresh
from werkzeug.datastructures import LanguageAccept

from mis.money import Money

LANGUAGES = {"en": "English", "fr": "Français", "ar": "العربية"}
DEFAULT = "en"
SESSION_KEY = "locale"
DAY_FORM, MOMENT_FORM = "d MMM y", "d MMM y, HH:mm"
TRANSLATIONS = Path(__file__).parents[1] / "translations"


def init_app(app: Flask, *, preference: Callable[[], str | None] = lambda: None) -> None:
    """Install flask-babel; ``preference`` answers with the language that the signed-in user keeps, if any."""
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", str(TRANSLATIONS))

    def selector() -> str:
        return choose(preference(), session.get(SESSION_KEY), accept=request.accept_languages)

    Babel(app, default_locale=DEFAULT, locale_selector=selector)
    app.jinja_env.filters.update(number=number, day=day, moment=moment, money=money, words=words)


def choose(*wishes: str | None, accept: LanguageAccept) -> str:
    """The first wish that we can speak, else the best match with what the browser accepts."""
    for wish in wishes:
        if wish in LANGUAGES:
            return wish
    return accept.best_match(LANGUAGES, DEFAULT) or DEFAULT


def remember(language: str) -> None:
    """Keep the language for the rest of the session; an unknown one changes nothing."""
    if language in LANGUAGES:
        session[SESSION_KEY] = language
        refresh()


def current() -> Locale:
    """The locale of this request, or the default one outside of a request (a task, a command)."""
    return get_locale() or Locale.parse(DEFAULT)


def direction(locale: Locale | str) -> str:
    """`rtl` or `ltr`, as the dir attribute of <html> wants it."""
    return Locale.parse(str(locale)).text_direction


def words(text: object) -> str:
    """The words of a table (a step, a role, a category) as the reader says them; what nobody translated stays."""
    return gettext(str(text)) if text else ""


def told(table: Mapping[str, str]) -> list[tuple[str, Any]]:
    """Codes and words of such a table as choices, which speak the language of whoever is offered them."""
    return [(code, lazy_gettext(text)) for code, text in table.items()]


def number(value: int) -> str:
    """A count, grouped as the reader groups digits."""
    return format_decimal(value, locale=current())


def money(value: Money) -> str:
    """An amount as the reader writes it, with its currency."""
    return value.format(current())


def day(value: date) -> str:
    """A day with its month in letters: 11/12 is in November to some readers and in December to others."""
    return format_date(value, format=DAY_FORM, locale=current())


def moment(value: datetime) -> str:
    """A point in time in the time zone of the office (BABEL_DEFAULT_TIMEZONE)."""
    return str(format_datetime(value, format=MOMENT_FORM))
