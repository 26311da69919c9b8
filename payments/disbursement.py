"""Exporting an approved cycle: each instruction is made once, by entitlement and attempt, and filed for the provider.

The list that was approved is the list that is paid: the step compares its digest with the approval, and the job, when
all instructions are there, compares them with it once more, line by line. A killed job goes on where it was.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mis import audit, calendar, jobs
from mis.audit.subjects import table_of
from mis.db import db, freshen
from mis.errors import Conflict
from mis.jobs import Chunk, Job
from payments import approval, filing, paylist, resuming, scheduling, totals
from payments.leaving_out import a, p, t
from payments.models import Cycle, Payment, PaymentBatch, PaymentEvent, PaymentState, cycle_lifecycle
from payments.providers.references import end_to_end_id_sql
from payments.totals import Sum, sum_of
from registry.models import Person

EXPORT = "payments:cycle:export"
SPAN = 50_000
_ROWS_AT_ONCE = 5_000

_payment, _event, _state = table_of(Payment), table_of(PaymentEvent), table_of(PaymentState)


def begin(cycle: Cycle, *, at: datetime) -> Job:
    """Start (or, after a failure, continue) the export of an approved cycle; the job returned does it.

    Raises Conflict if anything has changed since the approval: a hold, an account, an amount.
    """
    scheduling.need_whole_country(EXPORT)
    cycle = scheduling.lock(cycle)
    subject = f"cycle:{cycle.id}"
    if cycle.status == "exporting":
        return resuming.go_on("payments:export", subject)
    approval.take(cycle, "export")
    message_id = f"{filing.message_part(cycle.scheme.code)}-{cycle.month.replace('-', '')}-C{cycle.id}"
    db.session.add(
        PaymentBatch(
            cycle_id=cycle.id,
            message_id=message_id,
            frozen_at=at,
            header=filing.frozen_header(cycle, message_id, at=at),
            list_digest=_plain_digest(_listed(cycle)),
        )
    )
    db.session.flush()
    return jobs.ask("payments:export", {"cycle": cycle.id}, subject=subject, permission=EXPORT)


@jobs.kind("payments:export")
class Export(jobs.Kind):
    """The export of one cycle; in order, so that instructions are numbered like their entitlements."""

    label = "Export instructions"
    serial = True

    def plan(self, payload: dict[str, Any]) -> list[tuple[int, int]]:
        """Spans of entitlements on the pay list."""
        listed = paylist.entitlement_ids(payload["cycle"])
        span = ((listed.c.id - 1) // SPAN).label("span")
        found = db.session.scalars(sa.select(span).distinct().order_by(span))
        return [(number * SPAN + 1, (number + 1) * SPAN) for number in found]

    def work(self, payload: dict[str, Any], chunk: Chunk) -> dict[str, Any]:
        """Instruct one span."""
        return {
            "rows": instruct_span(scheduling.at_work(payload["cycle"], "exporting"), chunk.low, chunk.high)
        }

    def finish(self, payload: dict[str, Any], results: list[dict[str, Any]]) -> dict[str, Any]:
        """Compare the instructions with the approval, write the files, and say that the cycle is exported."""
        cycle = scheduling.lock(scheduling.get(payload["cycle"]))
        made = _close(cycle, at=calendar.now())
        cycle_lifecycle.take(cycle, "exported")
        return {"payments": made.count, "total_minor": made.total_minor}


def instruct_span(cycle: Cycle, low: int, high: int) -> int:
    """Make the instructions of the list's entitlements numbered low to high; returns how many."""
    batch = filing.batch_of(cycle)
    assert batch is not None, cycle
    within = {"batch_id": batch.id, "entitlement_id": [low, high]}
    with audit.bulk("payments instructed", table=Payment, where=within):
        db.session.execute(sa.insert(_payment).from_select(_COLUMNS, _new_payments(cycle, batch, low, high)))
    mine = sa.and_(_payment.c.batch_id == batch.id, _payment.c.entitlement_id.between(low, high))
    count, first, last = db.session.execute(
        sa.select(sa.func.count(), sa.func.min(_payment.c.id), sa.func.max(_payment.c.id)).where(mine)
    ).one()
    if count:
        _sent(first, last, mine, at=batch.frozen_at)
    return int(count)


_COLUMNS = [
    "batch_id", "cycle_id", "entitlement_id", "person_id", "area_id", "account_id", "attempt", "amount_minor",
    "currency", "end_to_end_id", "payee_name", "live",
]  # fmt: skip


