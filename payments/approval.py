"""Submitting, approving, sending back and aborting a cycle: what each step looks at, and what it leaves behind.

The approval binds to the digest of the pay list. The steps after the computation also look at what has come in between
(a hold, a death, a closed account), each time with the cycle locked.
"""

from __future__ import annotations

import sqlalchemy as sa

from mis import audit, calendar
from mis.audit.subjects import table_of
from mis.db import db
from mis.errors import Conflict
from payments import carrying, paylist, resuming, scheduling, totals
from payments.models import Cycle, cycle_lifecycle

# What an out-of-date pay list stops, and what to do about it then.
_NEEDS_FRESH_LIST = {
    "submit": "Compute it again.",
    "approve": "Send it back; it is computed and submitted again.",
    "export": "Send it back; it is computed, submitted and approved again.",
}


def take(cycle: Cycle, step: str, *, reason: str | None = None) -> Cycle:
    """Take a step of a cycle, with the cycle locked.

    Raises Forbidden and Conflict as the lifecycle does, and Conflict if the pay list is out of date, with the reasons.
    """
    scheduling.need_whole_country(cycle_lifecycle.steps[step].permission)
    cycle = scheduling.lock(cycle)
    if step in _NEEDS_FRESH_LIST and cycle.status in cycle_lifecycle.steps[step].sources:
        need_fresh_list(cycle, step)
    cycle_lifecycle.take(cycle, step, reason=reason)
    return cycle


def need_fresh_list(cycle: Cycle, step: str) -> None:
    """Refuse if people on the list cannot be paid any more, or if it cannot be told apart from what was computed."""
    if sentence := paylist.sentence_between(cycle, calendar.today()):
        raise Conflict(sentence, instead=_NEEDS_FRESH_LIST[step])
    stored, found = totals.of(cycle)["payable"], paylist.total(cycle.id)
    if stored != found:
        raise Conflict(
            f"The pay list has {found.count} lines, but {stored.count} were computed, or their sums differ.",
            instead=_NEEDS_FRESH_LIST[step],
        )


def _nothing_to_pay(cycle: Cycle) -> str | None:
    payable = totals.of(cycle).get("payable")
    return None if payable and payable.count else "Nobody can be paid in this cycle: its pay list is empty."


def _computing(cycle: Cycle) -> str | None:
    return resuming.still_at_work("payments:compute", f"cycle:{cycle.id}")


def _unsign(cycle: Cycle) -> None:
    # The signatures are of the round that ended here: whoever approved it may prepare the next one.
    table = table_of(Cycle)
    with audit.unaudited("the step just recorded says it: sent back"):
        db.session.execute(
            sa.update(table).where(table.c.id == cycle.id).values(submitted_by_id=None, approved_by_id=None)
        )
    db.session.refresh(cycle)


cycle_lifecycle.digest_with(lambda cycle: paylist.digest(cycle, calendar.today()))
cycle_lifecycle.behave("submit", unless=_nothing_to_pay)
cycle_lifecycle.behave("compute_failed", unless=_computing)
cycle_lifecycle.behave("return", then=_unsign)
cycle_lifecycle.behave("abort", then=carrying.let_go)
