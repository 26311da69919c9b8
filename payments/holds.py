"""Holds: no payment to an enrolment while one is live. What is due stays due, and is paid once the hold is released."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa

from eligibility.models import Enrolment, Scheme
from mis import access, acting
from mis.db import db
from mis.errors import Conflict, Invalid, Missing
from payments import carrying, scheduling
from payments.leaving_out import is_live
from payments.models import CarryOver, Cycle, Entitlement, Hold

PLACE, RELEASE = "payments:hold:place", "payments:hold:release"


def place(
    enrolment: Enrolment, *, reason: str, day: date, at: datetime, expires_on: date | None = None
) -> Hold:
    """Hold the payments to an enrolment, until somebody releases it or, if one is given, up to and with a last day.

    Raises Invalid without a reason or with a last day in the past, Conflict for an enrolment that has ended in refusal.
    A payment that is already out cannot be stopped: `too_late` says so.
    """
    access.need(PLACE, on=enrolment)
    if not reason.strip():
        raise Invalid("Say why the payments are held.", field="reason")
    if expires_on is not None and expires_on < day:
        raise Invalid("The last day of a hold cannot lie in the past.", field="expires_on")
    if enrolment.status in ("applied", "refused"):
        raise Conflict(
            f"This enrolment is {enrolment.status}: nothing is paid to it that could be held.",
            instead="Decide on the application instead.",
        )
    # The cycles first, then the payments: an export that has begun is waited for, and one that begins waits for us.
    for cycle in _under_way(enrolment):
        scheduling.lock(cycle)
    hold = Hold(
        enrolment_id=enrolment.id,
        person_id=enrolment.person_id,
        area_id=enrolment.area_id,
        reason=reason.strip(),
        placed_by_id=acting.current().user_id,
        placed_at=at,
        expires_on=expires_on,
    )
    db.session.add(hold)
    db.session.flush()
    return hold


def release(hold: Hold, *, reason: str, at: datetime) -> None:
    """Release a hold; what it withheld is paid by the next cycle that is computed.

    Raises Invalid without a reason, Conflict if it was released already.
    """
    access.need(RELEASE, on=hold)
    if not reason.strip():
        raise Invalid("Say why the hold is released.", field="reason")
    locked = sa.select(Hold).where(Hold.id == hold.id).with_for_update()
    hold = db.session.scalars(locked, execution_options={"populate_existing": True}).one()
    if hold.released_at is not None:
        raise Conflict("This hold was released already.", instead="Nothing more is to be done.")
    hold.released_by_id, hold.released_at = acting.current().user_id, at
    hold.release_reason = reason.strip()
    db.session.flush()


def get(hold_id: int) -> Hold:
    """The hold with this number, in the areas seen here. Raises Missing."""
    hold = db.session.scalar(sa.select(Hold).where(Hold.id == hold_id))
    if hold is None:
        raise Missing(f"There is no hold number {hold_id}.")
    return hold


def live_on(enrolment_id: int, day: date) -> Sequence[Hold]:
    """The holds of an enrolment that are live on a day, the oldest first."""
    found = sa.select(Hold).where(Hold.enrolment_id == enrolment_id, is_live(day)).order_by(Hold.id)
    return db.session.scalars(found).all()


def enrolment_of(person_id: int, scheme: Scheme) -> Enrolment:
    """The latest enrolment of a person in a scheme, which a hold concerns. Raises Missing."""
    enrolment = db.session.scalar(
        sa.select(Enrolment)
        .where(Enrolment.person_id == person_id, Enrolment.scheme_id == scheme.id)
        .order_by(Enrolment.id.desc())
        .limit(1)
    )
    if enrolment is None:
        raise Missing(f"This person is not enrolled in {scheme.code}.", field="person")
    return enrolment


def too_late(hold: Hold) -> Sequence[Cycle]:
    """The cycles whose export had begun when the hold was placed: their payments to the person are not stopped."""
    own = sa.select(Entitlement.cycle_id).where(Entitlement.enrolment_id == hold.enrolment_id)
    carried = (
        sa.select(CarryOver.cycle_id)
        .join(Entitlement, Entitlement.id == CarryOver.entitlement_id)
        .where(Entitlement.enrolment_id == hold.enrolment_id, CarryOver.cycle_id.is_not(None))
    )
    either = sa.or_(Cycle.id.in_(own), Cycle.id.in_(carried))
    return db.session.scalars(sa.select(Cycle).where(Cycle.status == "exporting", either)).all()


def _under_way(enrolment: Enrolment) -> Sequence[Cycle]:
    found = sa.select(Cycle).where(
        Cycle.scheme_id == enrolment.scheme_id, Cycle.status.in_(carrying.UNDER_WAY)
    )
    return db.session.scalars(found.order_by(Cycle.id)).all()