def _new_payments(cycle: Cycle, batch: PaymentBatch, low: int, high: int) -> sa.Select[Any]:
    before = sa.alias(_payment)
    earlier = sa.select(sa.func.max(before.c.attempt)).where(before.c.entitlement_id == t.id)
    attempt = sa.func.coalesce(earlier.scalar_subquery(), 0) + 1
    listed = paylist.from_list(paylist.entitlement_ids(cycle.id, low=low, high=high))
    lines = (
        sa.select(
            t.id, t.person_id, t.area_id, a.id.label("account_id"), attempt.label("attempt"), t.amount_minor,
            t.currency, _payee_name().label("payee_name"),
        )
        .select_from(listed)
        .subquery("lines")
    )  # fmt: skip
    c = lines.c
    reference = end_to_end_id_sql(cycle.scheme.code, cycle.period, c.id, c.attempt)
    return sa.select(
        sa.literal(batch.id), sa.literal(cycle.id), c.id, c.person_id, c.area_id, c.account_id, c.attempt,
        c.amount_minor, c.currency, reference, c.payee_name, sa.literal(1),
    ).order_by(c.id)  # fmt: skip


def _payee_name() -> sa.ColumnElement[str]:
    """The name as `Person.name` speaks it, in SQL."""
    parts = [
        sa.func.coalesce(sa.func.nullif(p[name], "").concat(" "), "")
        for name in ("given_name", "other_names", "family_name")
    ]
    spoken = sa.func.trim(parts[0].concat(parts[1]).concat(parts[2]))
    return sa.func.coalesce(sa.func.nullif(spoken, ""), Person().name)


def _sent(first: int, last: int, mine: sa.ColumnElement[bool], *, at: datetime) -> None:
    """The first event of each payment, and its state."""
    moment = sa.literal(at, PaymentEvent.at.type)
    only = {"payment_id": [first, last], "status": "sent"}
    with audit.bulk("payments sent", table=PaymentEvent, where=only):
        sent = sa.select(_payment.c.id, sa.literal("sent"), moment).where(mine).order_by(_payment.c.id)
        db.session.execute(sa.insert(_event).from_select(["payment_id", "status", "at"], sent))
    with audit.unaudited("the event of each payment, just recorded, says the same"):
        db.session.execute(sa.insert(_state).from_select(["payment_id", "status", "changed_at"], sent))


def _close(cycle: Cycle, *, at: datetime) -> Sum:
    freshen("payment", "payment_event", "payment_state")
    batch = filing.batch_of(cycle)
    assert batch is not None, cycle
    made = _payment.c.batch_id == batch.id
    instructed = sum_of(sa.select(sa.func.count(), sa.func.sum(_payment.c.amount_minor)).where(made))
    approved = totals.of(cycle)["payable"]
    if instructed != approved or _plain_digest(_instructed(batch)) != batch.list_digest:
        raise Conflict(
            f"{instructed.count} payments were instructed, and they are not the {approved.count} approved ones.",
            instead="Send nothing. Find out what changed after the approval.",
        )
    # The approved figures go into the header, and the writer compares them with what it writes.
    batch.count, batch.total_minor = approved.count, approved.total_minor
    db.session.flush()
    written = filing.write_all(batch, cycle)
    for name, (_, _, column) in filing.FORMATS.items():
        setattr(batch, column, written[name].sha256)
    file = written["pain001"]
    totals.put(cycle, {"instructed": instructed, "exported": Sum(file.count, file.total_minor)}, at=at)
    return instructed


def _listed(cycle: Cycle) -> sa.Select[Any]:
    listed = paylist.from_list(paylist.entitlement_ids(cycle.id))
    return sa.select(t.id, t.amount_minor, t.currency, t.person_id, a.id).select_from(listed).order_by(t.id)


def _instructed(batch: PaymentBatch) -> sa.Select[Any]:
    c = _payment.c
    columns = (c.entitlement_id, c.amount_minor, c.currency, c.person_id, c.account_id)
    return sa.select(*columns).where(c.batch_id == batch.id).order_by(c.entitlement_id)


def _plain_digest(lines: sa.Select[Any]) -> str:
    found = hashlib.sha256()
    streamed = db.session.connection().execute(lines.execution_options(yield_per=_ROWS_AT_ONCE))
    for partition in streamed.partitions():
        for line in partition:
            found.update("|".join("" if part is None else str(part) for part in line).encode() + b"\n")
    return found.hexdigest()


def _begun(cycle: Cycle) -> str | None:
    if sentence := resuming.still_at_work("payments:export", f"cycle:{cycle.id}"):
        return sentence
    if db.session.scalar(sa.select(sa.exists().where(_payment.c.cycle_id == cycle.id))):
        return "Instructions have been made already; the export can only go on."
    return None


def _forget_batch(cycle: Cycle) -> None:
    batch = filing.batch_of(cycle)
    if batch is not None:
        db.session.delete(batch)
        db.session.flush()


cycle_lifecycle.behave("export_failed", unless=_begun, then=_forget_batch)
