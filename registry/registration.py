"""Registering persons and households, and correcting what is recorded of them.

What a clerk or a program gives arrives as plain values (`PersonFacts`, `NewMember`) and is checked as a whole before
anything is written. Whoever edits says which version was on the screen; a change in between is a Conflict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm.exc import StaleDataError

from mis.db import db
from mis.errors import Conflict, Invalid, Missing
from registry import birth_dates, facts, identification, names
from registry.birth_dates import BirthDate
from registry.models import Area, Household, Membership, Person
from registry.models.households import COLLECTORS, RELATIONSHIPS
from registry.models.persons import SEXES
from registry.references import HOUSEHOLD, PERSON, parse


@dataclass(frozen=True)
class PersonFacts:
    """What is said of a person. `birth` is the first day of what is known, and its precision."""

    given_name: str | None = None
    family_name: str | None = None
    other_names: str | None = None
    sex: str = "unknown"
    birth: BirthDate | None = None
    death_date: date | None = None
    address: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NewMember:
    """A person who is registered as a member of a household; numbers are (kind, number) pairs."""

    person: PersonFacts
    relationship: str
    collector: str | None = None
    identity_numbers: Sequence[tuple[str, str]] = ()
    phones: Sequence[str] = ()


def register_person(
    said: PersonFacts,
    *,
    area_id: int,
    day: date,
    at: datetime,
    identity_numbers: Sequence[tuple[str, str]] = (),
    phones: Sequence[str] = (),
) -> Person:
    """Register a person who belongs to no household. Raises Invalid or Conflict with the field."""
    _need_area(area_id)
    person = Person(area_id=area_id, registered_at=at, changed_at=at, **_columns(said, day=day))
    db.session.add(person)
    db.session.flush()
    for kind, number in identity_numbers:
        identification.give_number(person, kind, number)
    for phone in phones:
        identification.give_phone(person, phone)
    return person


def edit_person(
    person: Person, said: PersonFacts, *, day: date, at: datetime, version: int | None = None
) -> None:
    """Correct what is recorded of a person. Raises Invalid with the field, or Conflict if `version` is an older one.

    The facts that `said` does not name are kept; one that it names with None is removed.
    """
    need_version(person, version)
    columns = _columns(said, day=day)
    columns["attributes"] = _merged("person", person.attributes, said.attributes)
    _change(person, columns, at=at)


def register_household(
    members: Sequence[NewMember],
    *,
    area_id: int,
    day: date,
    at: datetime,
    address: str | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Household:
    """Register a household with its members, who belong to it from `day` on.

    Raises Invalid or Conflict; the field of a member is `members-0-given_name`, counted from zero.
    """
    _need_area(area_id)
    _need_one_head(members)
    household = Household(
        area_id=area_id,
        address=names.clean(address, field="address"),
        attributes=facts.check("household", attributes or {}),
        registered_at=at,
        changed_at=at,
    )
    db.session.add(household)
    db.session.flush()
    for place, member in enumerate(members):
        with _at_member(place):
            _register_member(household, member, day=day, at=at)
    return household


def edit_household(
    household: Household,
    *,
    area_id: int,
    address: str | None,
    attributes: Mapping[str, Any],
    at: datetime,
    version: int | None = None,
) -> None:
    """Correct a household; one that moves to another area takes its present members along.

    Raises Invalid with the field, or Conflict if `version` is an older one.
    """
    need_version(household, version)
    _need_area(area_id)
    moved = household.area_id != area_id
    columns = {
        "area_id": area_id,
        "address": names.clean(address, field="address"),
        "attributes": _merged("household", household.attributes, attributes),
    }
    _change(household, columns, at=at)
    if moved:
        for person in _present(household):
            _change(person, {"area_id": area_id}, at=at)


def need_version(record: Person | Household, version: int | None) -> None:
    """Refuse if the record has changed since the version that the user saw."""
    if version is not None and version != record.version:
        raise Conflict(
            "Somebody else has changed this record since you opened the page.",
            instead="Open it again, look at the change, then decide.",
        )


def person_by_reference(text: str, *, field: str | None = "person") -> Person:
    """The person with a reference number, in the areas seen here. Raises Invalid or Missing."""
    _kind, number = parse(text, kind=PERSON, field=field)
    person = db.session.scalar(sa.select(Person).where(Person.id == number))
    if person is None:
        raise Missing("There is no such person among those you may see.", field=field)
    return person


def household_by_reference(text: str, *, field: str | None = "household") -> Household:
    """The household with a reference number, in the areas seen here. Raises Invalid or Missing."""
    _kind, number = parse(text, kind=HOUSEHOLD, field=field)
    household = db.session.scalar(sa.select(Household).where(Household.id == number))
    if household is None:
        raise Missing("There is no such household among those you may see.", field=field)
    return household


def _register_member(household: Household, member: NewMember, *, day: date, at: datetime) -> None:
    person = register_person(
        member.person, area_id=household.area_id, day=day, at=at,
        identity_numbers=member.identity_numbers, phones=member.phones,
    )  # fmt: skip
    db.session.add(
        Membership(
            household_id=household.id, person_id=person.id, valid_from=day,
            relationship_to_head=member.relationship, collector=member.collector,
        )
    )  # fmt: skip
    db.session.flush()


class _at_member:  # noqa: N801 - reads as the statement it is
    """Say of which member a refusal speaks."""

    def __init__(self, place: int) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Invalid | Conflict) and error.field:
            error.field = f"members-{self.place}-{error.field}"


def _need_one_head(members: Sequence[NewMember]) -> None:
    heads = [member for member in members if member.relationship == "head"]
    if not members:
        raise Invalid("A household has at least one member, its head.", field="members")
    if len(heads) != 1:
        raise Invalid(f"A household has one head; here are {len(heads)}.", field="members")
    for place, member in enumerate(members):
        if member.relationship not in RELATIONSHIPS:
            raise Invalid("Choose the relationship to the head.", field=f"members-{place}-relationship")
        if member.collector is not None and member.collector not in COLLECTORS:
            raise Invalid("A collector is primary or alternate.", field=f"members-{place}-collector")
    if sum(member.collector == "primary" for member in members) > 1:
        raise Invalid("A household has one primary collector.", field="members")


def _columns(said: PersonFacts, *, day: date) -> dict[str, Any]:
    spoken = {
        name: names.clean(getattr(said, name), field=name)
        for name in ("given_name", "other_names", "family_name")
    }
    if not spoken["given_name"] and not spoken["family_name"]:
        raise Invalid("Write a given name or a family name.", field="given_name")
    if said.sex not in SEXES:
        raise Invalid(f"The sex is one of: {', '.join(SEXES)}.", field="sex")
    born, precision = said.birth or (None, None)
    if born is not None:
        birth_dates.check(born, day=day)
    _check_death(said.death_date, born, day=day)
    return spoken | {
        "search_name": names.fold(*spoken.values()),
        "sex": said.sex,
        "birth_date": born,
        "birth_precision": precision,
        "death_date": said.death_date,
        "address": names.clean(said.address, field="address"),
        "attributes": facts.check("person", said.attributes),
    }


def _check_death(died: date | None, born: date | None, *, day: date) -> None:
    if died is not None and died > day:
        raise Invalid("A death in the future is not possible.", field="death_date")
    if died is not None and born is not None and died < born:
        raise Invalid("The death is before the birth.", field="death_date")


def _merged(subject: str, before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return facts.check(subject, {**before, **changes})


def _change(record: Person | Household, columns: Mapping[str, Any], *, at: datetime) -> None:
    changed = {name: value for name, value in columns.items() if getattr(record, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(record, name, value)
    record.changed_at = at
    try:
        db.session.flush()
    except StaleDataError:
        raise Conflict(
            "Somebody else has changed this record at the same moment.", instead="Open it again, then decide."
        ) from None


def _present(household: Household) -> Sequence[Person]:
    return db.session.scalars(
        sa.select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.household_id == household.id, Membership.valid_to.is_(None))
    ).all()


def _need_area(area_id: int) -> None:
    if db.session.get(Area, area_id) is None:
        raise Invalid("There is no such area.", field="area_id")
