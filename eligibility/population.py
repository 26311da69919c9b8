"""Who is assessed on a day, and where each fact about them is found: the tables that compiled rules read.

Everybody is assessed who lives on the day and is registered in the areas seen here, also who belongs to no household:
of them nothing about a household is known, so that rules about the household leave them undetermined, never refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from eligibility.rules import Checked, facts_used
from eligibility.rules.compiling import Source
from mis import access, temporal
from mis.db import db
from registry import facts, population
from registry.models import Membership, Person


def people_on(day: date) -> sa.Select[Any]:
    """One row for each person who lives on the day, in the areas seen here, with or without a household.

    Columns: id, household_id, relationship, sex, birth_date, birth_precision, area_id, attributes.
    """
    person, membership = Person.__table__.c, Membership.__table__.c
    belongs = sa.and_(membership.person_id == person.id, temporal.in_force(Membership, day))  # type: ignore[arg-type]
    return (
        sa.select(
            person.id,
            membership.household_id,
            membership.relationship,
            person.sex,
            person.birth_date,
            person.birth_precision,
            person.area_id,
            person.attributes,
        )
        .select_from(Person.__table__.outerjoin(Membership.__table__, belongs))
        .where(sa.or_(person.birth_date.is_(None), person.birth_date <= day))
        .where(sa.or_(person.death_date.is_(None), person.death_date > day))
        .where(access.in_scope(person.area_id))
    )


def source(checked: Checked, day: date, *, persons: tuple[int, int] | None = None) -> Source:
    """The tables of the register for the compiler: everybody on the day, or the range of person ids given."""
    people = people_on(day)
    if persons is not None:
        people = people.where(Person.__table__.c.id.between(*persons))
    person, household = people.subquery("people"), population.households().subquery("households")
    names = [name for name in facts_used(checked) if name in facts.catalogue()]
    columns = {name: facts.sql_expression(name, person=person, household=household) for name in names}
    return Source(person=person, household=household, columns=columns)


@dataclass(frozen=True)
class Known:
    """What is known of one person, as the evaluator takes it."""

    person_id: int
    household_id: int | None
    area_id: int
    facts: dict[str, Any]


def known_of(checked: Checked, person_ids: Collection[int], day: date) -> dict[int, Known]:
    """What the rules may ask about each of a few persons and the members of their households, read row by row.

    Persons who do not live on the day, or lie outside the areas seen here, are left out.
    """
    names = sorted(facts_used(checked))
    rows = _rows_of(names, day, "id", person_ids)
    homes = {row["household_id"] for row in rows if row["household_id"] is not None}
    members: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in _rows_of(names, day, "household_id", homes):
        members[row["household_id"]].append(row)
    households = _households(names, homes)
    found = {}
    for row in rows:
        home = row["household_id"]
        together = [_person(one, names) for one in members[home]] if home is not None else []
        # The person assessed is one of the members, not a second person like one of them.
        person = next((one for one in together if one["id"] == row["id"]), None) or _person(row, names)
        household = None if home is None else households[home] | {"members": together}
        found[row["id"]] = Known(row["id"], home, row["area_id"], {"person": person, "household": household})
    return found


def _rows_of(names: Iterable[str], day: date, key: str, chosen: Collection[int]) -> list[Mapping[str, Any]]:
    people = people_on(day).subquery("people")
    columns = [
        facts.sql_expression(name, person=people).label(name) for name in names if name.startswith("person.")
    ]
    query = sa.select(people.c.id, people.c.household_id, people.c.area_id, *columns).where(
        people.c[key].in_(chosen)
    )
    return [dict(row) for row in db.session.execute(query.order_by(people.c.id)).mappings()]


def _households(names: Iterable[str], homes: Collection[int]) -> dict[int, dict[str, Any]]:
    households = population.households().subquery("households")
    columns = [
        facts.sql_expression(name, household=households).label(name.partition(".")[2])
        for name in names
        if name.startswith("household.")
    ]
    query = sa.select(households.c.id, *columns).where(households.c.id.in_(homes))
    return {row["id"]: dict(row) for row in db.session.execute(query).mappings()}


def _person(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    mine = {name.partition(".")[2]: row[name] for name in names if name.startswith("person.")}
    return {"id": row["id"], **mine}
