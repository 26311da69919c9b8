"""Who belongs to which household from when to when: joining, leaving, moving, a new head, who collects the money.

A change takes effect on a day; what was true before that day stays on record. A household in which people live has one
head and at most one primary collector; a person belongs to one household at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from mis.db import db
from mis.errors import Conflict, Invalid
from registry.models import Household, Membership, Person
from registry.models.households import COLLECTORS, RELATIONSHIPS
from registry.references import HOUSEHOLD, reference


def members(household: Household) -> Sequence[Membership]:
    """The present memberships with their persons, the head first."""
    return db.session.scalars(
        sa.select(Membership)
        .options(joinedload(Membership.person))
        .where(Membership.household_id == household.id, Membership.valid_to.is_(None))
        .order_by(sa.case((Membership.relationship_to_head == "head", 0), else_=1), Membership.id)
    ).all()


def history(person: Person) -> Sequence[Membership]:
    """All memberships of a person with their households, the latest first."""
    return db.session.scalars(
        sa.select(Membership)
        .options(joinedload(Membership.household))
        .where(Membership.person_id == person.id)
        .order_by(Membership.valid_from.desc(), Membership.id.desc())
    ).all()


def present(person: Person) -> Membership | None:
    """The present membership of a person, if there is one."""
    return db.session.scalar(
        sa.select(Membership)
        .options(joinedload(Membership.household))
        .where(Membership.person_id == person.id, Membership.valid_to.is_(None))
    )


def join(
    household: Household, person: Person, *, relationship: str, day: date, collector: str | None = None
) -> Membership:
    """Let a person belong to a household from `day` on. Raises Invalid or Conflict.

    The person's records lie in the area of the household from then on.
    """
    if relationship not in RELATIONSHIPS:
        raise Invalid("Choose the relationship to the head.", field="relationship")
    _need_free(person, day=day)
    if relationship == "head" and _head(household) is not None:
        raise Conflict(
            "This household has a head already.", field="relationship", instead="Change the head afterwards."
        )
    membership = Membership(
        household_id=household.id, person_id=person.id, relationship_to_head=relationship, valid_from=day
    )
    db.session.add(membership)
    db.session.flush()
    if person.area_id != household.area_id:
        person.area_id = household.area_id
    if collector:
        set_collector(household, person, role=collector, day=day)
    db.session.flush()
    return membership


def leave(person: Person, *, day: date) -> None:
    """Let a person belong to the household no longer, from `day` on. Raises Conflict.

    The head leaves last, or after a new head is named.
    """
    membership = _need_present(person)
    others = [other for other in _of(membership.household_id) if other.id != membership.id]
    if membership.relationship_to_head == "head" and others:
        raise Conflict(
            "The head cannot leave while others stay.", field="person", instead="Name a new head first."
        )
    _end(membership, day=day)


def move(person: Person, household: Household, *, relationship: str, day: date) -> Membership:
    """Let a person leave one household and join another on the same day. Raises Invalid or Conflict."""
    if _need_present(person).household_id == household.id:
        raise Conflict("This person belongs to that household already.", field="household")
    leave(person, day=day)
    return join(household, person, relationship=relationship, day=day)


def change_head(household: Household, new_head: Person, *, former_becomes: str, day: date) -> None:
    """Make a member the head from `day` on; the former head stays as `former_becomes`. Raises Invalid or Conflict."""
    if former_becomes not in RELATIONSHIPS or former_becomes == "head":
        raise Invalid("Choose what the former head is to the new one.", field="former_becomes")
    head, heir = _head(household), _member(household, new_head)
    if head is not None and head.id == heir.id:
        raise Conflict(f"{new_head.name} is the head already.", field="person")
    if head is not None:
        _succeed(head, day=day, relationship=former_becomes, collector=head.collector)
    _succeed(heir, day=day, relationship="head", collector=heir.collector)


def set_collector(household: Household, person: Person, *, role: str | None, day: date) -> None:
    """Let a member collect the money of the household (`primary` or `alternate`), or no longer (None), from `day` on.

    A new primary collector takes the place of the former one.
    """
    if role is not None and role not in COLLECTORS:
        raise Invalid("A collector is primary or alternate.", field="collector")
    chosen = _member(household, person)
    if chosen.collector == role:
        return
    for other in _of(household.id):
        if role == "primary" and other.collector == "primary":
            _succeed(other, day=day, relationship=other.relationship_to_head, collector=None)
    _succeed(chosen, day=day, relationship=chosen.relationship_to_head, collector=role)


def _succeed(membership: Membership, *, day: date, relationship: str, collector: str | None) -> None:
    """The same person in the same household, but otherwise from `day` on."""
    if membership.valid_from >= day:
        # It began no earlier: nothing was true before that would have to be kept.
        membership.relationship_to_head, membership.collector = relationship, collector
        db.session.flush()
        return
    membership.valid_to = day
    db.session.flush()
    db.session.add(
        Membership(
            household_id=membership.household_id, person_id=membership.person_id, valid_from=day,
            relationship_to_head=relationship, collector=collector,
        )
    )  # fmt: skip
    db.session.flush()


def _end(membership: Membership, *, day: date) -> None:
    if day <= membership.valid_from:
        raise Conflict(
            f"The membership began on {membership.valid_from}, so it cannot end on {day}.",
            field="day",
            instead=f"Choose a day after {membership.valid_from}.",
        )
    membership.valid_to = day
    db.session.flush()


def _need_free(person: Person, *, day: date) -> None:
    later = db.session.scalar(
        sa.select(Membership)
        .where(
            Membership.person_id == person.id,
            sa.or_(Membership.valid_to.is_(None), Membership.valid_to > day),
        )
        .order_by(Membership.valid_from)
        .limit(1)
    )
    if later is not None:
        until = f"until {later.valid_to}" if later.valid_to else f"since {later.valid_from}"
        raise Conflict(
            f"{person.name} belongs to household {reference(HOUSEHOLD, later.household_id)} {until}.",
            field="person",
            instead="Let the person leave it first, or move.",
        )


def _need_present(person: Person) -> Membership:
    membership = present(person)
    if membership is None:
        raise Conflict(f"{person.name} belongs to no household.", field="person")
    return membership


def _of(household_id: int) -> Sequence[Membership]:
    query = sa.select(Membership).where(
        Membership.household_id == household_id, Membership.valid_to.is_(None)
    )
    return db.session.scalars(query).all()


def _head(household: Household) -> Membership | None:
    return next((one for one in _of(household.id) if one.relationship_to_head == "head"), None)


def _member(household: Household, person: Person) -> Membership:
    found = next((one for one in _of(household.id) if one.person_id == person.id), None)
    if found is None:
        raise Conflict(f"{person.name} is not a member of this household.", field="person")
    return found
