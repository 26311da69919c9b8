"""CEL's basics as a table of expressions and results, both evaluators asked, without a fact unless one is named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from eligibility.rules import Determination, RuleError, evaluate, syntax
from tests.eligibility.rules.country import by_set, checked, load, metadata

DAY = date(2026, 7, 15)
HOME: dict[str, Any] = {
    "id": 1,
    "region": "Ñandú",
    "rooms": 0,
    "tv": True,
    "urban": False,
    "members": [
        {
            "id": 1, "sex": "F", "relationship": "head", "income": 10_050, "disability": False,
            "birth_date": date(1961, 7, 15), "schooling": 7,
        },
        {
            "id": 2, "sex": "M", "relationship": "spouse", "income": 20_000, "disability": True,
            "birth_date": date(1961, 7, 16), "schooling": -1,
        },
        {"id": 3, "relationship": "child"},
    ],
}  # fmt: skip

TRUE, FALSE, UNKNOWN = True, False, None
CASES: list[tuple[str, bool | None]] = [
    # precedence and associativity
    ("true || true && false", TRUE),
    ("(true || true) && false", FALSE),
    ("!false && false", FALSE),
    ("!(false && false)", TRUE),
    ("!true == false", TRUE),
    ("1 + 2 * 3 == 7", TRUE),
    ("(1 + 2) * 3 == 9", TRUE),
    ("10 - 3 - 2 == 5", TRUE),
    ("10 - (3 - 2) == 9", TRUE),
    ("12 / 3 / 2 == 2", TRUE),
    ("2 * 7 % 4 == 2", TRUE),
    ("-2 + 5 == 3", TRUE),
    ("- -2 == 2", TRUE),
    ("!!true", TRUE),
    ("1 < 2 == true", TRUE),
    ("false ? true : false ? false : true", TRUE),
    ("true ? false : true || true", FALSE),
    ("false || true ? 1 == 1 : false", TRUE),
    ("1 in [1, 2] && 3 in [1, 2]", FALSE),
    ("-person.schooling == -7", TRUE),
    # numbers: exact, promoted, truncated towards zero
    ("0.1 + 0.2 == 0.3", TRUE),
    ("1 == 1.0", TRUE),
    ("1.5e1 == 15", TRUE),
    ("0x1F == 31", TRUE),
    (".5 == 0.50", TRUE),
    ("7 / 2 == 3", TRUE),
    ("-7 / 2 == -3", TRUE),
    ("7 % -2 == 1", TRUE),
    ("-7 % 2 == -1", TRUE),
    ("7 / 2.0 == 3.5", TRUE),
    ("person.schooling / 2 == 3", TRUE),
    ("(0 - person.schooling) / 2 == -3", TRUE),
    ("(0 - person.schooling) % 2 == -1", TRUE),
    ("person.income / person.schooling < 14.36", TRUE),
    ("person.income / person.schooling > 14.35", TRUE),
    ("person.income / -7 > -14.36", TRUE),
    ("div_round(5, 2) == 3", TRUE),
    ("div_round(-5, 2) == -3", TRUE),
    ("div_round(person.income, 3, 2) == 33.50", TRUE),
    ("div_round(2, 3, 2) == 0.67", TRUE),
    ("least(person.schooling, 3) == 3 && greatest(person.schooling, 3) == 7", TRUE),
    # division by zero and values outside their bounds are not known
    ("person.schooling / household.rooms == 1", UNKNOWN),
    ("person.schooling % household.rooms == 1", UNKNOWN),
    ("person.income / household.rooms < 1", UNKNOWN),
    ("household.members.exists(m, m.schooling < 0)", TRUE),
    ("household.members.exists(m, m.schooling + 0 < 0)", UNKNOWN),
    # text
    ("'abc' == \"abc\"", TRUE),
    (r"'it\'s' == " + '"it\'s"', TRUE),
    (r"'a\\b' == r'a\b'", TRUE),
    (r"'\u00d1and\u00fa' == household.region", TRUE),
    ("'N\u0303andu\u0301' == household.region", TRUE),
    ("'''a\nb''' == 'a\\nb'", TRUE),
    ("'\\x41\\101' == 'AA'", TRUE),
    ("'A' == 'a'", FALSE),
    ("household.region in ['N', 'Ñandú']", TRUE),
    ("household.region != 'n'", TRUE),
    ("'%s %% :a ?' == '%s %% :a ?'", TRUE),
    ("'日本' == '日本'", TRUE),
    # null and presence
    ("null == null", TRUE),
    ("null != null", FALSE),
    ("person.income == null", FALSE),
    ("household.land == null", TRUE),
    ("null != household.land", FALSE),
    ("has(household.land)", FALSE),
    ("has(person.income) && !has(person.pregnant)", TRUE),
    ("has(household.income_per_capita)", FALSE),
    ("has(table.region_score[household.region])", TRUE),
    ("has(table.region_score['X'])", FALSE),
    # three-valued logic
    ("household.land > 1.00", UNKNOWN),
    ("!(household.land > 1.00)", UNKNOWN),
    ("household.land > 1.00 && false", FALSE),
    ("false && household.land > 1.00", FALSE),
    ("household.land > 1.00 || true", TRUE),
    ("household.land > 1.00 || false", UNKNOWN),
    ("household.land > 1.00 ? true : true", UNKNOWN),
    ("person.pregnant == person.pregnant", UNKNOWN),
    ("person.pregnant != true", UNKNOWN),
    ("person.pregnant in [true, false]", UNKNOWN),
    ("person.disability == false", TRUE),
    ("household.land in [1, 2]", UNKNOWN),
    # macros
    ("household.members.exists(m, m.disability)", TRUE),
    ("household.members.all(m, !m.disability)", FALSE),
    ("household.members.all(m, m.relationship != 'x')", TRUE),
    ("household.members.all(m, m.income > 1)", UNKNOWN),
    ("household.members.exists(m, m.income > 1000)", UNKNOWN),
    ("household.members.exists_one(m, m.relationship == 'head')", TRUE),
    ("household.members.exists_one(m, m.disability)", UNKNOWN),
    ("household.members.count(m, m.disability) == 1", UNKNOWN),
    ("household.members.count_known(m, m.disability) == 1", TRUE),
    ("household.members.count() == 3 && household.members.size() == household.size", TRUE),
    ("size(household.members) == 3", TRUE),
    ("household.members.sum(m, m.income) > 0", UNKNOWN),
    ("household.members.sum_known(m, m.income) == 300.50", TRUE),
    ("household.members.filter(m, has(m.income)).sum(m, m.income) == 300.50", TRUE),
    ("household.members.filter(m, has(m.income)).avg(m, m.income) == 150.25", TRUE),
    ("household.members.filter(m, has(m.income)).min(n, n.income) == 100.50", TRUE),
    ("household.members.filter(m, has(m.income)).max(n, n.income) == 200", TRUE),
    ("household.members.max(m, m.income) > 0", UNKNOWN),
    ("household.members.filter(m, m.relationship == 'nobody').all(n, n.income > 1)", TRUE),
    ("household.members.filter(m, m.relationship == 'nobody').exists(n, n.income > 1)", FALSE),
    ("household.members.filter(m, m.relationship == 'nobody').sum(n, n.income) == 0", TRUE),
    ("household.members.filter(m, m.relationship == 'nobody').max(n, n.income) > 0", UNKNOWN),
    ("household.members.filter(m, m.relationship == 'nobody').avg(n, n.income) > 0", UNKNOWN),
    ("household.members.filter(m, m.sex == 'F').count() == 1", UNKNOWN),
    ("household.members.filter(m, has(m.sex)).filter(m, m.sex == 'F').size() == 1", TRUE),
    ("household.members.exists(m, m.income > person.income)", TRUE),
    ("household.members.exists(m, household.members.exists(n, n.income < m.income))", TRUE),
    ("household.members.exists(m, m.income * 2 > household.members.sum_known(n, n.income))", TRUE),
    ("household.members.filter(m, has(m.birth_date)).max(m, m.birth_date) == date('1961-07-16')", TRUE),
    ("household.members.exists(m, m.adult && household.tv)", TRUE),
    # ages, dates, tables
    ("person.age >= 65", TRUE),
    ("person.age == 65 && 65 == person.age && 65 <= person.age && !(person.age > 65)", TRUE),
    ("household.members.exists(m, m.age == 64)", TRUE),
    ("person.age * 2 == 130", TRUE),
    ("person.age > 200", FALSE),
    ("person.birth_date < date(\"1961-07-16\") && person.birth_date < as_of", TRUE),
    ("param.cut_off < as_of", TRUE),
    ("table.region_score[household.region] == 0", TRUE),
    ("table.region_score['E'] * 2 == 5", TRUE),
    ("table.grade[6] == 'primary'", TRUE),
    ("table.grade[person.schooling] == 'primary'", UNKNOWN),
    ("household.region in param.regions", FALSE),
    ("person.adult", TRUE),
    ("true // a remark\n && true", TRUE),
]  # fmt: skip


@pytest.fixture(scope="module")
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as opened:
        metadata.create_all(opened)
        load(opened, [HOME])
        yield opened
    engine.dispose()


def decide(expression: str) -> Determination:
    return evaluate(checked(expression), {"person": HOME["members"][0], "household": HOME}, as_of=DAY)


@pytest.mark.parametrize(("expression", "expected"), CASES)
def test_an_expression_has_the_value_of_the_table(
    connection: sa.Connection, expression: str, expected: bool | None
) -> None:
    masks = {True: (0, 0, None), False: (1, 0, None), None: (0, 1, None)}
    assert decide(expression).clauses[0].explanation.value is expected
    assert by_set(checked(expression), connection, as_of=DAY)[1] == masks[expected]


NESTED = {
    "sum": ("(", "person.schooling", " + 1)", "{} > 0"),
    "difference": ("(1 - ", "person.schooling", ")", "{} > -100"),
    "product": ("(1 * ", "person.schooling", ")", "{} > -100"),
    "modulo": ("(100 % ", "person.schooling", ")", "{} > -100"),
    "negation": ("!(", "person.schooling == 7", ")", "{}"),
    "conjunction": ("(true && ", "person.schooling == 7", ")", "{}"),
    "disjunction": ("(", "person.schooling == 7", " || false)", "{}"),
    "equality": ("(true == (", "person.schooling == 7", "))", "{}"),
    "condition": ("((", "person.schooling == 7", ") ? household.tv : household.urban)", "{}"),
    "yes": ("(household.tv ? ", "person.schooling", " : 0)", "{} > 0"),
    "bands": ("(household.tv ? 1 : ", "person.schooling", ")", "{} > 0"),
    "least": ("least(5, ", "person.schooling", ")", "{} > 0"),
    "rounding": ("div_round(", "person.schooling", ", household.rooms + 1)", "{} > 0"),
    "truncation": ("(", "person.schooling", " / household.size)", "{} >= 0"),
    "in": ("((", "person.schooling == 7", ") in [true])", "{}"),
}
INSIDE = (
    "{}",
    "household.members.exists(m, {}) || true",
    "household.members.all(m, household.members.exists(n, {}) || true)",
)


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("nested", NESTED)
def test_a_rule_that_is_accepted_is_never_too_deep_for_the_database(
    connection: sa.Connection, nested: str, inside: str
) -> None:
    before, core, after, test = NESTED[nested]
    for depth in range(syntax.MAX_NESTING, 0, -1):
        expression = inside.format(test.format(before * depth + core + after * depth))
        amount = (
            f"greatest(0, {before * depth + core + after * depth}) / household.size" if "> " in test else None
        )
        try:
            rules = checked("true", expression, amount=amount)
        except RuleError:
            continue
        assert depth >= 2
        assert set(by_set(rules, connection, as_of=DAY)) == {1, 2, 3}
        return
    raise AssertionError("nothing was accepted")


def test_a_rule_as_long_as_allowed_runs_in_the_database(connection: sa.Connection) -> None:
    long_sum = "person.schooling" + " + 1" * 110 + " == 117"
    wide = " || ".join(f"person.schooling == {n}" for n in range(140))
    for rule in (long_sum, wide):
        assert by_set(checked(rule), connection, as_of=DAY)[1] == (0, 0, None)
