"""The facts of the catalogue: written, checked, shown, and read alike by both databases."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from mis.db import MisSession
from mis.errors import Invalid
from registry import facts, population
from registry.models import Household, Person
from tests.factories.registry import HouseholdFactory, PersonFactory, household_of

pytestmark = pytest.mark.usefixtures("app")


@pytest.mark.parametrize(
    ("name", "text", "stored"),
    [
        ("household.rooms", "3", 3),
        ("household.rooms", "4.0", 4),
        ("household.land_hectares", "1.25", 125),
        ("household.land_hectares", "2", 200),
        ("household.tv", "Yes", True),
        ("household.tv", "0", False),
        ("household.roof", "tiles", "tiles"),
        ("household.monthly_income", "12.50", 1250),
        ("household.ln_food_expenditure", "8.639339", 86393390),
    ],
)
def test_a_fact_is_read_exactly_and_written_back(name: str, text: str, stored: object):
    fact = facts.catalogue()[name]
    assert fact.parse(text) == stored and type(fact.parse(text)) is type(stored)
    assert fact.parse(fact.written(stored)) == stored


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("household.rooms", "2.5", "no decimals"),
        ("household.rooms", "-1", "between 0 and 99"),
        ("household.rooms", "many", "not a number"),
        ("household.rooms", "nan", "not a number"),
        ("household.rooms", "1e999999", "not a number"),
        ("household.rooms", "1_0", "not a number"),
        ("household.rooms", "٣", "not a number"),
        ("household.land_hectares", "1.234", "at most 2 decimals"),
        ("household.tv", "perhaps", "neither yes nor no"),
        ("household.roof", "glass", "none of: concrete"),
        ("person.seeing", "5", "between 1 and 4"),
    ],
)
def test_a_wrong_value_is_refused_with_its_label(name: str, text: str, sentence: str):
    with pytest.raises(Invalid, match=sentence) as refused:
        facts.catalogue()[name].parse(text)
    assert facts.catalogue()[name].label in str(refused.value) and refused.value.field == name


def test_decimals_are_rounded_only_when_that_is_said():
    fact = facts.catalogue()["person.schooling_years"]
    assert fact.parse("12.66667", rounded=True) == 1267


def test_stored_values_are_shown_in_words():
    known = facts.catalogue()
    assert facts.shown(known["household.land_hectares"], 125) == "1.25 ha"
    assert facts.shown(known["household.roof"], "tiles") == "Tiles"
    assert facts.shown(known["household.tv"], False) == "no"
    assert facts.shown(known["household.monthly_income"], 1250) == "12.50 XTS"


def test_both_databases_read_facts_with_their_types(work: MisSession):
    full = HouseholdFactory(attributes={"rooms": 3, "tv": True, "fridge": False, "roof": "tiles"})
    empty = HouseholdFactory()
    rows = population.households().subquery()
    names = ("household.rooms", "household.tv", "household.fridge", "household.roof", "household.area")
    columns = [facts.sql_expression(name, household=rows) for name in names]
    found = {row[0]: tuple(row[1:]) for row in work.execute(sa.select(rows.c.id, *columns))}
    assert found[full.id][:4] == (3, True, False, "tiles")
    assert found[empty.id][:4] == (None, None, None, None)
    assert found[full.id][4].startswith("A")


def test_facts_can_be_compared_in_sql(work: MisSession):
    rich = HouseholdFactory(attributes={"rooms": 10, "tv": True})
    HouseholdFactory(attributes={"rooms": 9, "tv": False})
    HouseholdFactory()
    rows = Household.__table__
    rooms, tv = (facts.sql_expression(f"household.{key}", household=rows) for key in ("rooms", "tv"))
    assert work.scalars(sa.select(rows.c.id).where(rooms > 9, tv)).all() == [rich.id]
    assert work.scalar(sa.select(sa.func.sum(rooms))) == 19


def test_built_in_facts_come_from_their_columns(work: MisSession):
    person = PersonFactory(attributes={"seeing": 3})
    household_of(person)
    rows = population.people_on(date(2024, 1, 1)).subquery()
    names = (
        "person.sex",
        "person.birth_date",
        "person.birth_date_precision",
        "person.relationship",
        "person.seeing",
    )
    found = work.execute(sa.select(*(facts.sql_expression(name, person=rows) for name in names))).one()
    assert tuple(found) == ("female", date(1990, 5, 1), "day", "head", 3)


def test_every_fact_has_an_sql_expression():
    for fact in facts.catalogue().values():
        if fact.column is None:
            rows = (Person if fact.subject == "person" else Household).__table__
            expression = facts.sql_expression(fact.name, person=rows, household=rows)
            assert isinstance(expression.type, type(fact.sql_type))
