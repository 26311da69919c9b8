"""Who lives where on a day: the rows over which facts are read, for sets of people and for one of them.

Every statement about many people starts here, so that “a member of a household on the day” means the same everywhere.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from mis import access, temporal
from registry.models import Area, Household, Membership, Person


def people_on(day: date) -> sa.Select[tuple[int]]:
    """One row for each living person who belongs to a household on the day, in the areas seen here.

    Columns: id, household_id, relationship, sex, birth_date, birth_precision, death_date, area_id, attributes.
    """
    person, membership = Person.__table__.c, Membership.__table__.c
    return (
        sa.select(
            person.id,
            membership.household_id,
            membership.relationship,
            person.sex,
            person.birth_date,
            person.birth_precision,
            person.death_date,
            person.area_id,
            person.attributes,
        )
        .select_from(Person.__table__.join(Membership.__table__, membership.person_id == person.id))
        .where(temporal.in_force(Membership, day))  # type: ignore[arg-type]
        .where(sa.or_(person.death_date.is_(None), person.death_date > day))
        .where(access.in_scope(person.area_id))
    )


def households() -> sa.Select[tuple[int]]:
    """One row for each household in the areas seen here. Columns: id, area_id, area_code, attributes."""
    household, area = Household.__table__.c, Area.__table__.c
    return (
        sa.select(household.id, household.area_id, area.code.label("area_code"), household.attributes)
        .select_from(Household.__table__.join(Area.__table__, area.id == household.area_id))
        .where(access.in_scope(household.area_id))
    )
