"""Computing a cycle: who is due what for the month, and for everybody else of the scheme the reason why not.

A job works the enrolments in spans of fixed numbers, each in one transaction that first discards what an earlier
computation of the same span had left: it may be killed, resumed and repeated, and the totals are the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from eligibility.models import Enrolment
from mis import audit, calendar, jobs
from mis.audit.subjects import table_of
from mis.calendar import Month
from mis.db import db, freshen
from mis.jobs import Chunk, Job
from payments import carrying, paylist, resuming, scheduling, totals
from payments.leaving_out import Terms, confirmed_account, e, hold_of, not_due, p, t, withheld
from payments.models import Cycle, Entitlement, NotPaid, PaymentAccount, cycle_lifecycle
from payments.totals import Sum, sum_of
from registry.models import Person

PREPARE = scheduling.PREPARE
REGULAR = "regular"

# Spans begin at multiples of this, whoever computes when: an entry of the audit trail that discards a span must cover
# exactly what earlier entries said of it.
SPAN = 50_000

_entitlement, _not_paid = table_of(Entitlement), table_of(NotPaid)
n = _not_paid.c


def begin(cycle: Cycle) -> Job:
    """Start (or, after a failure, continue) the computation of a cycle; the job returned does it."""
    scheduling.need_whole_country(PREPARE)
    cycle = scheduling.lock(cycle)
    subject = f"cycle:{cycle.id}"
    if cycle.status == "computing":
        return resuming.go_on("payments:compute", subject)
    cycle_lifecycle.take(cycle, "compute")
    return jobs.ask("payments:compute", {"cycle": cycle.id}, subject=subject, permission=PREPARE)


@jobs.kind("payments:compute")
class Compute(jobs.Kind):
    """The computation of one cycle."""

    label = "Compute entitlements"

    def plan(self, payload: dict[str, Any]) -> list[tuple[int, int]]:
        """The spans in which the scheme has enrolments."""
        cycle = scheduling.get(payload["cycle"])
        span = ((Enrolment.id - 1) // SPAN).label("span")
        found = sa.select(span).where(Enrolment.scheme_id == cycle.scheme_id).distinct().order_by(span)
        return [(number * SPAN + 1, (number + 1) * SPAN) for number in db.session.scalars(found)]

    def work(self, payload: dict[str, Any], chunk: Chunk) -> dict[str, Any]:
        """Compute one span."""
        cycle = scheduling.at_work(payload["cycle"], "computing")
        return {"rows": compute_span(cycle, chunk.low, chunk.high)}

    def finish(self, payload: dict[str, Any], results: list[dict[str, Any]]) -> dict[str, Any]:
        """Take up what earlier cycles left, store the figures, and say that the cycle is computed."""
        cycle = scheduling.lock(scheduling.get(payload["cycle"]))
        figures = _close(cycle, at=calendar.now())
        cycle_lifecycle.take(cycle, "computed")
        return {name: figures[name].count for name in ("entitled", "carried", "payable", "withheld")}


def compute_span(cycle: Cycle, low: int, high: int) -> int:
    """Compute the enrolments numbered low to high; returns how many were looked at."""
    terms = paylist.terms(cycle, calendar.today())
    within = {"enrolment_id": [low, high]}
    _discard_aborted(cycle, low, high)
    with audit.bulk("reasons for not paying stored", table=NotPaid, where={"cycle_id": cycle.id, **within}):
        _delete(_not_paid, cycle.id, low, high)
        with audit.bulk("entitlements computed", table=Entitlement, where={"cycle_id": cycle.id, **within}):
            _delete(_entitlement, cycle.id, low, high)
            _insert_entitlements(terms, low, high)
        _insert_reasons(terms, low, high)
    looked_at = sa.select(sa.func.count()).where(*_of_scheme(terms, low, high))
    return db.session.scalar(looked_at) or 0


def _of_scheme(terms: Terms, low: int, high: int) -> list[sa.ColumnElement[bool]]:
    # The refused were never in the scheme; their determination says why.
    return [e.scheme_id == terms.scheme_id, e.id.between(low, high), e.status != "refused"]


def _delete(table: sa.Table, cycle_id: int, low: int, high: int) -> None:
    db.session.execute(
        sa.delete(table).where(table.c.cycle_id == cycle_id, table.c.enrolment_id.between(low, high))
    )


def _insert_entitlements(terms: Terms, low: int, high: int) -> None:
    due = (
        sa.select(
            sa.literal(terms.cycle_id), e.id, e.person_id, e.area_id, sa.literal(str(terms.month)),
            sa.literal(REGULAR), e.amount_minor, e.currency,
        )
        .join_from(Enrolment.__table__, Person.__table__, p.id == e.person_id)
        .where(*_of_scheme(terms, low, high), not_due(terms).is_(None))
        .order_by(e.id)
    )  # fmt: skip
    names = ["cycle_id", "enrolment_id", "person_id", "area_id", "month", "kind", "amount_minor", "currency"]
    db.session.execute(sa.insert(_entitlement).from_select(names, due))


def _insert_reasons(terms: Terms, low: int, high: int) -> None:
    # Whoever came into the scheme since the statement before has no entitlement, and is told so.
    meanwhile = sa.case((t.id.is_(None), "meanwhile"), else_=sa.null())
    reason = sa.func.coalesce(not_due(terms), meanwhile, withheld(terms))
    left_out = (
        sa.select(
            sa.literal(terms.cycle_id), e.id, t.id, e.person_id, e.area_id, reason,
            sa.case((reason == "held", hold_of(e.id, terms.day)), else_=sa.null()),
        )
        .select_from(
            Enrolment.__table__.join(Person.__table__, p.id == e.person_id)
            .outerjoin(_entitlement, sa.and_(t.cycle_id == terms.cycle_id, t.enrolment_id == e.id))
            .outerjoin(PaymentAccount.__table__, confirmed_account(e.person_id))
        )
        .where(*_of_scheme(terms, low, high), reason.is_not(None))
        .order_by(e.id)
    )  # fmt: skip
    names = ["cycle_id", "enrolment_id", "entitlement_id", "person_id", "area_id", "reason", "hold_id"]
    db.session.execute(sa.insert(_not_paid).from_select(names, left_out))


def _discard_aborted(cycle: Cycle, low: int, high: int) -> None:
    """An aborted cycle of the same month was a draft that nobody approved: its entitlements give way."""
    aborted = sa.select(Cycle.id).where(
        Cycle.scheme_id == cycle.scheme_id, Cycle.month == cycle.month, Cycle.status == "aborted"
    )
    for cycle_id in db.session.scalars(aborted).all():
        where = {"cycle_id": cycle_id, "enrolment_id": [low, high]}
        with audit.bulk("reasons of an aborted cycle discarded", table=NotPaid, where=where):
            _delete(_not_paid, cycle_id, low, high)
        with audit.bulk("entitlements of an aborted cycle discarded", table=Entitlement, where=where):
            _delete(_entitlement, cycle_id, low, high)


def _close(cycle: Cycle, *, at: datetime) -> dict[str, Sum]:
    freshen("entitlement", "not_paid")
    carried = carrying.take_up(cycle, day=at.date(), at=at)
    figures = {
        "entitled": _sum(_entitlement.c.cycle_id == cycle.id),
        "carried": carried,
        "payable": paylist.total(cycle.id),
        **_left_out(cycle.id),
        **_compared(cycle),
    }
    assert all(check.holds for check in totals.checks(figures)), figures
    totals.put(cycle, figures, at=at, instead_of="not_paid.")
    return figures


def _sum(*conditions: sa.ColumnElement[bool]) -> Sum:
    return sum_of(sa.select(sa.func.count(), sa.func.sum(t.amount_minor)).where(*conditions))


def _left_out(cycle_id: int) -> dict[str, Sum]:
    """How many are not paid and why, and what of it is due all the same."""
    rows = db.session.execute(
        sa.select(n.reason, sa.func.count(), sa.func.count(t.id), sa.func.sum(t.amount_minor))
        .select_from(_not_paid.outerjoin(_entitlement, t.id == n.entitlement_id))
        .where(n.cycle_id == cycle_id)
        .group_by(n.reason)
    ).all()
    figures = {f"not_paid.{reason}": Sum(count, int(amount or 0)) for reason, count, _, amount in rows}
    withheld_sum = sum((Sum(due, int(amount or 0)) for _, _, due, amount in rows), start=Sum())
    return figures | {"withheld": withheld_sum}


def _compared(cycle: Cycle) -> dict[str, Sum]:
    """Who is due something now and was not last time, who no longer is, and whose amount is another."""
    last = scheduling.previous(cycle)
    if last is None:
        return {}
    one, other = sa.alias(_entitlement), sa.alias(_entitlement)

    def count(of: Cycle, beside: Cycle, *conditions: Any, there: bool) -> Sum:
        met = sa.exists().where(
            other.c.enrolment_id == one.c.enrolment_id, other.c.cycle_id == beside.id, *conditions
        )
        figures = sa.select(sa.func.count(), sa.func.sum(one.c.amount_minor))
        return sum_of(figures.where(one.c.cycle_id == of.id, met if there else ~met))

    return {
        "previous": _sum(t.cycle_id == last.id),
        "new": count(cycle, last, there=False),
        "gone": count(last, cycle, there=False),
        "changed": count(cycle, last, one.c.amount_minor != other.c.amount_minor, there=True),
    }


def month_before(cycle: Cycle) -> Month | None:
    """The month with which a cycle was compared."""
    last = scheduling.previous(cycle)
    return last.period if last else None
