"""What becomes of a grievance: acknowledged, assigned, looked into, answered with a remedy that acts, appealed, closed.

The answer and its remedy are one: if the remedy is refused where it acts, there is no answer either. An appeal is
answered by another person than whoever answered before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from grievances import deadlines, intake, remedies
from grievances.catalogue import catalogue
from grievances.deadlines import WorkingDays
from grievances.intake import Lodged
from grievances.models import SENSITIVE, CaseNote, Grievance, grievance_lifecycle
from mis import access, acting
from mis.access import closure
from mis.accounts import roles
from mis.accounts.models import RoleAssignment, User
from mis.db import db
from mis.errors import Conflict, Forbidden, Invalid, Missing
from mis.states import StateChange, touch
from registry import references

WORK = "grievances:case:work"
LONGEST_NOTE = 4_000


def get(grievance_id: int) -> Grievance:
    """A case with its notes, its person and whoever works on it. Raises Missing for one that is not to be seen here."""
    found = db.session.scalar(
        sa.select(Grievance)
        .where(Grievance.id == grievance_id)
        .options(
            selectinload(Grievance.notes),
            selectinload(Grievance.person),
            selectinload(Grievance.assigned_to),
        )
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise Missing("There is no such grievance, or it is not among those that you may see.")
    return found


def by_reference(text: str) -> Grievance:
    """The case with this reference number. Raises Invalid for a wrong digit, Missing for one that is not to be seen."""
    return get(references.parse(text, kind=references.GRIEVANCE, field="reference")[1])


def acknowledge(grievance: Grievance, *, day: date) -> None:
    """Tell that the case has arrived; the day is kept."""
    access.need(WORK)
    need_step(grievance, "acknowledge")
    grievance.acknowledged_on = day
    grievance_lifecycle.take(grievance, "acknowledge")


def workers(grievance: Grievance, *, day: date) -> Sequence[User]:
    """The users to whom the case may be given: who may work on cases there, and on sensitive ones if it is one."""
    fitting = [
        role.code
        for role in roles.assignable()
        if _covers(role, WORK) and (not grievance.sensitive or _covers(role, SENSITIVE))
    ]
    above = sa.select(closure.c.ancestor_id).where(closure.c.descendant_id == grievance.area_id)
    holders = sa.select(RoleAssignment.user_id).where(
        RoleAssignment.role.in_(fitting),
        roles.in_force(day),
        sa.or_(RoleAssignment.area_id.is_(None), RoleAssignment.area_id.in_(above)),
    )
    return db.session.scalars(
        sa.select(User).where(User.active, User.id.in_(holders)).order_by(User.name, User.id)
    ).all()


def assign(grievance: Grievance, user: User, *, day: date) -> None:
    """Give the case to a user, who must be one of `workers`."""
    access.need(WORK)
    need_step(grievance, "assign")
    if user not in workers(grievance, day=day):
        raise Invalid(
            f"{user.name} may not work on this case: it takes the role of a grievance officer in its area.",
            field="user",
        )
    if (sentence := _same_person_as_before(grievance, user.person)) is not None:
        raise Conflict(sentence, field="user")
    grievance.assigned_to_id = user.id
    db.session.flush()
    grievance_lifecycle.take(grievance, "assign")
    db.session.refresh(grievance, ["assigned_to"])


def note(grievance: Grievance, text: str, *, at: datetime) -> CaseNote:
    """Write down what was found or done."""
    access.need(WORK)
    if not grievance.is_open:
        raise Conflict(
            f"This case is {grievance.status_label.lower()}: it takes no more notes.",
            instead="Whoever disagrees with the answer lodges an appeal.",
        )
    if not text.strip() or len(text) > LONGEST_NOTE:
        raise Invalid(f"Write a note of 1 to {LONGEST_NOTE:,} characters.", field="text")
    actor = acting.current()
    made = CaseNote(
        grievance_id=grievance.id,
        author_id=actor.user_id,
        author_name=actor.name,
        text=text.strip(),
        at=at,
    )
    db.session.add(made)
    touch(grievance, "noted")
    return made


def resolve(
    grievance: Grievance,
    *,
    finding: str,
    decision: str,
    remedy: str,
    day: date,
    at: datetime,
    office: WorkingDays,
) -> None:
    """Answer the case: what was found, the decision in words, and the remedy, which acts now, in the same transaction.

    Raises Forbidden when the one who acts answered the grievance that this appeal contests, Conflict in a wrong status
    or when the remedy is refused where it acts, Invalid for what is missing.
    """
    access.need(grievance_lifecycle.steps["resolve"].permission)
    need_step(grievance, "resolve")
    if (sentence := _same_person_as_before(grievance, acting.current().person)) is not None:
        raise Forbidden(sentence, instead="Assign it to a colleague.")
    _check_answer(finding, decision, remedy)
    remedies.refuse_unfit(grievance, remedy, finding=finding, day=day)
    grievance.finding, grievance.decision, grievance.remedy = finding, decision.strip(), remedy
    grievance.resolved_on, grievance.appeal_by = day, deadlines.appeal_by(day, office=office)
    grievance.remedy_result = remedies.act(grievance, remedy, reason=_because(grievance), day=day, at=at)
    grievance_lifecycle.take(grievance, "resolve", reason=decision)


def appeal(
    grievance: Grievance,
    grounds: str,
    *,
    channel: str,
    received_on: date,
    at: datetime,
    office: WorkingDays,
    late_because: str | None = None,
) -> Lodged:
    """Contest the answer: a new case with deadlines of its own. One that comes too late needs a reason to be heard.

    Raises Conflict for a case that has no answer yet, was appealed before, or is an appeal itself.
    """
    access.need(grievance_lifecycle.steps["appeal"].permission)
    need_step(grievance, "appeal")
    if grievance.appeal_of_id is not None:
        raise Conflict(catalogue().appeal.beyond)
    assert grievance.appeal_by is not None, grievance.id
    late = received_on > grievance.appeal_by
    if late and not (late_because or "").strip():
        raise Invalid(
            f"The right of appeal ended on {grievance.appeal_by}. If there is a good reason why it is heard all the "
            "same, write it down.",
            field="late_because",
        )
    lodged = intake.lodge_appeal(
        grievance,
        grounds,
        channel=channel,
        received_on=received_on,
        at=at,
        office=office,
        late_because=(late_because or "").strip() if late else None,
    )
    grievance_lifecycle.take(grievance, "appeal", reason=grounds)
    return lodged


def close(grievance: Grievance) -> None:
    """Put the file away. The right of appeal stays until its last day."""
    grievance_lifecycle.take(grievance, "close")


def appeal_against(grievance: Grievance) -> Grievance | None:
    """The appeal that contests this case, if there is one."""
    return db.session.scalar(sa.select(Grievance).where(Grievance.appeal_of_id == grievance.id))


def need_step(grievance: Grievance, step_name: str) -> None:
    """Refuse a step that does not lead out of the status of the case, before anything is written for it."""
    # Before anything is written: the lifecycle would refuse as well, but after the fields had been filled in.
    step = grievance_lifecycle.steps[step_name]
    if grievance.status not in step.sources:
        ways = [one.label for one in grievance_lifecycle.steps.values() if grievance.status in one.sources]
        raise Conflict(
            f"“{step.label}” is not possible: this grievance is {grievance.status_label.lower()}.",
            instead=f"From here: {', '.join(ways)}." if ways else "Nothing more can be done with it.",
        )


def _check_answer(finding: str, decision: str, remedy: str) -> None:
    if finding not in catalogue().findings:
        raise Invalid(f"Choose a finding: {', '.join(catalogue().findings)}.", field="finding")
    if not decision.strip():
        raise Invalid("Write the decision in words that the complainant understands.", field="decision")
    if len(decision) > intake.LONGEST_TEXT:
        raise Invalid(f"This is too long: {intake.LONGEST_TEXT:,} characters at most.", field="decision")
    if remedy not in catalogue().remedies:
        raise Invalid(f"Choose a remedy: {', '.join(catalogue().remedies)}.", field="remedy")


def _because(grievance: Grievance) -> str:
    return f"Grievance {intake.reference(grievance)}: {grievance.decision}"


def _same_person_as_before(grievance: Grievance, person: str) -> str | None:
    """The sentence that keeps whoever answered the first case away from its appeal."""
    if grievance.appeal_of_id is None:
        return None
    answered = db.session.scalars(
        sa.select(StateChange.person).where(
            StateChange.record_type == Grievance.__tablename__,
            StateChange.record_id == grievance.appeal_of_id,
            StateChange.step == "resolve",
        )
    ).all()
    if person not in answered:
        return None
    return "An appeal is answered by a second person: not by whoever gave the answer that it contests."


def _covers(role: access.Role, permission: str) -> bool:
    return acting.Grant(role.permissions, None).covers(permission)


grievance_lifecycle.behave(
    "resolve", unless=lambda grievance: _same_person_as_before(grievance, acting.current().person)
)
