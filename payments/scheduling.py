"""Opening payment cycles, finding them again, and taking them in hand: one of a scheme and month, unless aborted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from eligibility.models import RuleSet, Scheme
from mis import access, acting
from mis.calendar import Month
from mis.db import db
from mis.errors import Conflict, Forbidden, Missing
from payments.models import Cycle

PREPARE = "payments:cycle:prepare"


def open_cycle(scheme: Scheme, month: Month, *, at: datetime) -> Cycle:
    """Open the cycle of a scheme for a month.

    Raises Conflict if there is one already, or if the scheme had no rules in force in that month.
    """
    need_whole_country(PREPARE)
    _need_rules(scheme, month)
    there = find(scheme, month)
    if there is not None:
        raise _already(there)
    cycle = Cycle(
        scheme_id=scheme.id,
        month=str(month),
        currency=scheme.currency,
        opened_by_id=acting.current().user_id,
        opened_at=at,
    )
    cycle.scheme = scheme
    try:
        with db.session.begin_nested():
            db.session.add(cycle)
    except IntegrityError:
        there = find(scheme, month)
        if there is None:
            raise
        raise _already(there) from None
    return cycle


def need_whole_country(permission: str) -> None:
    """Refuse who holds the permission in some areas only: a cycle pays a scheme as a whole, or leaves people out."""
    access.need(permission)
    if access.areas_of(permission) is not None:
        raise Forbidden(
            "A payment cycle pays the whole country, and your role is limited to some areas.",
            instead="Ask a colleague whose role holds for the whole country.",
        )


def scheme_named(code: str) -> Scheme:
    """The scheme with this code. Raises Missing."""
    scheme = db.session.scalar(sa.select(Scheme).where(Scheme.code == code))
    if scheme is None:
        raise Missing(f"There is no scheme {code!r}.", field="scheme", instead="See: mis scheme list")
    return scheme


def find(scheme: Scheme, month: Month) -> Cycle | None:
    """The cycle of a scheme and month that is not aborted."""
    return db.session.scalar(
        _with_scheme().where(
            Cycle.scheme_id == scheme.id, Cycle.month == str(month), Cycle.status != "aborted"
        )
    )


def named(scheme_code: str, month: Month) -> Cycle:
    """The cycle that people call by scheme and month; if all were aborted, the last one. Raises Missing."""
    scheme = scheme_named(scheme_code)
    cycle = find(scheme, month) or _last_aborted(scheme, month)
    if cycle is None:
        raise Missing(
            f"There is no payment cycle of {scheme.code} for {month}.",
            field="month",
            instead=f"Open it: mis cycle open {scheme.code} {month}",
        )
    return cycle


def get(cycle_id: int) -> Cycle:
    """The cycle with this number, with its scheme. Raises Missing."""
    cycle = db.session.scalar(_with_scheme().where(Cycle.id == cycle_id))
    if cycle is None:
        raise Missing(f"There is no payment cycle number {cycle_id}.")
    return cycle


def lock(cycle: Cycle) -> Cycle:
    """Take the cycle in hand until the end of the unit of work, and read it anew.

    Everything that changes what a cycle pays locks it first, and then looks: a hold placed now must either stop the
    payment or come too late, never both.
    """
    query = _with_scheme().where(Cycle.id == cycle.id).with_for_update(of=Cycle)
    return db.session.scalars(query, execution_options={"populate_existing": True}).one()


def at_work(cycle_id: int, status: str) -> Cycle:
    """The cycle that a job works on; it stays in `status` until the end of the unit of work.

    Raises Conflict if it has left it: an old job that somebody resumes must not touch what was decided since.
    """
    query = _with_scheme().where(Cycle.id == cycle_id).with_for_update(read=True, of=Cycle)
    cycle = db.session.scalars(query, execution_options={"populate_existing": True}).one()
    if cycle.status != status:
        raise Conflict(
            f"This payment cycle is {cycle.status_label.lower()} by now, so this job has nothing to do.",
            instead="Look at the cycle.",
        )
    return cycle


def previous(cycle: Cycle) -> Cycle | None:
    """The cycle of the same scheme for the latest month before, if there is one that was not aborted."""
    return db.session.scalar(
        _with_scheme()
        .where(
            Cycle.scheme_id == cycle.scheme_id,
            Cycle.month < cycle.month,
            Cycle.status.not_in(("aborted", "open", "computing")),
        )
        .order_by(Cycle.month.desc())
        .limit(1)
    )


def of_scheme(scheme: Scheme, *statuses: str) -> Sequence[Cycle]:
    """The cycles of a scheme in these statuses, by month."""
    found = _with_scheme().where(Cycle.scheme_id == scheme.id, Cycle.status.in_(statuses))
    return db.session.scalars(found.order_by(Cycle.month, Cycle.id)).all()


def _last_aborted(scheme: Scheme, month: Month) -> Cycle | None:
    found = _with_scheme().where(Cycle.scheme_id == scheme.id, Cycle.month == str(month))
    return db.session.scalar(found.order_by(Cycle.id.desc()).limit(1))


def _with_scheme() -> sa.Select[Cycle]:
    return sa.select(Cycle).options(joinedload(Cycle.scheme))


def _need_rules(scheme: Scheme, month: Month) -> None:
    in_force = sa.select(sa.func.count()).where(
        RuleSet.scheme_id == scheme.id,
        RuleSet.status == "published",
        RuleSet.valid_from <= month.last_day,
        sa.or_(RuleSet.valid_to.is_(None), RuleSet.valid_to > month.first_day),
    )
    if not db.session.scalar(in_force):
        raise Conflict(
            f"The scheme {scheme.code} has no rules in force in {month}, so nobody can be paid under it.",
            instead="Publish its rules first.",
        )


def _already(cycle: Cycle) -> Conflict:
    return Conflict(
        f"There is already a payment cycle of {cycle.scheme.code} for {cycle.month}: it is "
        f"{cycle.status_label.lower()}.",
        instead="Go on with that one, or abort it first.",
    )
