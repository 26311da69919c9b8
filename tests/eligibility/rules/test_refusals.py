"""What is wrong with a rule is said in a sentence, with its place and what was probably meant."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.rules import Catalogue, Clause, Fact, RuleError, RuleSet, check, parse
from tests.eligibility.rules.country import CATALOGUE, checked

CASES = [
    # text, column, part of the message, part of the hint
    ("household.sise > 1", 1, "no fact household.sise", "household.size"),
    ("houshold.size > 1", 1, "no “houshold”", "household"),
    ("true && person.incom < 5", 9, "no fact person.incom", "person.income"),
    ("household.members.exists(m, m.disabled)", 29, "no fact m.disabled", "m.disability"),
    ("person.income < param.povrty_line", 17, "no parameter", "param.poverty_line"),
    ("age >= 65", 1, "no “age”", "person.age"),
    ("person.sex == 'X'", 1, "never 'X'", "F, M"),
    ("person.age = 65", 12, "cannot stand here", "=="),
    ("person.disability and true", 19, "cannot stand here", "&&"),
    ("person.age ≥ 65", 12, "cannot stand here", ">="),
    ("person.sex == “F”", 15, "cannot stand here", "straight"),
    ("person.age >= '65'", 1, "A number is compared with a text", ""),
    ("person.birth_date < '2000-01-01'", 1, "A date is compared with a text", 'date("'),
    ("person.sex < 'M'", 1, "orders numbers and dates only", "=="),
    ("person.age", 1, "A condition is expected", "Compare"),
    ("person.disability + 1 > 0", 1, "not a number", ""),
    ("person.income * person.income > 0", 1, "cannot be multiplied", ""),
    ("person.income / 3 + 1 > 0", 1, "quotient", "div_round"),
    ("person.income / 0 > 1", 1, "divides by zero", ""),
    ("1 % 0 == 1", 1, "divides by zero", ""),
    ("null", 1, "null can only be compared", "has"),
    ("person.age < null", 1, "null can only be compared", ""),
    ("person.age in []", 15, "empty list", ""),
    ("person.age in param.age_pension", 15, "list is expected", ""),
    ("param.regions == 'N'", 1, "is a list", "in param.list"),
    ("household.members", 1, "is a list", "exists"),
    ("household.members.map(m, m.age)", 1, "no .map()", ""),
    ("household.members.exist(m, m.disability)", 1, "no .exist()", ".exists(m"),
    ("household.members.filter(m, m.disability)", 1, "gives a list", "count"),
    ("household.members.exists(person, true)", 26, "already means", ""),
    ("household.members.exists(m.x, true)", 1, "takes a name", ""),
    ("household.members.all(a, household.members.all(b, household.members.all(c, true)))", 51, "nested", "derived"),
    ("household.members.all(a, household.members.all(b, a.age > b.age && b.age > person.age))", 26, "two other", ""),
    ("now() > as_of", 1, "no function now()", ""),
    ('person.birth_date < date("2026-02-30")', 26, "not a date", "2026-01-31"),
    ("1u == 1", 2, "followed by “u”", ""),
    ("'a' == \"b", 8, "cannot stand here", "not closed"),
    ("'\\u0000' == 'a'", 1, "U+0000", ""),
    ("'\\q' == 'a'", 1, "not an escape", ""),
    ("{'a': 1}", 1, "cannot stand here", "Maps"),
    ("true; true", 5, "cannot stand here", "one expression"),
    ("if (true)", 1, "reserved", ""),
    ("", 1, "empty", ""),
    ("true &&", 8, "ends too early", ""),
    ("(true", 6, "“)” is missing", ""),
    ("table.region_scor['N'] > 1", 1, "no table.region_scor", "region_score"),
    ("table.region_score[1] > 1", 20, "another type", ""),
    ("person.sex.size() > 1", 1, "Only household.members", ""),
    ("div_round(1, 3, 9) == 1", 17, "from 0 to 6", ""),
    ("household.members.sum(m, m.income / 3) > 1", 26, "needs number", "div_round"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column", "message", "hint"), CASES)
def test_a_mistake_is_refused_with_its_place_and_a_hint(
    text: str, column: int, message: str, hint: str
) -> None:
    with pytest.raises(RuleError) as refused:
        checked(text)
    refusal = refused.value
    assert (refusal.line, refusal.column) == (1, column)
    assert message in refusal.message
    assert hint in (refusal.hint or "")
    assert refusal.caret().splitlines()[-1].endswith("^")
    assert str(refusal).startswith(f"clause c0, line 1, column {column}: ")


def test_the_place_counts_lines() -> None:
    with pytest.raises(RuleError) as refused:
        checked("person.age >= 65\n  && person.agee < 70")
    assert (refused.value.line, refused.value.column) == (2, 6)
    assert refused.value.caret() == "  && person.agee < 70\n     ^"


@pytest.mark.parametrize(
    "text",
    [
        "true" + " || true" * 20_000,
        "true" + "||true" * 400,
        "(" * 51 + "true" + ")" * 51,
        "!" * 51 + "true",
        "1" + "+1" * 1_500 + " > 0",
        "person.age in [" + ",".join("1" * 201) + "]",
        "person.income > " + "9" * 19,
        "person.income > 1e18",
        "person.income > 1e-19",
    ],
)
def test_what_nobody_can_read_is_refused_and_does_not_crash(text: str) -> None:
    with pytest.raises(RuleError):
        checked(text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("()[]!&|=<>+-*/%?:.,'\"\\ am19_éin\n")) | st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(RuleError):
        parse(text)


def test_numbers_that_could_overflow_are_refused() -> None:
    with pytest.raises(RuleError, match="18 digits"):
        checked("person.income * person.schooling * 1000000 * 1000000 > 1")
    with pytest.raises(RuleError, match="18 digits"):
        checked("person.income / household.land < person.income / household.land")


def test_derived_facts_may_not_go_in_a_circle() -> None:
    circle = {"household.a": "household.b + 1", "household.b": "household.a + 1"}
    with pytest.raises(RuleError, match=r"circle: household.a → household.b → household.a"):
        checked("true", derived=circle)


def test_derived_facts_may_not_explode() -> None:
    doubling = {f"household.d{n}": f"household.d{n - 1} % 7 + household.d{n - 1} % 7" for n in range(1, 40)}
    with pytest.raises(RuleError, match="too large"):
        checked("true", derived={"household.d0": "household.rooms", **doubling})


def test_a_derived_fact_of_the_household_asks_about_nobody_in_particular() -> None:
    with pytest.raises(RuleError, match="cannot ask about one person"):
        checked("true", derived={"household.x": "person.age > 1"})


def test_a_mistake_in_a_derived_fact_is_found_though_nobody_uses_it() -> None:
    with pytest.raises(RuleError, match=r"household.x, line 1, column 1: There is no fact household.rums"):
        checked("true", derived={"household.x": "household.rums + 1"})


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (RuleSet([]), "at least one clause"),
        (RuleSet([Clause(str(n), "true") for n in range(61)]), "at most 60"),
        (RuleSet([Clause("a", "true"), Clause("a", "true")]), "“a” stands for two"),
        (RuleSet([Clause("a", "true")], rounding="nearest"), "rounding is one of"),
        (RuleSet([Clause("a", "true")], rounding_step_minor=0), "rounding step"),
        (RuleSet([Clause("a", "true")], birth_date_reading="first"), "birth date is read"),
        (RuleSet([Clause("a", "true")], parameters={"x": 0.1}), "exact Decimal"),  # type: ignore[dict-item]
        (RuleSet([Clause("a", "true")], parameters={"x": []}), "empty"),
        (RuleSet([Clause("a", "true")], derived={"person.age": "1"}), "already a fact"),
        (RuleSet([Clause("a", "true")], tables={"t": {"a": 1, "b": "x"}}), "mixes types"),
        (RuleSet([Clause("a", "true")], amount="person.sex"), "not a number"),
        (RuleSet([Clause("a", "true")], amount="person.income - 5"), "below zero"),
    ],
)
def test_an_outline_that_makes_no_sense_is_refused(rules: RuleSet, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        check(rules, CATALOGUE)


def test_sixty_clauses_and_an_amount_fit_the_masks() -> None:
    rules = RuleSet([Clause(str(n), "person.age > 1") for n in range(60)], amount="1")
    assert check(rules, CATALOGUE).amount_bit == 1 << 60


def test_a_parameter_is_exact() -> None:
    catalogue = Catalogue([Fact("person.income", "money")], minor_digits=0)
    rules = RuleSet([Clause("a", "person.income < param.line")], parameters={"line": Decimal("0.10")})
    assert check(rules, catalogue).clauses
