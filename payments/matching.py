"""Matching: every line of an answer ends in exactly one class, and only a matched one moves its payment.

In order: a line that cannot be read; one whose reference is not of this cycle; one with another amount; one about a
payment that an earlier line of the file spoke of; one that repeats what is known; one that fits, and moves the payment
forward; and one that would move it backward. Whatever does not fit waits on the exception list for a person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mis import audit
from mis.audit.subjects import table_of
from mis.db import db
from payments.models import AnswerFile, AnswerLine, Cycle, Payment, PaymentEvent, PaymentState
from payments.providers.statuses import RANK

# Whoever repeats himself is right; all others are for a person to look at.
NEEDS_PERSON = ("amount_mismatch", "duplicate_in_file", "unknown_reference", "bad_state", "unreadable")

_line, _payment, _state, _event = (
    table_of(model) for model in (AnswerLine, Payment, PaymentState, PaymentEvent)
)
_RANKS = {str(state): rank for state, rank in RANK.items()} | {"sent": -1, "returned": max(RANK.values())}


def match(file: AnswerFile, *, low: int, high: int, at: datetime) -> None:
    """Classify the lines low to high of a file, and let the payments follow. Earlier lines were matched before."""
    mine = sa.and_(_line.c.answer_file_id == file.id, _line.c.line_no.between(low, high))
    open_ = sa.and_(mine, _line.c.match.is_(None))
    reference = sa.func.upper(_line.c.end_to_end_id)
    found = sa.and_(_payment.c.end_to_end_id == reference, _payment.c.cycle_id == file.cycle_id)
    _say(sa.update(_line).where(open_, found).values(payment_id=_payment.c.id))
    _say(sa.update(_line).where(open_, _line.c.payment_id.is_(None)).values(match="unknown_reference"))
    own = _payment.c.id == _line.c.payment_id
    other_money = sa.or_(
        _line.c.amount_minor != _payment.c.amount_minor, _line.c.currency != _payment.c.currency
    )
    given = _line.c.amount_minor.is_not(None)
    _say(sa.update(_line).where(open_, own, given, other_money).values(match="amount_mismatch"))
    state = _state.c.payment_id == _line.c.payment_id
    _say(sa.update(_line).where(open_, own, state).values(match=_last_classes()))
    _follow(file, low, high, _matched(mine, at=at))


def match_group(file: AnswerFile, cycle: Cycle, *, line_no: int, own: bool, at: datetime) -> None:
    """Let every payment of the cycle follow one status of the message; `own` says that it speaks of our message."""
    mine = sa.and_(_line.c.answer_file_id == file.id, _line.c.line_no == line_no)
    if not own:
        _say(sa.update(_line).where(mine).values(match="unknown_reference"))
        return
    forward = (
        sa.select(*_columns(_payment.c.id, at))
        .select_from(
            _payment.join(_state, _state.c.payment_id == _payment.c.id).join(
                _line, mine, isouter=False
            )
        )
        .where(_payment.c.cycle_id == cycle.id, _payment.c.live == 1)
        .where(_rank(_line.c.status) > _rank(_state.c.status))
        .order_by(_payment.c.id)
    )  # fmt: skip
    moved = _follow(file, line_no, line_no, forward)
    _say(sa.update(_line).where(mine).values(match="matched" if moved else "repeated"))


def counts(file: AnswerFile) -> dict[str, int]:
    """How many lines ended in which class."""
    rows = db.session.execute(
        sa.select(_line.c.match, sa.func.count())
        .where(_line.c.answer_file_id == file.id)
        .group_by(_line.c.match)
    )
    found = {str(match): int(count) for match, count in rows}
    assert "None" not in found, f"{found['None']} lines of answer file {file.id} have no class"
    return found


def _last_classes() -> sa.Case[Any]:
    earlier = sa.alias(_line)
    spoken_of = sa.exists().where(
        earlier.c.payment_id == _line.c.payment_id,
        earlier.c.answer_file_id == _line.c.answer_file_id,
        earlier.c.line_no < _line.c.line_no,
        sa.func.coalesce(earlier.c.match, "") != "amount_mismatch",
    )
    forward = sa.and_(_payment.c.live == 1, _rank(_line.c.status) > _rank(_state.c.status))
    return sa.case(
        (spoken_of.correlate(_line), "duplicate_in_file"),
        (_line.c.status == _state.c.status, "repeated"),
        (forward, "matched"),
        else_="bad_state",
    )


def _rank(status: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """How far a status is on the way: both ends are equally far, so that neither follows the other."""
    return sa.case(_RANKS, value=status)


def _matched(mine: sa.ColumnElement[bool], *, at: datetime) -> sa.Select[Any]:
    matched = sa.and_(mine, _line.c.match == "matched")
    return sa.select(*_columns(_line.c.payment_id, at)).where(matched).order_by(_line.c.line_no)


_EVENT = ["payment_id", "status", "reason", "provider_reference", "answer_file_id", "line_no", "at"]


def _columns(payment_id: Any, at: datetime) -> list[Any]:
    line = _line.c
    moment = sa.literal(at, PaymentEvent.at.type)
    return [
        payment_id, line.status, line.reason, line.provider_reference, line.answer_file_id, line.line_no, moment,
    ]  # fmt: skip


def _follow(file: AnswerFile, low: int, high: int, evidence: sa.Select[Any]) -> int:
    """Record the evidence as events, and let the states follow them; a rejection frees the entitlement."""
    where = {"answer_file_id": file.id, "line_no": [low, high]}
    with audit.bulk(
        "payments answered", table=PaymentEvent, where=where, subject_type="answer_file", subject_id=file.id
    ):
        db.session.execute(sa.insert(_event).from_select(_EVENT, evidence))
    mine = sa.and_(_event.c.answer_file_id == file.id, _event.c.line_no.between(low, high))
    with audit.unaudited("the events just recorded say the same"):
        db.session.execute(
            sa.update(_state)
            .where(mine, _event.c.payment_id == _state.c.payment_id)
            .values(
                status=_event.c.status,
                reason=_event.c.reason,
                provider_reference=sa.func.coalesce(_event.c.provider_reference, _state.c.provider_reference),
                changed_at=_event.c.at,
            ),
            execution_options={"synchronize_session": False},
        )
        db.session.execute(
            sa.update(_payment)
            .where(mine, _event.c.payment_id == _payment.c.id, _event.c.status.in_(("rejected", "returned")))
            .values(live=None, released_by_event_id=_event.c.id),
            execution_options={"synchronize_session": False},
        )
    return db.session.scalar(sa.select(sa.func.count()).select_from(_event).where(mine)) or 0


def _say(statement: sa.Update) -> None:
    db.session.execute(statement, execution_options={"synchronize_session": False})
