"""Areas, persons and households for tests: valid by default, with traits in the words of the field.

They are made in the running unit of work (the `work` fixture), and flushed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import factory
from factory.alchemy import SQLAlchemyModelFactory

from mis.db import db
from registry import areas, names
from registry.models import Area, Household, Membership, Person

AT = datetime(2024, 1, 2, 9, 0, tzinfo=UTC)


class _Factory(SQLAlchemyModelFactory):
    class Meta:
        abstract = True
        sqlalchemy_session_factory = lambda: db.session  # noqa: E731
        sqlalchemy_session_persistence = "flush"


class AreaFactory(_Factory):
    """An area; give it a `parent` to let it lie in another."""

    class Meta:
        model = Area

    class Params:
        parent = None

    code = factory.Sequence(lambda n: f"A{n:03}")
    name = factory.Sequence(lambda n: f"Area {n}")
    kind = "district"
    level = factory.LazyAttribute(lambda one: one.parent.level + 1 if one.parent else 0)
    parent_id = factory.LazyAttribute(lambda one: one.parent.id if one.parent else None)

    @factory.post_generation
    def closed(self: Any, create: bool, extracted: Any, **_: Any) -> None:
        """Let the closure know it."""
        areas.close()


class PersonFactory(_Factory):
    """A woman of thirty-odd years, in an area of her own unless `area` is given."""

    class Meta:
        model = Person

    class Params:
        area = None
        elderly = factory.Trait(birth_date=date(1940, 5, 1))
        child = factory.Trait(birth_date=date(2021, 5, 1))
        born_in = factory.Trait(birth_date=date(1950, 1, 1), birth_precision="year")
        man = factory.Trait(sex="male", given_name="Amadou")
        nameless = factory.Trait(given_name=None, family_name=None)

    area_id = factory.LazyAttribute(lambda one: (one.area or AreaFactory()).id)
    given_name = factory.Sequence(lambda n: f"Awa{n}")
    family_name = "Diallo"
    search_name = factory.LazyAttribute(lambda one: names.fold(one.given_name, one.family_name))
    sex = "female"
    birth_date = date(1990, 5, 1)
    birth_precision = "day"
    attributes = factory.LazyFunction(dict)
    registered_at = AT
    changed_at = AT


class HouseholdFactory(_Factory):
    """A household with nobody in it yet; `with_head` gives it one."""

    class Meta:
        model = Household

    class Params:
        area = None

    area_id = factory.LazyAttribute(lambda one: (one.area or AreaFactory()).id)
    address = "12 Market Street"
    attributes = factory.LazyFunction(dict)
    registered_at = AT
    changed_at = AT


class MembershipFactory(_Factory):
    """A person in a household since 2020, its head by default."""

    class Meta:
        model = Membership

    class Params:
        household = None
        person = None

    household_id = factory.LazyAttribute(lambda one: (one.household or HouseholdFactory()).id)
    person_id = factory.LazyAttribute(lambda one: (one.person or PersonFactory()).id)
    relationship_to_head = "head"
    valid_from = date(2020, 1, 1)


def household_of(
    head: Person, *others: tuple[Person, str], since: date = date(2020, 1, 1), **more: Any
) -> Household:
    """A household of a head and others, each with the relationship to the head, in the area of the head."""
    household: Household = HouseholdFactory(area_id=head.area_id, **more)
    for person, relationship in ((head, "head"), *others):
        MembershipFactory(
            household_id=household.id,
            person_id=person.id,
            relationship_to_head=relationship,
            valid_from=since,
        )
    return household
