"""Reconciling a cycle: what was sent against what was answered, to the last unit; closing it when nothing is open."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from mis.audit.subjects import table_of
from mis.db import db
from payments import approval, carrying, exceptions, totals
from payments.models import AnswerFile, Cycle, Payment, PaymentState, cycle_lifecycle
from payments.totals import STATES, Check, Sum

# In these a payment may still go either way.
OPEN_STATES = ("sent", "pending", "unknown")

pay_again = carrying.pay_again

_payment, _state = table_of(Payment), table_of(PaymentState)


def states(cycle: Cycle) -> dict[str, Sum]:
    """How many payments of the cycle stand in which state now, and how much."""
    rows = db.session.execute(
        sa.select(_state.c.status, sa.func.count(), sa.func.sum(_payment.c.amount_minor))
        .join_from(_payment, _state, _state.c.payment_id == _payment.c.id)
        .where(_payment.c.cycle_id == cycle.id)
        .group_by(_state.c.status)
    )
    found = {str(status): Sum(int(count), int(amount)) for status, count, amount in rows}
    return {state: found[state] for state in STATES if state in found}


def reconcile(cycle: Cycle, *, at: datetime) -> list[Check]:
    """Take the step “Reconcile”: store the figures of the answers, and return what must tie out."""
    cycle = approval.take(cycle, "reconcile")
    _store(cycle, at=at)
    return totals.checks(totals.of(cycle))


def close(cycle: Cycle, *, reason: str | None = None) -> None:
    """Close a cycle. Raises Conflict while exceptions or answers are open, or if a figure does not tie out."""
    approval.take(cycle, "close", reason=reason)


def tie_out(cycle: Cycle) -> list[Check]:
    """What must tie out, with the states of the payments as they are now."""
    figures = {name: figure for name, figure in totals.of(cycle).items() if not name.startswith("state.")}
    return totals.checks(figures | {f"state.{state}": figure for state, figure in states(cycle).items()})


def _store(cycle: Cycle, *, at: datetime) -> None:
    now_ = {f"state.{state}": figure for state, figure in states(cycle).items()}
    totals.put(cycle, now_, at=at, instead_of="state.")


def _being_taken_in(cycle: Cycle) -> str | None:
    unread = sa.select(sa.func.count()).where(AnswerFile.cycle_id == cycle.id, AnswerFile.counts.is_(None))
    count = db.session.scalar(unread)
    return f"Answer files are still being taken in ({count})." if count else None


def _nothing_answered(cycle: Cycle) -> str | None:
    if sentence := _being_taken_in(cycle):
        return sentence
    moved = sa.select(
        sa.exists().where(
            _payment.c.cycle_id == cycle.id, _state.c.payment_id == _payment.c.id, _state.c.status != "sent"
        )
    )
    if not db.session.scalar(moved):
        return "There is nothing to reconcile: the provider has not answered yet."
    return None


def _not_to_be_closed(cycle: Cycle) -> str | None:
    if sentence := _being_taken_in(cycle):
        return sentence
    waiting = exceptions.open_count(cycle)
    if waiting:
        return f"Exceptions wait for somebody to resolve them ({waiting})."
    now_ = states(cycle)
    undecided = sum(now_[state].count for state in OPEN_STATES if state in now_)
    if undecided:
        return (
            f"Payments have no final answer yet ({undecided}). Ask the provider, and record what was found."
        )
    for check in totals.checks(totals.of(cycle)):
        if not check.holds:
            return f"The figures do not tie out: {check.sentence} They differ by {check.difference.count} payments."
    if any(totals.of(cycle).get(f"state.{state}") != figure for state, figure in now_.items()):
        return "Answers have come since the last reconciliation. Reconcile again."
    return None


cycle_lifecycle.behave("reconcile", unless=_nothing_answered)
cycle_lifecycle.behave("close", unless=_not_to_be_closed)
