"""Identity numbers and phones: how they are normalised, given to a person, and taken away again.

An identity number has one living holder. A refusal names the holder only to those who may see him or her.
"""

from __future__ import annotations

import phonenumbers
import sqlalchemy as sa

from mis import sealed, settings
from mis.db import db
from mis.errors import Conflict, Invalid
from registry.models import IdentityNumber, Person, Phone
from registry.references import PERSON, reference

# What the numbers are that people bring along, by code.
KINDS = {
    "national_id": "National identity number",
    "social_security": "Social security number",
    "birth_certificate": "Birth certificate number",
    "passport": "Passport number",
    "refugee": "Refugee registration number",
    "other": "Other number",
}
_SHORTEST, _LONGEST = 3, 40


def clean_number(kind: str, text: str, *, field: str | None = "identity_number") -> str:
    """An identity number as it is kept: capitals and digits. Raises Invalid with the field."""
    if kind not in KINDS:
        raise Invalid(
            f"“{kind[:40]}” is not a kind of identity number. Known are: {', '.join(KINDS)}.", field=field
        )
    number = sealed.compact(text)
    if not _SHORTEST <= len(number) <= _LONGEST or not number.isalnum():
        raise Invalid(
            f"“{text.strip()[:_LONGEST]}” is not an identity number: "
            f"it has {_SHORTEST} to {_LONGEST} letters and digits.",
            field=field,
        )
    return number


def clean_phone(text: str, *, field: str | None = "phone") -> str:
    """A telephone number in E.164 form (+254712345678). Raises Invalid with the field.

    A number without + is read as one of the country of the settings.
    """
    country = settings.current().country
    try:
        number = phonenumbers.parse(text.strip()[:60], None if country == "XX" else country)
        if not phonenumbers.is_valid_number(number):
            raise Invalid(f"“{text.strip()[:60]}” is not a telephone number that exists.", field=field)
    except phonenumbers.NumberParseException:
        raise Invalid(
            f"“{text.strip()[:60]}” is not a telephone number. Write it with + and the country code.",
            field=field,
        ) from None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def give_number(
    person: Person, kind: str, text: str, *, field: str | None = "identity_number"
) -> IdentityNumber:
    """Record an identity number of a person. Raises Invalid, or Conflict if another person holds it."""
    number = clean_number(kind, text, field=field)
    holder_id = holder(kind, number)
    if holder_id is not None and holder_id != person.id:
        raise Conflict(f"This {KINDS[kind].lower()} belongs already to {_named(holder_id)}.", field=field)
    if holder_id is not None:
        raise Conflict(f"This {KINDS[kind].lower()} is recorded already.", field=field)
    record = IdentityNumber(person_id=person.id, kind=kind)
    record.number = number
    db.session.add(record)
    db.session.flush()
    return record


def give_phone(person: Person, text: str, *, field: str | None = "phone") -> Phone:
    """Record a telephone of a person; several people may share one."""
    number = clean_phone(text, field=field)
    mine = db.session.scalar(
        sa.select(Phone).where(
            Phone.person_id == person.id, Phone.live, sealed.matching(Phone, "number", number)
        )
    )
    if mine is not None:
        return mine
    record = Phone(person_id=person.id)
    record.number = number
    db.session.add(record)
    db.session.flush()
    return record


def take_away(record: IdentityNumber | Phone) -> None:
    """A number is no longer this person's; it stays on record, not live, and another may be given it."""
    record.live = False
    db.session.flush()


def holder(kind: str, number: str) -> int | None:
    """The person who holds an identity number now, wherever he or she lives; for checks, not for showing."""
    return db.session.scalar(
        sa.select(IdentityNumber.person_id).where(
            IdentityNumber.kind == kind,
            IdentityNumber.live,
            sealed.matching(IdentityNumber, "number", number),
        )
    )


def numbers_of(person: Person) -> tuple[list[IdentityNumber], list[Phone]]:
    """The live identity numbers and phones of a person, oldest first."""
    session = db.session
    numbers = session.scalars(
        sa.select(IdentityNumber)
        .where(IdentityNumber.person_id == person.id, IdentityNumber.live)
        .order_by(IdentityNumber.id)
    )
    phones = session.scalars(
        sa.select(Phone).where(Phone.person_id == person.id, Phone.live).order_by(Phone.id)
    )
    return list(numbers), list(phones)


def _named(person_id: int) -> str:
    seen = db.session.scalar(sa.select(Person).where(Person.id == person_id))
    if seen is None:
        return "a person outside the areas you work in"
    return f"{seen.name} ({reference(PERSON, seen.id)})"
