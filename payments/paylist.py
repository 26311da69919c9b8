"""The pay list of a cycle: its own entitlements that nothing withholds, and those carried over from earlier cycles.

It is no table: entitlements less the stored reasons for not paying are the list, so that the list and its complement
cannot disagree. Its digest (SHA-256 over its lines in key order) is what an approval binds to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any

import sqlalchemy as sa

from eligibility.models import Enrolment
from mis.audit.subjects import table_of
from mis.db import db
from payments.leaving_out import SENTENCES, Terms, a, confirmed_account, drifted, e, p, t
from payments.models import CarryOver, Cycle, Entitlement, NotPaid, PaymentAccount
from payments.policy import policy_of
from payments.totals import Sum, sum_of
from registry.models import Person

_entitlement, _not_paid, _carried = table_of(Entitlement), table_of(NotPaid), table_of(CarryOver)
_ROWS_AT_ONCE = 5_000


def terms(cycle: Cycle, day: date) -> Terms:
    """What the cycle pays, and how, as of a day."""
    return Terms(
        cycle_id=cycle.id,
        scheme_id=cycle.scheme_id,
        month=cycle.period,
        currency=cycle.currency,
        day=day,
        pays_cash=policy_of(cycle.scheme.code).pays_cash,
    )


def entitlement_ids(cycle_id: int, *, low: int | None = None, high: int | None = None) -> sa.Subquery:
    """The numbers of the entitlements on the list, within a range if one is given."""
    withheld = sa.exists().where(
        _not_paid.c.cycle_id == cycle_id, _not_paid.c.entitlement_id == _entitlement.c.id
    )
    own = sa.select(_entitlement.c.id).where(_entitlement.c.cycle_id == cycle_id, ~withheld)
    carried = sa.select(_carried.c.entitlement_id.label("id")).where(_carried.c.cycle_id == cycle_id)
    if low is not None and high is not None:
        own = own.where(_entitlement.c.id.between(low, high))
        carried = carried.where(_carried.c.entitlement_id.between(low, high))
    return sa.union_all(own, carried).subquery("listed")


def from_list(listed: sa.Subquery) -> sa.FromClause:
    """The lines with all that describes them: entitlement, enrolment, person and, if there is one, the account."""
    return (
        listed.join(_entitlement, _entitlement.c.id == listed.c.id)
        .join(Enrolment.__table__, e.id == t.enrolment_id)
        .join(Person.__table__, p.id == t.person_id)
        .outerjoin(PaymentAccount.__table__, confirmed_account(t.person_id))
    )


def total(cycle_id: int) -> Sum:
    """How many are on the list, and how much."""
    listed = entitlement_ids(cycle_id)
    return sum_of(
        sa.select(sa.func.count(), sa.func.sum(t.amount_minor)).select_from(
            listed.join(_entitlement, _entitlement.c.id == listed.c.id)
        )
    )


def digest(cycle: Cycle, day: date) -> str:
    """The SHA-256 of the list as it would be paid on a day: the same on every database.

    A line names what is paid to whom and into which account, and what has come in between since the list was made: a
    hold placed after the submission changes the digest, and so voids the approval.
    """
    found = hashlib.sha256()
    for line in _lines(cycle, day):
        found.update("|".join("" if part is None else str(part) for part in line).encode() + b"\n")
    return found.hexdigest()


def come_between(cycle: Cycle, day: date) -> dict[str, int]:
    """How many lines could not be paid any more, by reason."""
    reason = drifted(terms(cycle, day))
    listed = from_list(entitlement_ids(cycle.id))
    counts = (
        sa.select(reason, sa.func.count()).select_from(listed).where(reason.is_not(None)).group_by(reason)
    )
    return {str(code): count for code, count in db.session.execute(counts)}


def sentence_between(cycle: Cycle, day: date) -> str | None:
    """The sentence that stops a cycle whose list is out of date; None if all of it can still be paid."""
    found = come_between(cycle, day)
    if not found:
        return None
    many = sum(found.values())
    reasons = " ".join(f"{SENTENCES[code]} ({count})" for code, count in sorted(found.items()))
    who = "1 person" if many == 1 else f"{many} people"
    return f"Since the computation, {who} on the pay list cannot be paid any more: {reasons}"


def _lines(cycle: Cycle, day: date) -> Iterator[sa.Row[Any]]:
    query = (
        sa.select(t.id, t.amount_minor, t.currency, t.person_id, a.id, drifted(terms(cycle, day)))
        .select_from(from_list(entitlement_ids(cycle.id)))
        .order_by(t.id)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    for partition in db.session.connection().execute(query).partitions():
        yield from partition
