"""mis grievance lodge | show | list | acknowledge | assign | note | resolve | appeal | close."""

from __future__ import annotations

from datetime import date
from typing import Any

import click
import sqlalchemy as sa

from grievances import casework, deadlines, intake, subjects
from grievances.catalogue import catalogue
from grievances.deadlines import WorkingDays
from grievances.intake import Complainant, Lodged
from grievances.models import Grievance, grievance_lifecycle
from grievances.subjects import Subject
from mis import acting, settings
from mis.accounts import console
from mis.calendar import now, today
from mis.commands import DAY, command
from mis.db import db
from mis.errors import Missing
from mis.web.inputs import area_by_text
from payments.models import Payment
from registry import references

READ, LODGE, WORK, RESOLVE = (f"grievances:case:{verb}" for verb in ("read", "lodge", "work", "resolve"))
LISTED = 50


@click.group("grievance")
def group() -> None:
    """Grievances: taken in, worked on, answered with a remedy that acts, appealed."""


@command(group, "lodge", permission="grievances:case:lodge")
@click.option("--category", required=True, type=click.Choice([*catalogue().categories]))
@click.option("--channel", default="office", show_default=True, type=click.Choice([*catalogue().channels]))
@click.option("--text", required=True, help="What the grievance is about, in words.")
@click.option("--person", help="The reference number of the person concerned, P-….")
@click.option("--decision", type=int, help="The number of the decision it is against.")
@click.option("--enrolment", type=int, help="The number of the enrolment it is about.")
@click.option("--payment", help="The end-to-end identification of the payment it is about.")
@click.option("--area", help="The code of the area, when no person is concerned.")
@click.option("--name", help="The name of the complainant.")
@click.option("--phone", help="A telephone number of the complainant.")
@click.option("--anonymous", is_flag=True, help="The complainant gives no name.")
@click.option("--received", type=DAY, help="The day it reached the office (default: today).")
def lodge(
    category: str,
    channel: str,
    text: str,
    person: str | None,
    decision: int | None,
    enrolment: int | None,
    payment: str | None,
    area: str | None,
    name: str | None,
    phone: str | None,
    anonymous: bool,
    received: date | None,
) -> dict[str, Any]:
    """Take a grievance in; prints its reference and the word, once, with which its author can ask about it."""
    lodged = intake.lodge(
        category,
        text,
        channel=channel,
        received_on=received or today(),
        at=now(),
        office=_office(),
        subject=_subject(person, decision, enrolment, payment),
        area_id=area_by_text(area) if area else None,
        complainant=Complainant(name, phone),
        anonymous=anonymous,
    )
    return _receipt(lodged)


@command(group, "show", permission="grievances:case:read", reads=True)
@click.argument("reference")
def show(reference: str) -> dict[str, Any]:
    """One case: its status, deadlines, notes and answer."""
    grievance = casework.by_reference(reference)
    appeal = casework.appeal_against(grievance)
    return _summary(grievance) | {
        "description": grievance.description,
        "anonymous": grievance.anonymous,
        "complainant": grievance.complainant_name,
        "phone": grievance.phone_hint,
        "decision_id": grievance.determination_id,
        "enrolment_id": grievance.enrolment_id,
        "payment_id": grievance.payment_id,
        "acknowledge_by": grievance.acknowledge_by,
        "acknowledged_on": grievance.acknowledged_on,
        "resolved_on": grievance.resolved_on,
        "finding": grievance.finding,
        "decision": grievance.decision,
        "remedy": grievance.remedy,
        "remedy_result": grievance.remedy_result,
        "appeal_by": grievance.appeal_by,
        "appeal": intake.reference(appeal) if appeal else None,
        "appeal_of": references.reference(references.GRIEVANCE, grievance.appeal_of_id)
        if grievance.appeal_of_id
        else None,
        "notes": [{"at": one.at, "by": one.author_name, "text": one.text} for one in grievance.notes],
        "similar": [intake.reference(one) for one in intake.open_on_same_subject(grievance)],
    }


@command(group, "list", permission="grievances:case:read", reads=True)
@click.option("--status", type=click.Choice([*grievance_lifecycle.statuses]))
@click.option("--category", type=click.Choice([*catalogue().categories]))
@click.option("--overdue", is_flag=True, help="Only those that are late.")
@click.option("--mine", is_flag=True, help="Only those assigned to whoever asks.")
@click.option("--limit", default=LISTED, show_default=True, type=click.IntRange(1, 1000))
def list_(
    status: str | None, category: str | None, overdue: bool, mine: bool, limit: int
) -> list[dict[str, Any]]:
    """The cases that you may see, what is due first standing first."""
    found = sa.select(Grievance).order_by(Grievance.due_on, Grievance.id).limit(limit)
    if status:
        found = found.where(Grievance.status == status)
    if category:
        found = found.where(Grievance.category == category)
    if overdue:
        found = found.where(deadlines.overdue(today()))
    if mine:
        found = found.where(Grievance.assigned_to_id == acting.current().user_id)
    return [_summary(grievance) for grievance in db.session.scalars(found)]


