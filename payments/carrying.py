"""Carrying over: what an earlier cycle left unpaid is paid by a later one, once, and never while it is still under way.

Two ways lead here. A person asks for it (`pay_again`), with a reason. Or the reason for which it was withheld is gone:
the hold was released, the account confirmed; then the next computation takes it up by itself.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from eligibility.models import Enrolment, Scheme
from mis import acting, audit
from mis.audit.subjects import table_of
from mis.db import db
from mis.errors import Conflict, Invalid, Missing
from payments import paylist, scheduling
from payments.leaving_out import BY_ITSELF, PASSING, confirmed_account, e, p, stopped, t
from payments.models import CarryOver, Cycle, Entitlement, NotPaid, Payment, PaymentAccount, PaymentState
from payments.totals import Sum, sum_of
from registry.models import Person

_entitlement, _carried, _not_paid = table_of(Entitlement), table_of(CarryOver), table_of(NotPaid)
_cycle, _payment = table_of(Cycle), table_of(Payment)

# A cycle whose payments are out; what it did not pay is free for a later one.
SENT = ("exported", "reconciled", "closed")
# A cycle that may still pay what is on its list.
UNDER_WAY = ("open", "computing", "computed", "submitted", "approved", "exporting")


def pay_again(entitlement: Entitlement, *, reason: str, at: datetime) -> CarryOver:
    """Ask that a later cycle of the scheme pays an entitlement that was not paid.

    Raises Invalid without a reason; Conflict while a payment may still reach the person, while its own or another
    cycle may still pay it, or if it was asked for already.
    """
    if not reason.strip():
        raise Invalid("Say why it is to be paid again.", field="reason")
    # Locked before reading: an answer that arrives now must be seen here, or see this.
    scheduling.lock(scheduling.get(entitlement.cycle_id))
    if (sentence := why_not_again(entitlement)) is not None:
        raise Conflict(sentence)
    asked = CarryOver(
        entitlement_id=entitlement.id,
        reason=reason.strip(),
        asked_by_id=acting.current().user_id,
        asked_at=at,
    )
    try:
        with db.session.begin_nested():
            db.session.add(asked)
    except IntegrityError:
        raise Conflict(_ASKED) from None
    return asked


def entitlement_of(cycle: Cycle, reference: str) -> Entitlement:
    """The entitlement that a payment of the cycle was for. Raises Missing."""
    found = db.session.scalar(
        sa.select(Entitlement)
        .join(Payment, Payment.entitlement_id == Entitlement.id)
        .where(Payment.cycle_id == cycle.id, Payment.end_to_end_id == reference.strip().upper())
    )
    if found is None:
        raise Missing(f"No payment of this cycle has the reference {reference!r}.", field="reference")
    return found


_ASKED = "It is already to be paid by the next payment cycle."


def why_not_again(entitlement: Entitlement) -> str | None:
    """The sentence that forbids paying an entitlement (again) through a later cycle, or None."""
    session = db.session
    live = session.execute(
        sa.select(Payment.end_to_end_id, PaymentState.status)
        .join(PaymentState, PaymentState.payment_id == Payment.id)
        .where(Payment.entitlement_id == entitlement.id, Payment.live == 1)
    ).first()
    if live is not None:
        return (
            f"Payment {live.end_to_end_id} of it is {live.status}: it may have reached the person, so a second "
            "one is impossible. Only the provider's rejection frees it."
        )
    own = session.scalar(sa.select(Cycle.status).where(Cycle.id == entitlement.cycle_id))
    if own in UNDER_WAY:
        return "Its own payment cycle is still under way and may pay it."
    if own not in SENT:
        return "Its payment cycle was aborted; the next cycle of the same month computes it anew."
    carried = session.execute(
        sa.select(CarryOver.cycle_id, Cycle.status, Cycle.month)
        .outerjoin(Cycle, Cycle.id == CarryOver.cycle_id)
        .where(CarryOver.entitlement_id == entitlement.id)
        .where(sa.or_(CarryOver.cycle_id.is_(None), Cycle.status.in_(UNDER_WAY)))
    ).first()
    if carried is not None:
        return _ASKED if carried.cycle_id is None else f"The cycle for {carried.month} is about to pay it."
    return None


def take_up(cycle: Cycle, *, day: date, at: datetime) -> Sum:
    """Put on the list what earlier cycles left unpaid and can be paid now, instead of what was on it of that kind."""
    # Two cycles of one scheme must not take up the same: the second waits here, then sees what the first has taken.
    db.session.execute(sa.select(Scheme.id).where(Scheme.id == cycle.scheme_id).with_for_update())
    let_go(cycle)
    payable = _payable_now(cycle, day)
    with audit.bulk(
        "carry-overs taken up",
        table=CarryOver,
        where={"cycle_id": cycle.id},
        subject_type="cycle",
        subject_id=cycle.id,
    ):
        db.session.execute(
            sa.update(_carried)
            .where(_carried.c.cycle_id.is_(None), _carried.c.entitlement_id.in_(payable))
            .values(cycle_id=cycle.id)
        )
        db.session.execute(
            sa.insert(_carried).from_select(
                ["entitlement_id", "reason", "asked_by_id", "asked_at", "cycle_id"],
                _no_longer_withheld(cycle, payable, at=at),
            )
        )
    return sum_of(
        sa.select(sa.func.count(), sa.func.sum(t.amount_minor)).select_from(
            _carried.join(_entitlement, t.id == _carried.c.entitlement_id)
        ).where(_carried.c.cycle_id == cycle.id)
    )  # fmt: skip


def let_go(cycle: Cycle) -> None:
    """Free what the cycle had taken up: requests of persons stay open, the rest is found again next time."""
    mine = _carried.c.cycle_id == cycle.id
    by_itself = _carried.c.reason.startswith(BY_ITSELF)
    with audit.bulk(
        "carry-overs let go",
        table=CarryOver,
        where={"cycle_id": cycle.id},
        subject_type="cycle",
        subject_id=cycle.id,
    ):
        db.session.execute(sa.delete(_carried).where(mine, by_itself))
        db.session.execute(sa.update(_carried).where(mine).values(cycle_id=None))


def _payable_now(cycle: Cycle, day: date) -> sa.Select[tuple[int]]:
    """The entitlements of the scheme that no payment reaches, no cycle has on its list, and nothing stops now."""
    terms = paylist.terms(cycle, day)
    live = sa.exists().where(_payment.c.entitlement_id == t.id, _payment.c.live == 1)
    # Aliases: these are other rows than those of the statement that asks.
    taken, taker, own = sa.alias(_carried), sa.alias(_cycle), sa.alias(_cycle)
    listed = sa.exists().where(
        taken.c.entitlement_id == t.id, taken.c.cycle_id == taker.c.id, taker.c.status.in_(UNDER_WAY)
    )
    sent = sa.select(own.c.id).where(own.c.scheme_id == cycle.scheme_id, own.c.status.in_(SENT))
    return (
        sa.select(t.id)
        .select_from(
            _entitlement.join(Enrolment.__table__, e.id == t.enrolment_id)
            .join(Person.__table__, p.id == t.person_id)
            .outerjoin(PaymentAccount.__table__, confirmed_account(t.person_id))
        )
        .where(t.cycle_id.in_(sent), t.currency == cycle.currency)
        .where(stopped(terms).is_(None), ~live, ~listed)
    )


def _no_longer_withheld(
    cycle: Cycle, payable: sa.Select[tuple[int]], *, at: datetime
) -> sa.Select[tuple[int, str, None, datetime, int]]:
    """Entitlements of earlier cycles that were withheld for a reason that passes, and were never taken up."""
    taken = sa.alias(_carried)
    ever = sa.exists().where(taken.c.entitlement_id == _not_paid.c.entitlement_id)
    died = sa.exists().where(p.id == _not_paid.c.person_id, p.death_date.is_not(None))
    # Ended since, back to before the month: what was due then is due no longer, unless a person says so.
    first_day = t.month.concat("-01")
    before = sa.or_(sa.cast(e.valid_to, sa.Text()) <= first_day, e.valid_to <= e.valid_from)
    ended = sa.exists().where(t.id == _not_paid.c.entitlement_id, e.id == t.enrolment_id, before)
    return (
        sa.select(
            _not_paid.c.entitlement_id,
            sa.literal(BY_ITSELF).concat(_cycle.c.month).concat(" is gone: ").concat(_not_paid.c.reason),
            sa.null(),
            sa.literal(at, CarryOver.asked_at.type),
            sa.literal(cycle.id),
        )
        .join_from(_not_paid, _cycle, _cycle.c.id == _not_paid.c.cycle_id)
        .where(_cycle.c.scheme_id == cycle.scheme_id, _cycle.c.status.in_(SENT))
        .where(_not_paid.c.reason.in_(PASSING), _not_paid.c.entitlement_id.in_(payable), ~ever, ~died, ~ended)
    )
