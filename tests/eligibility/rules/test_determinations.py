"""A determination says what was found about each requirement, from which values, and what is missing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from eligibility.rules import (
    Catalogue,
    Clause,
    Counted,
    Fact,
    Finding,
    Outcome,
    RuleSet,
    Step,
    check,
    evaluate,
    facts_used,
)
from eligibility.rules.ages import completed_years, cutoff, month_cutoff, read_birth_date, year_cutoff
from eligibility.rules.ruleset import BirthDateReading
from tests.eligibility.rules.country import CATALOGUE, checked, ruleset

DAY = date(2026, 7, 15)


def person(**facts: Any) -> dict[str, Any]:
    return {"person": facts, "household": {"members": [facts]}}


OLD_AGE = check(
    RuleSet(
        clauses=[
            Clause("age", "person.age >= param.age", "Is 65 or older.", "Art. 3"),
            Clause("means", "person.income < param.line", "Has little income.", "Art. 4"),
        ],
        parameters={"age": 65, "line": Decimal("500.00")},
        amount="greatest(0, param.line - person.income) / 3",
    ),
    CATALOGUE,
)


def test_who_meets_everything_is_eligible_and_has_an_amount() -> None:
    found = evaluate(OLD_AGE, person(birth_date=date(1961, 7, 15), income=10_000), as_of=DAY)
    assert (found.outcome, found.fail_mask, found.unknown_mask, found.amount_minor) == (
        Outcome.ELIGIBLE,
        0,
        0,
        13_333,
    )
    assert found.failing == ()
    assert found.missing == ()
    assert found.amount is not None
    assert Step("param.line - person.income", Decimal("400.00")) in found.amount.steps


def test_who_fails_is_not_eligible_whatever_is_not_known() -> None:
    found = evaluate(OLD_AGE, person(birth_date=date(1961, 7, 16)), as_of=DAY)
    assert (found.outcome, found.fail_mask, found.unknown_mask) == (Outcome.NOT_ELIGIBLE, 1, 2)
    (reason,) = found.failing
    assert (reason.code, reason.sentence, reason.article) == ("age", "Is 65 or older.", "Art. 3")
    assert {value.name: value.value for value in reason.explanation.values} == {
        "person.birth_date": date(1961, 7, 16),
        "person.age": 64,
    }


def test_a_missing_fact_is_undetermined_and_named() -> None:
    found = evaluate(OLD_AGE, person(birth_date=date(1950, 1, 1)), as_of=DAY)
    assert (found.outcome, found.fail_mask, found.unknown_mask, found.amount_minor) == (
        Outcome.UNDETERMINED,
        0,
        2,
        None,
    )
    assert found.clauses[1].finding == Finding.NOT_KNOWN
    assert [(value.name, value.label) for value in found.missing] == [("person.income", "monthly income")]


def test_an_amount_that_is_not_known_leaves_the_person_undetermined() -> None:
    rules = checked("true", amount="10.00 * household.rooms")
    found = evaluate(rules, person(), as_of=DAY)
    assert (found.outcome, found.fail_mask, found.unknown_mask, found.amount_minor) == (
        Outcome.UNDETERMINED,
        0,
        2,
        None,
    )
    assert [value.name for value in found.missing] == ["household.rooms"]


def test_the_members_that_count_are_shown() -> None:
    members = [{"id": 7, "disability": True}, {"id": 8, "disability": None}, {"id": 9, "disability": False}]
    expression = "household.members.exists(m, m.disability)"
    found = evaluate(
        checked(expression), {"person": members[2], "household": {"members": members}}, as_of=DAY
    )
    explanation = found.clauses[0].explanation
    assert explanation.counted == (Counted(expression, True, (7,), (8,)),)
    assert [(value.name, value.member) for value in explanation.missing] == [("person.disability", 8)]


def test_the_stored_facts_that_a_rule_needs_are_known() -> None:
    needed = facts_used(
        checked("person.adult && household.members.all(m, m.sex == 'F')", amount="household.land > 1 ? 5 : 6")
    )
    assert needed == {"person.birth_date", "person.sex", "household.land"}
    latest = facts_used(checked("person.age > 5", birth_date_reading="latest"))
    assert latest == {"person.birth_date", "person.birth_date_precision"}


@pytest.mark.parametrize(
    ("rounding", "step", "expected"),
    [("half_up", 1, 16_667), ("down", 1, 16_666), ("up", 1, 16_667),
     ("half_up", 100, 16_700), ("down", 5_000, 15_000), ("half_even", 5, 16_665)],
)  # fmt: skip
def test_an_amount_is_rounded_once_as_the_scheme_says(rounding: str, step: int, expected: int) -> None:
    rules = checked("true", amount="500.00 / 3", rounding=rounding, rounding_step_minor=step)
    assert evaluate(rules, person(), as_of=DAY).amount_minor == expected


def test_a_currency_without_decimals_is_paid_in_whole_units() -> None:
    rules = RuleSet([Clause("a", "person.income < 500")], amount="person.income * 0.5")
    yen = check(rules, Catalogue([Fact("person.income", "money", lowest=0)], minor_digits=0))
    assert evaluate(yen, person(income=333), as_of=DAY).amount_minor == 167


def test_a_bare_derived_name_belongs_to_the_person_if_it_asks_about_one() -> None:
    rules = check(
        ruleset(
            "person.double > 5 && household.people == 1",
            derived={"double": "person.schooling * 2", "people": "household.size"},
        ),
        CATALOGUE,
    )
    assert evaluate(rules, person(schooling=3), as_of=DAY).outcome == Outcome.ELIGIBLE


@pytest.mark.parametrize(
    ("birth", "as_of", "years"),
    [
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2008, 2, 28), date(2024, 2, 29), 16),
        (date(2008, 3, 1), date(2024, 2, 29), 15),
        (date(1961, 7, 15), DAY, 65),
        (date(2026, 7, 16), DAY, -1),
    ],
)
def test_an_age_is_exact_on_leap_days(birth: date, as_of: date, years: int) -> None:
    assert completed_years(birth, as_of) == years


def test_a_cutoff_says_the_same_as_the_age_on_every_day() -> None:
    days = [date(2023, 12, 30).fromordinal(date(2023, 12, 30).toordinal() + n) for n in range(430)]
    for as_of in days:
        for years in (1, 18):
            latest = cutoff(as_of, years)
            assert completed_years(latest, as_of) == years
            assert completed_years(latest.fromordinal(latest.toordinal() + 1), as_of) == years - 1


@pytest.mark.parametrize("reading", [BirthDateReading.MIDDLE, BirthDateReading.LATEST])
def test_a_cutoff_of_months_and_years_says_the_same_as_the_reading(reading: BirthDateReading) -> None:
    for ordinal in range(date(2007, 12, 1).toordinal(), date(2009, 2, 1).toordinal()):
        latest = date.fromordinal(ordinal)
        for year in (2007, 2008, 2009):
            stored = date(year, 1, 1)
            assert (stored <= year_cutoff(latest, reading)) == (
                read_birth_date(stored, "year", reading) <= latest
            )
            for month in range(1, 13):
                stored = date(year, month, 1)
                within = read_birth_date(stored, "month", reading) <= latest
                assert (stored <= month_cutoff(latest, reading)) == within


def test_a_year_of_birth_is_read_as_the_scheme_says() -> None:
    facts = person(birth_date=date(1961, 1, 1), birth_date_precision="year")
    outcomes = {
        reading: evaluate(checked("person.age >= 65", birth_date_reading=reading), facts, as_of=DAY).outcome
        for reading in ("earliest", "middle", "latest")
    }
    assert outcomes == {"earliest": "eligible", "middle": "eligible", "latest": "not_eligible"}
