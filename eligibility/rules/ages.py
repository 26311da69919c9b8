"""Ages as of a day, exact on leap days, and the birth dates that have completed so many years by it."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from eligibility.rules.ruleset import BirthDateReading

# Beyond these an age is no question about people, and a cut-off could leave the calendar.
REWRITTEN_YEARS = range(151)
PRECISIONS = ("day", "month", "year")


def completed_years(birth: date, as_of: date) -> int:
    """Somebody born on 29 February completes a year on 1 March in common years."""
    return as_of.year - birth.year - ((as_of.month, as_of.day) < (birth.month, birth.day))


def read_birth_date(stored: date, precision: str | None, reading: BirthDateReading) -> date:
    """The day taken as the birth date: of "1950" the first, the middle (1 July, the 15th) or the last day."""
    if precision in (None, "day") or reading == BirthDateReading.EARLIEST:
        return stored
    assert precision in PRECISIONS, precision
    if precision == "month":
        last = monthrange(stored.year, stored.month)[1]
        return stored.replace(day=15 if reading == BirthDateReading.MIDDLE else last)
    return date(stored.year, 7, 1) if reading == BirthDateReading.MIDDLE else date(stored.year, 12, 31)


def cutoff(as_of: date, years: int) -> date:
    """The last birth date of those who have completed the years: age >= years is birth_date <= cutoff."""
    year = as_of.year - years
    # As of 29 February: born on the 28th is old enough, born on 1 March is not, and a common year has nobody between.
    return as_of.replace(year=year, day=min(as_of.day, monthrange(year, as_of.month)[1]))


def month_cutoff(latest: date, reading: BirthDateReading) -> date:
    """The last stored date of precision month whose reading is not after `latest`."""
    needed = 15 if reading == BirthDateReading.MIDDLE else monthrange(latest.year, latest.month)[1]
    if latest.day >= needed:
        return latest.replace(day=monthrange(latest.year, latest.month)[1])
    return latest.replace(day=1) - timedelta(days=1)


def year_cutoff(latest: date, reading: BirthDateReading) -> date:
    """The last stored date of precision year whose reading is not after `latest`."""
    needed = (7, 1) if reading == BirthDateReading.MIDDLE else (12, 31)
    reached = (latest.month, latest.day) >= needed
    return date(latest.year if reached else latest.year - 1, 12, 31)
