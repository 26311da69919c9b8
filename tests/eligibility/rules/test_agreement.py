"""The golden rule: a person and a country are decided alike, whatever the rule and whoever the people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, assume, event, find, given, settings
from hypothesis import strategies as st

from eligibility.rules import RuleError, RuleSet, check, evaluate
from eligibility.rules.compiling import compile_set, expressions
from tests.eligibility.rules.country import (
    CATALOGUE,
    ELEVEN,
    SOURCE,
    by_row,
    by_set,
    checked,
    load,
    metadata,
    person,
    ruleset,
)
from tests.eligibility.rules.writing import DAYS, amounts, conditions, populations

POSTGRESQL = os.environ.get("MIS_TEST_DATABASE_URL", "")
# A nightly run sets this to some thousands.
EXAMPLES = int(os.environ.get("MIS_TEST_RULES", "250"))
DATABASES = ["sqlite://", *([POSTGRESQL] if POSTGRESQL.startswith("postgresql") else [])]


@pytest.fixture(scope="module", params=DATABASES, ids=lambda url: str(url).partition(":")[0])
def connection(request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    engine = sa.create_engine(request.param)
    with engine.connect() as opened:
        metadata.create_all(opened)
        yield opened
        opened.rollback()
    engine.dispose()


def rule_sets() -> st.SearchStrategy[RuleSet]:
    return st.builds(
        lambda expressions, amount, **more: ruleset(*expressions, amount=amount, **more),
        st.lists(conditions(), min_size=1, max_size=3),
        st.none() | amounts(),
        rounding=st.sampled_from(["half_up", "half_even", "half_down", "up", "down"]),
        rounding_step_minor=st.sampled_from([1, 1, 5, 100]),
        birth_date_reading=st.sampled_from(["earliest", "middle", "latest"]),
    )


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules=rule_sets(), homes=populations(), as_of=DAYS)
def test_a_person_and_a_country_are_decided_alike(
    connection: sa.Connection, rules: RuleSet, homes: list[dict[str, Any]], as_of: date
) -> None:
    try:
        found = check(rules, CATALOGUE)
    except RuleError as refusal:
        event(refusal.message[:40])
        assume(False)
    load(connection, homes)
    assert by_set(found, connection, as_of=as_of) == by_row(found, homes, as_of=as_of)


@pytest.mark.parametrize("name", ELEVEN)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(homes=populations(), as_of=DAYS, reading=st.sampled_from(["earliest", "middle", "latest"]))
def test_each_of_the_eleven_rules_decides_alike(
    connection: sa.Connection, name: str, homes: list[dict[str, Any]], as_of: date, reading: str
) -> None:
    expressions, amount = ELEVEN[name]
    found = checked(*expressions, amount=amount, birth_date_reading=reading)
    load(connection, homes)
    assert by_set(found, connection, as_of=as_of) == by_row(found, homes, as_of=as_of)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(homes=populations(), as_of=DAYS)
def test_a_choice_of_the_household_within_a_choice_of_the_person_is_decided_alike(
    connection: sa.Connection, homes: list[dict[str, Any]], as_of: date
) -> None:
    # The inner choice is worked out once for the household; the outer one must take it as it is.
    amount = "greatest(0, least((person.income + person.income), least(household.dependents, param.share)))"
    found = checked("person.disability", amount=amount)
    load(connection, homes)
    assert by_set(found, connection, as_of=as_of) == by_row(found, homes, as_of=as_of)


def test_a_planted_difference_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(expressions._COMPARISONS, "<", expressions._COMPARISONS["<="])
    engine = sa.create_engine("sqlite://")
    with engine.connect() as opened:
        metadata.create_all(opened)

        def differs(homes: list[dict[str, Any]]) -> bool:
            found = checked("person.schooling < 6")
            load(opened, homes)
            return by_set(found, opened, as_of=date(2026, 7, 15)) != by_row(
                found, homes, as_of=date(2026, 7, 15)
            )

        culprit = find(populations(), differs, settings=settings(database=None, phases=[Phase.generate]))
    engine.dispose()
    assert any(member["schooling"] == 6 for home in culprit for member in home["members"])


def test_a_range_of_households_is_decided_as_in_the_whole(connection: sa.Connection) -> None:
    homes = [
        {
            "id": home,
            "members": [{"id": home * 10 + n, "income": 100 * home, "disability": n == 1} for n in range(3)],
        }
        for home in range(1, 6)
    ]
    load(connection, homes)
    rules = checked(
        "household.members.sum(m, m.income) > 6", "household.members.count(m, m.income >= person.income) == 3"
    )
    whole = by_set(rules, connection, as_of=date(2026, 7, 15))
    statement = compile_set(
        rules, SOURCE, as_of=date(2026, 7, 15), where=lambda household_id: household_id.between(2, 3)
    )
    part = {row.person_id: (row.fail_mask, row.unknown_mask, None) for row in connection.execute(statement)}
    assert part == {person: verdict for person, verdict in whole.items() if 20 <= person < 40}


def test_somebody_without_a_household_is_undetermined_and_not_left_out(connection: sa.Connection) -> None:
    load(connection, [{"id": 1, "members": [{"id": 1}]}])
    connection.execute(sa.update(person).values(household_id=None))
    rules = checked(
        "household.size == 1", "household.members.all(m, true)", "household.members.exists(m, m.disability)"
    )
    found = evaluate(rules, {"person": {}, "household": None}, as_of=date(2026, 7, 15))
    assert by_set(rules, connection, as_of=date(2026, 7, 15)) == {1: (0, 0b111, None)}
    assert (found.fail_mask, found.unknown_mask) == (0, 0b111)
