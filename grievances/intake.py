"""A grievance is lodged: by an officer for somebody, by anybody on the public page, with a name or without one.

It gets its deadlines, a reference number, and a word that is told once: with both, its author can ask what became of
it without an account. What it is about is taken from its subject: a payment leads to the enrolment and the person.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from grievances import deadlines
from grievances.catalogue import Category, catalogue
from grievances.deadlines import WorkingDays
from grievances.models import OPEN, Grievance
from grievances.subjects import NOTHING, Subject
from mis import acting
from mis.accounts import passwords
from mis.db import db
from mis.errors import Invalid
from registry import references

LONGEST_TEXT = 10_000
LONGEST_NAME = 200
_LONGEST_PHONE, _FEWEST_DIGITS = 40, 5
# Letters and digits that are not taken for one another when they are read over the telephone.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Complainant:
    """Who complains and how to reach him or her; nobody, for an anonymous grievance."""

    name: str | None = None
    phone: str | None = None


ANONYMOUS = Complainant()


@dataclass(frozen=True)
class Lodged:
    """What is handed to the complainant: the reference and the word, which is stored nowhere."""

    grievance: Grievance
    word: str

    @property
    def reference(self) -> str:
        """The reference number of the case."""
        return reference(self.grievance)


def reference(grievance: Grievance) -> str:
    """The number that people read over the phone."""
    return references.reference(references.GRIEVANCE, grievance.id)


def lodge(
    category: str,
    description: str,
    *,
    channel: str,
    received_on: date,
    at: datetime,
    office: WorkingDays,
    subject: Subject = NOTHING,
    area_id: int | None = None,
    complainant: Complainant = ANONYMOUS,
    anonymous: bool = False,
) -> Lodged:
    """Take a grievance in, as the one who acts; `area_id` says where when no person is concerned.

    `received_on` is the day it reached the office, from which its deadlines run. Raises Invalid with the field.
    """
    kind = catalogue().category(category)
    _refuse_later(received_on, at)
    where = subject.area_id or area_id
    if where is None:
        raise Invalid("Say in which area this is.", field="area")
    return _store(
        kind,
        _text(description, field="description", ask="Say what the grievance is about."),
        channel=catalogue().channel(channel),
        received_on=received_on,
        at=at,
        office=office,
        subject=subject,
        area_id=where,
        complainant=_named(complainant, anonymous=anonymous),
        anonymous=anonymous,
    )


def lodge_appeal(
    grievance: Grievance,
    grounds: str,
    *,
    channel: str,
    received_on: date,
    at: datetime,
    office: WorkingDays,
    late_because: str | None,
) -> Lodged:
    """The new case of an appeal, about the same subject and as sensitive; casework.appeal says whether it may be."""
    _refuse_later(received_on, at)
    return _store(
        catalogue().categories["appeal"],
        _text(grounds, field="grounds", ask="Say why the answer is contested."),
        channel=catalogue().channel(channel),
        received_on=received_on,
        at=at,
        office=office,
        subject=Subject(
            grievance.person_id, grievance.determination_id, grievance.enrolment_id, grievance.payment_id
        ),
        area_id=grievance.area_id,
        complainant=Complainant(grievance.complainant_name, grievance.phone),
        anonymous=grievance.anonymous,
        appeal_of=grievance,
        late_because=late_because,
    )


def open_on_same_subject(grievance: Grievance) -> Sequence[Grievance]:
    """Other open cases about the same person or payment, which may say the same."""
    same = [
        column == value
        for column, value in (
            (Grievance.person_id, grievance.person_id),
            (Grievance.payment_id, grievance.payment_id),
            (Grievance.determination_id, grievance.determination_id),
        )
        if value is not None
    ]
    if not same:
        return []
    return db.session.scalars(
        sa.select(Grievance)
        .where(Grievance.id != grievance.id, Grievance.status.in_(OPEN), sa.or_(*same))
        .order_by(Grievance.id.desc())
        .limit(20)
    ).all()


def new_word() -> str:
    """A word of two groups of four letters and digits: some 850,000 million different ones."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(2))


def plain_word(text: str) -> str:
    """The word as it is hashed, however it was typed."""
    return "".join(character for character in text.lower() if character.isalnum())


def _store(
    kind: Category,
    description: str,
    *,
    channel: str,
    received_on: date,
    at: datetime,
    office: WorkingDays,
    subject: Subject,
    area_id: int,
    complainant: Complainant,
    anonymous: bool,
    appeal_of: Grievance | None = None,
    late_because: str | None = None,
) -> Lodged:
    word = new_word()
    grievance = Grievance(
        area_id=area_id,
        category=kind.code,
        sensitive=kind.sensitive or (appeal_of is not None and appeal_of.sensitive),
        channel=channel,
        description=description,
        anonymous=anonymous,
        complainant_name=complainant.name,
        word_hash=passwords.hashed(plain_word(word)),
        person_id=subject.person_id,
        determination_id=subject.determination_id,
        enrolment_id=subject.enrolment_id,
        payment_id=subject.payment_id,
        received_on=received_on,
        acknowledge_by=deadlines.acknowledge_by(kind, received_on, office=office),
        due_on=deadlines.due_on(kind, received_on, office=office),
        late_because=late_because,
        appeal_of_id=appeal_of.id if appeal_of else None,
        lodged_by_id=acting.current().user_id,
        lodged_at=at,
    )
    grievance.phone = complainant.phone
    db.session.add(grievance)
    db.session.flush()
    return Lodged(grievance, word)


def _refuse_later(received_on: date, at: datetime) -> None:
    if received_on > at.date():
        raise Invalid("The day of reception lies in the future.", field="received_on")


def _text(text: str, *, field: str, ask: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid(ask, field=field)
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"This is too long: {LONGEST_TEXT:,} characters at most.", field=field)
    return text


def _named(complainant: Complainant, *, anonymous: bool) -> Complainant:
    name, phone = (complainant.name or "").strip() or None, (complainant.phone or "").strip() or None
    if anonymous and (name or phone):
        raise Invalid(
            "An anonymous grievance has no name and no telephone number. Leave them empty, or take the mark away.",
            field="anonymous",
        )
    if not anonymous and not name:
        raise Invalid("Write the name of the complainant, or mark the grievance as anonymous.", field="name")
    if len(name or "") > LONGEST_NAME or len(phone or "") > _LONGEST_PHONE:
        raise Invalid("This is too long.", field="name" if len(name or "") > LONGEST_NAME else "phone")
    if phone and sum(character.isdigit() for character in phone) < _FEWEST_DIGITS:
        raise Invalid("This is no telephone number.", field="phone")
    return Complainant(name, phone)
