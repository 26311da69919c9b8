"""The exception list: lines of answers that fit no payment, and payments settled by an enquiry; a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from mis import access, acting, audit
from mis.db import db
from mis.errors import Conflict, Invalid, Missing
from payments import scheduling
from payments.matching import NEEDS_PERSON
from payments.models import AnswerFile, AnswerLine, Cycle, Payment, PaymentEvent, PaymentState
from payments.providers.statuses import Resend, State, advice, moves_forward

RESOLVE = "payments:exception:resolve"

EXPLAINED = {
    "amount_mismatch": "The amount is not the one we instructed.",
    "duplicate_in_file": "An earlier line of the same file speaks of the same payment.",
    "unknown_reference": "No payment of this cycle has this reference.",
    "bad_state": "The payment is further on already, or has ended otherwise.",
    "unreadable": "The line cannot be read.",
    "repeated": "It says what was known already.",
    "matched": "It belongs to a payment, and moved it on.",
}


def unresolved() -> sa.ColumnElement[bool]:
    """The criterion for lines that wait for a person."""
    return sa.and_(AnswerLine.match.in_(NEEDS_PERSON), AnswerLine.resolved_at.is_(None))


def of_cycle(cycle: Cycle) -> sa.Select[AnswerLine]:
    """The lines of a cycle's answers that wait for a person, in order."""
    return (
        sa.select(AnswerLine)
        .join(AnswerFile, AnswerFile.id == AnswerLine.answer_file_id)
        .where(AnswerFile.cycle_id == cycle.id, unresolved())
        .order_by(AnswerLine.answer_file_id, AnswerLine.line_no)
    )


def open_count(cycle: Cycle) -> int:
    """How many lines of a cycle's answers wait for a person."""
    waiting = of_cycle(cycle).order_by(None).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(waiting)) or 0


def get(file_id: int, line_no: int) -> AnswerLine:
    """One line. Raises Missing."""
    line = db.session.get(AnswerLine, (file_id, line_no))
    if line is None:
        raise Missing(f"Answer file {file_id} has no line {line_no}.")
    return line


def resolve(line: AnswerLine, *, note: str, at: datetime) -> None:
    """Take a line off the list, with what was found out. It moves no payment: `settle` does.

    Raises Invalid without a note, Conflict if it is no exception or was resolved already.
    """
    access.need(RESOLVE)
    if not note.strip():
        raise Invalid("Say what was found out.", field="note")
    query = sa.select(AnswerLine).where(
        AnswerLine.answer_file_id == line.answer_file_id, AnswerLine.line_no == line.line_no
    )
    line = db.session.scalars(query.with_for_update(), execution_options={"populate_existing": True}).one()
    if line.match not in NEEDS_PERSON:
        raise Conflict("This line is no exception.", instead="Nothing is to be resolved.")
    if line.resolved_at is not None:
        raise Conflict("This exception was resolved already.", instead="Read its note.")
    line.resolved_by_id, line.resolved_at, line.resolution = acting.current().user_id, at, note.strip()
    db.session.flush()
    subject = f"{line.answer_file_id}/{line.line_no}"
    audit.record(
        "payments.exception_resolved",
        subject_type="answer_line",
        subject_id=subject,
        details={"match": line.match, "reference": line.end_to_end_id},
        reason=note.strip(),
    )


def settle(payment: Payment, status: str, *, note: str, at: datetime, reason: str | None = None) -> None:
    """Record what an enquiry with the provider has found: the payment was `paid`, or it was `rejected`.

    A rejection frees the entitlement for a later cycle, so nothing but the provider's word may lead here.
    Raises Invalid without a note or for another status, Conflict if the payment has ended already.
    """
    access.need(RESOLVE)
    if status not in (State.PAID, State.REJECTED):
        raise Invalid("An enquiry ends with paid or with rejected.", field="outcome")
    if not note.strip():
        raise Invalid("Say who at the provider said so, and when.", field="note")
    # The cycle first, as answers do: a line about the payment is matched before this, or sees it.
    scheduling.lock(scheduling.get(payment.cycle_id))
    query = sa.select(PaymentState).where(PaymentState.payment_id == payment.id).with_for_update()
    state = db.session.scalars(query, execution_options={"populate_existing": True}).one()
    if state.status != "sent" and not moves_forward(State(state.status), State(status)):
        raise Conflict(
            f"This payment is {state.status} already.", instead="What has ended is not changed any more."
        )
    with acting.because(note.strip()):
        event = PaymentEvent(payment_id=payment.id, status=str(status), reason=reason, at=at)
        db.session.add(event)
        db.session.flush()
        state.status, state.reason, state.changed_at = str(status), reason, at
        if status == State.REJECTED:
            payment.live, payment.released_by_event_id = None, event.id
        db.session.flush()


def why_never_again(reason: str | None) -> str | None:
    """The sentence that warns of sending a payment again after this reason, if one should not."""
    known = advice(reason or "")
    return known.sentence if known.resend is Resend.NEVER else None


def events_of(payment: Payment) -> Sequence[PaymentEvent]:
    """All that happened to a payment, oldest first."""
    found = sa.select(PaymentEvent).where(PaymentEvent.payment_id == payment.id).order_by(PaymentEvent.id)
    return db.session.scalars(found).all()
