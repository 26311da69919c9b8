"""What the payments lay on the desk: what waits to be approved, exported, resolved, confirmed; and what was paid."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from mis import acting
from mis.calendar import today
from mis.db import db
from mis.money import Money
from mis.states import touched_by
from mis.web import desk, i18n
from mis.web.charts import Chart, stacked_bar_chart
from payments import exceptions, totals
from payments.leaving_out import is_live
from payments.models import AnswerFile, AnswerLine, Cycle, CycleTotal, Hold, Payment, PaymentAccount
from registry.models import Person

_MOST = 20
_CYCLES_DRAWN = 8


def cycles_to_approve() -> Iterable[desk.Waiting]:
    """The cycles that this user may approve: a second person, who has not worked on them."""
    me = acting.current().person
    for cycle in _cycles("submitted"):
        if me not in touched_by(cycle):
            payable = totals.of(cycle)["payable"]
            yield desk.Waiting(
                _("Approve %(scheme)s for %(month)s", scheme=cycle.scheme.name, month=cycle.month),
                url_for("payments.check_cycle", cycle_id=cycle.id),
                hint=_("%(count)s payments, %(amount)s", count=i18n.number(payable.count),
                       amount=i18n.money(Money(payable.total_minor, cycle.currency))),
            )  # fmt: skip


def cycles_to_export() -> Iterable[desk.Waiting]:
    """Approved cycles whose instructions are not made yet."""
    for cycle in _cycles("approved"):
        yield desk.Waiting(
            _("Export %(scheme)s for %(month)s", scheme=cycle.scheme.name, month=cycle.month),
            url_for("payments.cycle", cycle_id=cycle.id),
        )


def cycles_to_finish() -> Iterable[desk.Waiting]:
    """Cycles whose answers are to be taken in, and those that are reconciled and may be closed."""
    for cycle in _cycles("exported", "reconciled"):
        next_step = _("Take in the provider's answers") if cycle.status == "exported" else _("Close")
        name = _("%(scheme)s, %(month)s", scheme=cycle.scheme.name, month=cycle.month)
        yield desk.Waiting(f"{next_step}: {name}", url_for("payments.cycle", cycle_id=cycle.id))


def open_exceptions() -> Iterable[desk.Waiting]:
    """The exceptions of each cycle."""
    counts = db.session.execute(
        sa.select(AnswerFile.cycle_id, sa.func.count())
        .join_from(AnswerLine, AnswerFile, AnswerFile.id == AnswerLine.answer_file_id)
        .where(exceptions.unresolved())
        .group_by(AnswerFile.cycle_id)
        .order_by(AnswerFile.cycle_id)
        .limit(_MOST)
    )
    for cycle_id, count in counts:
        yield desk.Waiting(
            _("Exceptions of an answer"), url_for("payments.exceptions", cycle=cycle_id), count=count
        )


def accounts_to_confirm() -> Iterable[desk.Waiting]:
    """How many accounts wait for a second person."""
    proposed = sa.select(PaymentAccount.id).join(Person, Person.id == PaymentAccount.person_id)
    waiting = proposed.where(PaymentAccount.status == "proposed").limit(1000).subquery()
    if count := db.session.scalar(sa.select(sa.func.count()).select_from(waiting)):
        yield desk.Waiting(
            _("Confirm payment accounts"), url_for("payments.accounts", status="proposed"), count=count
        )


def figures() -> Iterable[desk.Figure]:
    """What the last exported cycles amount to."""
    for cycle in _cycles("exported", "reconciled", "closed", limit=2):
        figure = totals.of(cycle)["instructed"]
        yield desk.Figure(
            _("%(scheme)s, %(month)s", scheme=cycle.scheme.name, month=cycle.month),
            i18n.money(Money(figure.total_minor, cycle.currency)),
            url_for("payments.cycle", cycle_id=cycle.id),
            "cash",
            note=_("%(count)s payments", count=i18n.number(figure.count)),
        )


def hold_figures() -> Iterable[desk.Figure]:
    """How many payments are held."""
    count = db.session.scalar(sa.select(sa.func.count(Hold.id)).where(is_live(today()))) or 0
    yield desk.Figure(
        _("Holds in place"), i18n.number(count), url_for("payments.holds", state="live"), "player-pause"
    )


def paid_chart() -> Iterable[Chart]:
    """Paid, rejected and open payments of the last cycles that were reconciled."""
    cycles = list(_cycles("reconciled", "closed", limit=_CYCLES_DRAWN))[::-1]
    if not cycles:
        return
    stored = {
        (cycle_id, measure): count
        for cycle_id, measure, count in db.session.execute(
            sa.select(CycleTotal.cycle_id, CycleTotal.measure, CycleTotal.count).where(
                CycleTotal.cycle_id.in_([cycle.id for cycle in cycles]),
                CycleTotal.measure.startswith("state."),
            )
        )
    }

    def of(cycle: Cycle, *states: str) -> int:
        return sum(stored.get((cycle.id, f"state.{state}"), 0) for state in states)

    yield stacked_bar_chart(
        _("Payments by cycle"),
        [f"{cycle.scheme.code} {cycle.month}" for cycle in cycles],
        [
            (_("Paid"), [of(cycle, "paid", "accepted") for cycle in cycles]),
            (_("Rejected"), [of(cycle, "rejected", "returned") for cycle in cycles]),
            (_("Open"), [of(cycle, "sent", "pending", "unknown") for cycle in cycles]),
        ],
        heading=_("Cycle"),
    )  # fmt: skip


def find_payments(query: str) -> desk.Found:
    """The payments that a reference, or the beginning of one, means."""
    text = query.strip().upper()
    if len(text) < 5:
        return desk.Found(_("Payments"), [])
    found = (
        sa.select(Payment)
        .where(Payment.end_to_end_id.between(text, text + "~"))
        .order_by(Payment.end_to_end_id)
    )
    hits = [
        desk.Hit(one.end_to_end_id, url_for("payments.payment", payment_id=one.id), hint=one.payee_name)
        for one in db.session.scalars(found.limit(_MOST))
    ]
    return desk.Found(_("Payments"), hits)


def _cycles(*statuses: str, limit: int = _MOST) -> Iterable[Cycle]:
    found = sa.select(Cycle).options(joinedload(Cycle.scheme)).where(Cycle.status.in_(statuses))
    return db.session.scalars(found.order_by(Cycle.month.desc(), Cycle.id.desc()).limit(limit)).all()
