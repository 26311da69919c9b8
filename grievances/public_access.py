"""What anybody may do without an account: lodge a grievance, and ask with reference and word what became of it.

Nothing is told about anybody: a reference number of a person is taken as it is given, whether there is such a person or
not, and a wrong word is answered like a case that does not exist. Uses are counted by network address in the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from grievances import casework, intake
from grievances.catalogue import catalogue
from grievances.deadlines import WorkingDays
from grievances.intake import Complainant, Lodged
from grievances.models import SENSITIVE, Grievance, PublicTry
from grievances.subjects import NOTHING, Subject
from mis import acting, sealed
from mis.accounts import passwords
from mis.acting import Actor, Grant
from mis.db import db
from mis.errors import Conflict, Invalid, Missing, Refusal
from registry import references
from registry.models import Person

# Whoever writes on the public page may see, and appeal, the one case whose word he or she knows, sensitive or not.
PUBLIC = Actor(None, "the public page", "public", "web", (Grant((SENSITIVE, "grievances:case:lodge"), None),))
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Answer:
    """What the author of a grievance may know of it: nobody's name, nobody's data."""

    reference: str
    status: str
    status_label: str
    received_on: date
    acknowledge_by: date
    due_on: date
    resolved_on: date | None
    finding: str | None
    decision: str | None
    appeal_by: date | None
    may_appeal: bool


def count(kind: str, address: str, *, at: datetime) -> None:
    """Count a use (`lodge` or `look_up`), and refuse one too many within the hour.

    The view commits the count even when the use itself is refused.
    """
    known = catalogue()
    limit = known.lodgings_per_hour if kind == "lodge" else known.lookups_per_hour
    code = sealed.blind(address, purpose="public address")
    used = db.session.scalar(
        sa.select(sa.func.count(PublicTry.id)).where(
            PublicTry.kind == kind, PublicTry.address_blind == code, PublicTry.at > at - _HOUR
        )
    )
    if (used or 0) >= limit:
        raise Conflict(
            "This page was used too often from here within the last hour.",
            instead="Try again later, or go to the nearest office: your grievance is taken there at once.",
        )
    db.session.add(PublicTry(kind=kind, address_blind=code, at=at))
    db.session.flush()


def lodge(
    category: str,
    description: str,
    *,
    area_id: int,
    person_reference: str,
    complainant: Complainant,
    anonymous: bool,
    at: datetime,
    office: WorkingDays,
) -> Lodged:
    """Lodge as anybody. A reference with a wrong digit is refused; whether there is such a person is not told."""
    if not catalogue().category(category).public:
        raise Invalid("Choose what it is about.", field="category")
    with acting.acting(PUBLIC):
        return intake.lodge(
            category,
            description,
            channel="web",
            received_on=at.date(),
            at=at,
            office=office,
            subject=_perhaps(person_reference),
            area_id=area_id,
            complainant=complainant,
            anonymous=anonymous,
        )


def look_up(reference: str, word: str, *, day: date) -> Answer:
    """What became of a case. Raises Missing, in one and the same sentence, for a wrong reference or a wrong word."""
    with acting.acting(PUBLIC):
        found = _with_word(reference, word)
        return Answer(
            reference=intake.reference(found),
            status=found.status,
            status_label=found.status_label,
            received_on=found.received_on,
            acknowledge_by=found.acknowledge_by,
            due_on=found.due_on,
            resolved_on=found.resolved_on,
            finding=found.finding,
            decision=found.decision,
            appeal_by=found.appeal_by,
            may_appeal=_may_appeal(found, day),
        )


def appeal(reference: str, word: str, grounds: str, *, at: datetime, office: WorkingDays) -> Lodged:
    """Appeal as the author of a grievance. One that comes too late is sent to an office, where its reason is heard."""
    with acting.acting(PUBLIC):
        found = _with_word(reference, word)
        if found.appeal_by is not None and at.date() > found.appeal_by:
            raise Conflict(
                f"The right of appeal ended on {found.appeal_by}.",
                instead="If you had a good reason for being late, go to the nearest office: it is heard there.",
            )
        return casework.appeal(found, grounds, channel="web", received_on=at.date(), at=at, office=office)


def _with_word(reference: str, word: str) -> Grievance:
    found = None
    try:
        number = references.parse(reference, kind=references.GRIEVANCE)[1]
        found = db.session.scalar(sa.select(Grievance).where(Grievance.id == number))
    except Refusal:
        number = 0
    # Hashed also where there is no case, so that the time tells nothing.
    right = passwords.matches(found.word_hash if found else None, intake.plain_word(word))
    if found is None or not right:
        raise Missing(
            "There is no grievance with this number and this word. Look at both on your receipt.",
            field="reference",
        )
    return found


def _may_appeal(grievance: Grievance, day: date) -> bool:
    return (
        grievance.status in ("resolved", "closed")
        and grievance.appeal_of_id is None
        and grievance.appeal_by is not None
        and day <= grievance.appeal_by
    )


def _perhaps(person_reference: str) -> Subject:
    if not person_reference.strip():
        return NOTHING
    number = references.parse(person_reference, kind=references.PERSON, field="person")[1]
    person = db.session.scalar(sa.select(Person).where(Person.id == number))
    return Subject(person_id=person.id, area_id=person.area_id) if person else NOTHING
