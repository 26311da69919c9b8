"""Finding a person or household: by reference, by identity number, by phone, by the beginnings of names.

Numbers are found by their blind index alone; nothing is opened. Only records of the areas seen here are found.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from mis import sealed
from mis.db import db
from mis.errors import Refusal
from registry import identification, names, references
from registry.models import Household, IdentityNumber, Membership, Person, Phone

HITS = 20
_SHORTEST_NUMBER = 3


def persons(query: str, *, limit: int = HITS) -> Sequence[Person]:
    """The persons that a query may mean, the likeliest first."""
    query = query.strip()
    if references.looks_like(query):
        return _by_reference(query)
    if sum(character.isdigit() for character in query) >= _SHORTEST_NUMBER:
        return _by_number(query, limit=limit)
    return db.session.scalars(
        sa.select(Person).where(named(query)).order_by(Person.search_name, Person.id).limit(limit)
    ).all()


def households(query: str) -> Sequence[Household]:
    """The household with this reference."""
    if not references.looks_like(query):
        return []
    try:
        kind, number = references.parse(query)
    except Refusal:
        return []
    if kind != references.HOUSEHOLD:
        return []
    return db.session.scalars(sa.select(Household).where(Household.id == number)).all()


def named(query: str) -> sa.ColumnElement[bool]:
    """The criterion for persons one of whose names begins with each word of the query; nobody for an empty one."""
    words = names.fold(query).split()[:6]
    if not words:
        return sa.false()
    return sa.and_(*(_begins(word) for word in words))


def any_of(query: str) -> sa.ColumnElement[bool]:
    """The criterion for persons by name, reference or number: what the filter of a list takes."""
    if references.looks_like(query):
        try:
            kind, number = references.parse(query)
        except Refusal:
            return sa.false()
        if kind == references.HOUSEHOLD:
            return Person.id.in_(
                sa.select(Membership.person_id).where(
                    Membership.household_id == number, Membership.valid_to.is_(None)
                )
            )
        return Person.id == number if kind == references.PERSON else sa.false()
    if sum(character.isdigit() for character in query) >= _SHORTEST_NUMBER:
        return Person.id.in_(_holders(query))
    return named(query)


def _by_reference(query: str) -> Sequence[Person]:
    try:
        kind, number = references.parse(query)
    except Refusal:
        return []
    if kind != references.PERSON:
        return []
    return db.session.scalars(sa.select(Person).where(Person.id == number)).all()


def _by_number(query: str, *, limit: int) -> Sequence[Person]:
    return db.session.scalars(
        sa.select(Person).where(Person.id.in_(_holders(query))).order_by(Person.id).limit(limit)
    ).all()


def _holders(query: str) -> sa.SelectBase:
    number = sealed.compact(query)
    holders = sa.select(IdentityNumber.person_id).where(
        IdentityNumber.live, sealed.matching(IdentityNumber, "number", number)
    )
    try:
        phone = identification.clean_phone(query)
    except Refusal:
        return holders
    callers = sa.select(Phone.person_id).where(Phone.live, sealed.matching(Phone, "number", phone))
    return sa.union(holders, callers)


def _begins(word: str) -> sa.ColumnElement[bool]:
    # Two patterns instead of one with a wildcard before: the first may use the index.
    return sa.or_(
        Person.search_name.startswith(word, autoescape=True),
        Person.search_name.contains(f" {word}", autoescape=True),
    )
