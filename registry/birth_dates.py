"""A birth date is known to the day, the month or the year; what is not known is never made up.

It is stored as the first day of what is known, with its precision: 1933-01-01 and `year` mean “in 1933”.
"""

from __future__ import annotations

import re
from datetime import date

from mis.errors import Invalid

# The longest human life on record is 122 years; beyond this a year is a slip of the pen.
OLDEST_YEARS = 130

BirthDate = tuple[date, str]
_SHAPE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


def parse(text: str, *, day: date, field: str | None = "birth_date") -> BirthDate:
    """First day and precision of `1933`, `1933-05` or `1933-05-12`, not after `day`. Raises Invalid with the field."""
    born, precision = read(text, field=field)
    check(born, day=day, field=field)
    return born, precision


def read(text: str, *, field: str | None = "birth_date") -> BirthDate:
    """As `parse`, whatever the day. Raises Invalid with the field for what is no date."""
    match = _SHAPE.fullmatch(text.strip())
    try:
        if not match:
            raise ValueError
        year, month, number = match.groups()
        born = date(int(year), int(month or 1), int(number or 1))
    except ValueError:
        raise Invalid(
            f"“{text.strip()[:40]}” is not a birth date. Write what is known: 1933, 1933-05 or 1933-05-12.",
            field=field,
        ) from None
    return born, "day" if number else "month" if month else "year"


def check(born: date, *, day: date, field: str | None = "birth_date") -> None:
    """Refuse a birth after `day`, or longer ago than anybody lives."""
    if born > day:
        raise Invalid(f"A birth in the future ({born}) is not possible.", field=field)
    if day.year - born.year > OLDEST_YEARS:
        raise Invalid(f"A birth in {born.year} is more than {OLDEST_YEARS} years ago.", field=field)


def written(born: date | None, precision: str | None) -> str:
    """What is known, as `parse` reads it; empty if nothing is."""
    if born is None:
        return ""
    return born.isoformat()[: {"year": 4, "month": 7}.get(precision or "day", 10)]


def year_for_age(age: int, *, on: date) -> BirthDate:
    """The birth year that an age in completed years implies: 68 in 1998 is 1930."""
    return date(on.year - age, 1, 1), "year"


def age(born: date | None, *, on: date) -> int | None:
    """Completed years on a day, reading what is not known as the first day of it; None before or without a birth."""
    if born is None or born > on:
        return None
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def born_by(years: int, *, on: date) -> date:
    """The last birth date of those who have completed so many years on a day; 29 February counts from 1 March."""
    year = on.year - years
    if (on.month, on.day) == (2, 29) and not _is_leap(year):
        return date(year, 2, 28)
    return date(year, on.month, on.day)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