@command(group, "acknowledge", permission="grievances:case:work")
@click.argument("reference")
def acknowledge(reference: str) -> dict[str, Any]:
    """Say that the case has arrived."""
    grievance = casework.by_reference(reference)
    casework.acknowledge(grievance, day=today())
    return _summary(grievance)


@command(group, "assign", permission="grievances:case:work")
@click.argument("reference")
@click.argument("account", metavar="USERNAME")
def assign(reference: str, account: str) -> dict[str, Any]:
    """Give the case to a user who may work on it in its area."""
    grievance = casework.by_reference(reference)
    casework.assign(grievance, console.existing(account), day=today())
    return _summary(grievance) | {"assigned_to": account}


@command(group, "note", permission="grievances:case:work")
@click.argument("reference")
@click.argument("text")
def note(reference: str, text: str) -> dict[str, Any]:
    """Write down what was found or done."""
    grievance = casework.by_reference(reference)
    made = casework.note(grievance, text, at=now())
    return {"reference": intake.reference(grievance), "by": made.author_name, "text": made.text}


@command(group, "resolve", permission="grievances:case:resolve")
@click.argument("reference")
@click.option("--finding", required=True, type=click.Choice([*catalogue().findings]))
@click.option("--decision", required=True, help="The answer, in words that the complainant understands.")
@click.option("--remedy", default="none", show_default=True, type=click.Choice([*catalogue().remedies]))
def resolve(reference: str, finding: str, decision: str, remedy: str) -> dict[str, Any]:
    """Answer the case; its remedy acts at once, or the answer is refused."""
    grievance = casework.by_reference(reference)
    casework.resolve(
        grievance,
        finding=finding,
        decision=decision,
        remedy=remedy,
        day=today(),
        at=now(),
        office=_office(),
    )
    return _summary(grievance) | {
        "finding": finding,
        "remedy": remedy,
        "remedy_result": grievance.remedy_result,
        "appeal_by": grievance.appeal_by,
    }


@command(group, "appeal", permission="grievances:case:lodge")
@click.argument("reference")
@click.option("--grounds", required=True, help="Why the answer is contested.")
@click.option("--channel", default="office", show_default=True, type=click.Choice([*catalogue().channels]))
@click.option("--received", type=DAY, help="The day it reached the office (default: today).")
@click.option("--late-because", help="Why an appeal that came too late is heard all the same.")
def appeal(
    reference: str, grounds: str, channel: str, received: date | None, late_because: str | None
) -> dict[str, Any]:
    """Contest the answer: a new case, which another person answers."""
    grievance = casework.by_reference(reference)
    lodged = casework.appeal(
        grievance,
        grounds,
        channel=channel,
        received_on=received or today(),
        at=now(),
        office=_office(),
        late_because=late_because,
    )
    return _receipt(lodged) | {"appeal_of": intake.reference(grievance)}


@command(group, "close", permission="grievances:case:resolve")
@click.argument("reference")
def close(reference: str) -> dict[str, Any]:
    """Put an answered case away."""
    grievance = casework.by_reference(reference)
    casework.close(grievance)
    return _summary(grievance)


def _office() -> WorkingDays:
    return WorkingDays.of(settings.current().country, settings.current().weekend)


def _subject(person: str | None, decision: int | None, enrolment: int | None, payment: str | None) -> Subject:
    person_id = references.parse(person, kind=references.PERSON, field="person")[1] if person else None
    payment_id = None
    if payment:
        payment_id = db.session.scalar(sa.select(Payment.id).where(Payment.end_to_end_id == payment))
        if payment_id is None:
            raise Missing(f"There is no payment “{payment[:40]}” here.", field="payment")
    return subjects.about(
        person_id=person_id, determination_id=decision, enrolment_id=enrolment, payment_id=payment_id
    )


def _receipt(lodged: Lodged) -> dict[str, Any]:
    grievance = lodged.grievance
    return {
        "reference": lodged.reference,
        "word": lodged.word,
        "acknowledge_by": grievance.acknowledge_by,
        "due_on": grievance.due_on,
        "similar": [intake.reference(one) for one in intake.open_on_same_subject(grievance)],
    }


def _summary(grievance: Grievance) -> dict[str, Any]:
    person = grievance.person_id
    return {
        "reference": intake.reference(grievance),
        "status": grievance.status,
        "category": grievance.category,
        "person": references.reference(references.PERSON, person) if person else None,
        "received_on": grievance.received_on,
        "due_on": grievance.due_on,
        "overdue": deadlines.is_overdue(grievance, today()),
    }


commands: tuple[click.Command, ...] = (group,)
