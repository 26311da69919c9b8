"""The grievances of the demo: in every state, one without a name, one that is late, one that was contested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from grievances import casework, intake, subjects
from grievances.deadlines import WorkingDays
from grievances.intake import ANONYMOUS, Complainant
from grievances.models import Grievance
from mis import settings
from mis.accounts import console
from mis.db import db
from mis.demo import office
from mis.demo.office import Colleague
from payments.models import Hold
from registry.models import Area, Person

LODGE, WORK, RESOLVE = "grievances:case:lodge", "grievances:case:work", "grievances:case:resolve"


@dataclass(frozen=True)
class Day:
    """Today, this moment, and on which days the offices are open."""

    today: date
    at: datetime

    @property
    def office(self) -> WorkingDays:
        return WorkingDays.of(settings.current().country, settings.current().weekend)

    def before(self, days: int) -> date:
        return self.today - timedelta(days=days)


def answer_unpaid(payment_id: int, *, day: date, at: datetime) -> int:
    """Somebody whose payment was rejected complains, and is paid again by the next cycle; returns the case."""
    now = Day(day, at)
    case = _lodge(
        now,
        "payment_not_received",
        "I went to the pay point twice and was told that there is nothing for me.",
        received=now.before(12),
        payment_id=payment_id,
    )
    _give(case, office.CASEWORKER, now)
    _answer(
        case,
        office.CASEWORKER,
        now,
        finding="upheld",
        remedy="pay_again",
        decision="Your account was closed by the bank, and the payment came back. It is paid again with the next one.",
    )
    return case


def lodge_others(*, day: date, at: datetime) -> int:
    """All other cases; returns how many."""
    now = Day(day, at)
    people = _some_people(12)
    cases = [
        _lodge(now, "data_error", "My name is written wrongly on the list.", received=day, person=people[0]),
        _lodge(
            now,
            "service_quality",
            "The office closes at noon although the sign says three o'clock. We walk two hours to come here.",
            received=now.before(1),
            area="XX-N11",
        ),
    ]
    late = _lodge(
        now,
        "wrong_refusal",
        "My mother is over eighty and her neighbour, who is younger, has the pension. She was never asked.",
        received=now.before(45),
        person=people[2],
    )
    _give(late, office.SECOND_CASEWORKER, now)
    working = _lodge(
        now, "wrong_inclusion", "They left for the city a year ago.", received=now.before(8), person=people[3]
    )
    _give(working, office.CASEWORKER, now)
    _note(working, office.CASEWORKER, "Asked the commune to visit the household.", now)
    return len(cases) + 2 + _held(now) + _contested(now, people[4])


def _held(now: Day) -> int:
    """Somebody whose payments are held complains; the hold turns out to be wrong, and is released."""
    with db.unit_of_work(read_only=True):
        hold = db.session.scalar(
            sa.select(Hold).where(Hold.released_at.is_(None)).order_by(Hold.id.desc()).limit(1)
        )
    if hold is None:
        return 0
    case = _lodge(
        now,
        "payment_stopped",
        "I was in hospital on the pay days. Now I am told that my pension is stopped.",
        received=now.before(5),
        enrolment_id=hold.enrolment_id,
    )
    _give(case, office.CASEWORKER, now)
    _answer(
        case,
        office.CASEWORKER,
        now,
        finding="upheld",
        remedy="release_hold",
        decision="The hospital confirms your stay. Your pension goes on, and what was withheld is paid.",
    )
    return 1


def _contested(now: Day, person: int) -> int:
    """An answer that is appealed: the second case waits for somebody else."""
    case = _lodge(
        now,
        "wrong_amount",
        "The household was counted with nine members, and we are six.",
        received=now.before(25),
        person=person,
    )
    _give(case, office.CASEWORKER, now)
    _answer(
        case,
        office.CASEWORKER,
        now,
        finding="not_upheld",
        remedy="none",
        decision="The amount does not depend on the number of members.",
    )
    with office.at_work(office.CASEWORKER, LODGE, day=now.today):
        appealed = casework.appeal(
            casework.get(case),
            "Nobody has asked us how many we are, and the paper says otherwise.",
            channel="letter",
            received_on=now.today,
            at=now.at,
            office=now.office,
        )
        second = appealed.grievance.id
    _give(second, office.SECOND_CASEWORKER, now)
    return 2


def _lodge(
    now: Day,
    category: str,
    text: str,
    *,
    received: date,
    person: int | None = None,
    payment_id: int | None = None,
    enrolment_id: int | None = None,
    area: str | None = None,
) -> int:
    with office.at_work(office.CASEWORKER, LODGE, day=now.today):
        subject = subjects.about(person_id=person, payment_id=payment_id, enrolment_id=enrolment_id)
        lodged = intake.lodge(
            category,
            text,
            channel="office" if subject.person_id else "web",
            received_on=received,
            at=now.at,
            office=now.office,
            subject=subject,
            area_id=db.session.scalar(sa.select(Area.id).where(Area.code == area)) if area else None,
            complainant=_complainant(subject.person_id),
            anonymous=subject.person_id is None,
        )
        return lodged.grievance.id


def _complainant(person_id: int | None) -> Complainant:
    if person_id is None:
        return ANONYMOUS
    return Complainant(db.session.get_one(Person, person_id).name)


def _give(case: int, colleague: Colleague, now: Day) -> None:
    with office.at_work(office.CASEWORKER, WORK, day=now.today):
        grievance = casework.get(case)
        casework.acknowledge(grievance, day=now.today)
        casework.assign(grievance, console.existing(colleague.username), day=now.today)


def _note(case: int, colleague: Colleague, text: str, now: Day) -> None:
    with office.at_work(colleague, WORK, day=now.today):
        casework.note(casework.get(case), text, at=now.at)


def _answer(
    case: int, colleague: Colleague, now: Day, *, finding: str, remedy: str, decision: str
) -> Grievance:
    with office.at_work(colleague, RESOLVE, day=now.today):
        grievance = casework.get(case)
        casework.resolve(
            grievance,
            finding=finding,
            decision=decision,
            remedy=remedy,
            day=now.today,
            at=now.at,
            office=now.office,
        )
        return grievance


def _some_people(count: int) -> Sequence[int]:
    with db.unit_of_work(read_only=True):
        return db.session.scalars(sa.select(Person.id).order_by(Person.id).limit(count)).all()
