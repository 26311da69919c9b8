"""Three months of work in the Republic of Sample, done by the real functions, each step by the person whose work it is.

The office opens two months ago; what happened then is dated then. The steps stand in their order at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from mis import calendar
from mis.calendar import Month
from mis.demo import benefits, office, register

Tell = Callable[[float, str], object]


@dataclass
class Country:
    """What the steps hand on to one another. `opening` is the day on which everybody was registered and enrolled."""

    today: date
    households: int
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def months(self) -> tuple[Month, Month, Month]:
        """The two months that were paid, and the one that waits for approval."""
        this = Month.of(self.today)
        return this.plus(-2), this.plus(-1), this

    @property
    def opening(self) -> date:
        """The first day of the first month that is paid."""
        return self.months[0].first_day


def seed(*, households: int, tell: Tell) -> dict[str, int]:
    """Fill an empty database, telling each step with its seconds; returns what was counted."""
    country = Country(calendar.today(), households)
    for step in STEPS:
        began = time.monotonic()
        sentence = step(country)
        tell(time.monotonic() - began, sentence)
    return country.counts


def _areas(country: Country) -> str:
    counts = register.load_areas(day=country.today)
    return f"{counts['added']} areas are loaded."


def _staff(country: Country) -> str:
    areas = register.area_ids()
    count = office.hire(day=country.today, at=calendar.now(), areas=areas)
    return f"{count} people work in the office, in {len({one.role for one in office.STAFF})} roles."


def _roster(country: Country) -> str:
    found = register.bring_roster(
        households=country.households, opening=country.opening, day=country.today, at=calendar.now()
    )
    country.counts |= {"persons": found["accepted"], "refused": found["refused"]}
    return (
        f"{country.households:,} households came as a list: {found['accepted']:,} persons accepted "
        f"by a second officer, {found['refused']} rows refused."
    )


def _rules(country: Country) -> str:
    codes = benefits.publish_rules(day=country.today, at=calendar.now())
    return f"The rules of {len(codes)} schemes are published by a second administrator: {', '.join(codes)}."


STEPS: tuple[Callable[[Country], str], ...] = (_areas, _staff, _roster, _rules)
