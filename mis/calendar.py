"""The only clock, months as values, and working days.

`today()` and `now()` are called by views, tasks and commands; domain functions take `day` or `at`, so that every
decision can be taken again as of any day.
"""

from __future__ import annotations

import calendar as _calendar
import re
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import holidays

from mis.errors import Invalid


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """This day, in UTC: one day for the whole country, whatever machine asks."""
    return now().date()


def parse_date(text: str, *, field: str | None = None) -> date:
    """The day written as YYYY-MM-DD. Raises Invalid with the field for anything else."""
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip()):
            raise ValueError
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(
            f"“{text}” is not a date. Write it as year-month-day, such as 1998-07-01.", field=field
        ) from None


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month, the period of a payment cycle, written YYYY-MM."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str, *, field: str | None = None) -> Month:
        """Read YYYY-MM. Raises Invalid with the field for anything else."""
        match = re.fullmatch(r"(\d{4})-(\d{2})", text.strip())
        if not match or not 1 <= int(match[2]) <= 12 or not 1900 <= int(match[1]) < 9999:
            raise Invalid(f"“{text}” is not a month. Write it as year-month, such as 1998-07.", field=field)
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Month:
        """The month a day lies in."""
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        """The first day of the month."""
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        """The last day of the month."""
        return date(self.year, self.number, _calendar.monthrange(self.year, self.number)[1])

    def plus(self, months: int) -> Month:
        """The month so many months later (earlier if negative)."""
        index = self.year * 12 + self.number - 1 + months
        return Month(index // 12, index % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


def public_holidays(country: str) -> Container[date]:
    """The public holidays of a country (ISO 3166 code); XX, which is nobody's code, has none."""
    return holidays.country_holidays(country) if country != "XX" else frozenset()


def add_working_days(
    day: date, count: int, *, closed: Container[date] = (), weekend: tuple[int, ...] = (5, 6)
) -> date:
    """The day `count` working days after `day`, stepping over weekends (Monday is 0) and closed days."""
    assert count >= 0 and len(set(weekend)) < 7, (count, weekend)
    while count:
        day += timedelta(days=1)
        if day.weekday() not in weekend and day not in closed:
            count -= 1
    return day


def midnight(day: date) -> datetime:
    """The moment, in UTC, at which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
