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
from mis.db import db
from mis.demo import benefits, complaints, office, paying, register

Tell = Callable[[float, str], object]


@dataclass
class Country:
    """What the steps hand on to one another. `opening` is the day on which everybody was registered and enrolled."""

    today: date
    households: int
    counts: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)

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


def _assessments(country: Country) -> str:
    told = []
    for code in benefits.SCHEMES:
        run_id = benefits.assess(code, on=country.opening, day=country.today, at=calendar.now())
        country.runs[code] = run_id
        found = benefits.figures(run_id)
        country.counts[f"{code} eligible"] = found["eligible"]
        told.append(f"{code} {found['eligible']:,} (not known of {found['undetermined']:,})")
    return f"Everybody is assessed as of {country.opening}. Eligible: {', '.join(told)}."


def _enrolments(country: Country) -> str:
    told = []
    for code, run_id in country.runs.items():
        enrolled = benefits.enrol(run_id, day=country.today)["enrolled"]
        country.counts[f"{code} enrolled"] = enrolled
        told.append(f"{code} {enrolled:,}")
    return f"Enrolled: {', '.join(told)}."


def _accounts(country: Country) -> str:
    count = paying.open_accounts(benefits.PENSION, day=country.today, at=calendar.now())
    return (
        f"{count:,} pensioners have an account that a second person confirmed; the others are paid in cash."
    )


def _paid_cycles(country: Country) -> str:
    told = []
    for month in country.months[:2]:
        paid = paying.pay(benefits.PENSION, month, day=country.today, at=calendar.now())
        told.append(f"{month} {paid.payments:,} payments, {paid.rejected} rejected")
    return f"Two months of the pension are paid and reconciled: {'; '.join(told)}."


def _first_grievance(country: Country) -> str:
    with db.unit_of_work(read_only=True):
        payment_id = paying.rejected(benefits.PENSION, country.months[1])[0]
    complaints.answer_unpaid(payment_id, day=country.today, at=calendar.now())
    return "Somebody who was not paid complained, and is paid again by the next cycle."


def _waiting_cycle(country: Country) -> str:
    held = paying.place_holds(benefits.PENSION, count=3, day=country.today, at=calendar.now())
    paying.compute(benefits.PENSION, country.months[2], day=country.today, at=calendar.now())
    count = paying.submit(benefits.PENSION, country.months[2], day=country.today)
    paying.compute(benefits.CHILD_GRANT, country.months[2], day=country.today, at=calendar.now())
    return f"The pension of {country.months[2]} waits for approval: {count:,} payments, {held} holds."


def _grievances(country: Country) -> str:
    count = complaints.lodge_others(day=country.today, at=calendar.now())
    return f"{count} more grievances are lodged; some are answered, one is late, one is contested."


STEPS: tuple[Callable[[Country], str], ...] = (
    _areas,
    _staff,
    _roster,
    _rules,
    _assessments,
    _enrolments,
    _accounts,
    _paid_cycles,
    _first_grievance,
    _waiting_cycle,
    _grievances,
)
