"""Payments, entitlements, and everybody who is not paid: lists over all cycles, filtered to one where one wants."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import contains_eager, joinedload

from mis import access
from mis.access import requires
from mis.calendar import now
from mis.db import db
from mis.errors import Missing
from mis.money import Money
from mis.web import i18n
from mis.web.filters import AreaFilter, ChoiceFilter, TextFilter
from mis.web.forms import Form
from mis.web.listing import Column, Listing
from payments import carrying, exceptions
from payments.forms import AgainForm, SettleForm
from payments.leaving_out import SENTENCES
from payments.models import Cycle, Entitlement, NotPaid, Payment, PaymentEvent, PaymentState
from payments.providers.statuses import advice
from payments.views.blueprint import blueprint
from payments.views.choices import STATES, cycle_choices
from registry.models import Person

READ = "payments:cycle:read"


def _of_cycle(column: Any) -> Any:
    return lambda number: column == int(number)


def _named(text: str) -> sa.ColumnElement[bool]:
    return sa.or_(
        Payment.end_to_end_id.istartswith(text, autoescape=True),
        Payment.payee_name.icontains(text, autoescape=True),
    )


payment_list = Listing(
    "payments.payments",
    title=_l("Payments"),
    select=lambda: sa.select(Payment).join(Payment.state).options(contains_eager(Payment.state)),
    key=Payment.id,
    columns=[
        Column("reference", _l("Reference"), value=lambda one: one.end_to_end_id, sort=Payment.end_to_end_id),
        Column("name", _l("Payee"), value=lambda one: one.payee_name, sort=Payment.payee_name),
        Column("amount", _l("Amount"), value=lambda one: Money(one.amount_minor, one.currency),
               sort=Payment.amount_minor, kind="money"),
        Column("status", _l("State"), value=lambda one: one.state.status, kind="status"),
        Column("reason", _l("Reason"), value=lambda one: one.state.reason),
        Column("changed", _l("Since"), value=lambda one: one.state.changed_at, kind="moment"),
    ],
    filters=[
        ChoiceFilter("cycle", _l("Cycle"), cycle_choices, _of_cycle(Payment.cycle_id)),
        ChoiceFilter("status", _l("State"), STATES, lambda status: PaymentState.status == status),
        TextFilter("q", _l("Reference or payee"), _named),
        AreaFilter("area", _l("Area"), Payment.area_id),
    ],
    row_url=lambda one: url_for("payments.payment", payment_id=one.id),
    empty_hint=_l("Payments appear here once a cycle is exported."),
    export_permission=READ,
)  # fmt: skip

entitlement_list = Listing(
    "payments.entitlements",
    title=_l("Entitlements"),
    select=lambda: sa.select(Entitlement).join(Entitlement.person).options(contains_eager(Entitlement.person)),
    key=Entitlement.id,
    columns=[
        Column("person", _l("Person"), value=lambda one: one.person.name, sort=Person.search_name),
        Column("month", _l("Month"), value=lambda one: one.month, sort=Entitlement.month),
        Column("amount", _l("Amount"), value=lambda one: Money(one.amount_minor, one.currency),
               sort=Entitlement.amount_minor, kind="money"),
    ],
    filters=[
        ChoiceFilter("cycle", _l("Cycle"), cycle_choices, _of_cycle(Entitlement.cycle_id)),
        TextFilter("q", _l("Name"), lambda text: Person.search_name.icontains(text, autoescape=True)),
        AreaFilter("area", _l("Area"), Entitlement.area_id),
    ],
    row_url=lambda one: url_for("registry.person", person_id=one.person_id),
    empty_hint=_l("Entitlements appear here once a cycle is computed."),
    export_permission=READ,
)  # fmt: skip

not_paid_list = Listing(
    "payments.not_paid",
    title=_l("Not paid, and why"),
    select=lambda: sa.select(NotPaid)
    .join(NotPaid.person)
    .options(contains_eager(NotPaid.person), joinedload(NotPaid.entitlement)),
    key=NotPaid.id,
    columns=[
        Column("person", _l("Person"), value=lambda one: one.person.name, sort=Person.search_name),
        Column("reason", _l("Why not"), value=lambda one: i18n.words(SENTENCES.get(one.reason, one.reason)),
               sort=NotPaid.reason),
        Column("due", _l("Due all the same"), kind="money",
               value=lambda one: one.entitlement and Money(one.entitlement.amount_minor, one.entitlement.currency)),
    ],
    filters=[
        ChoiceFilter("cycle", _l("Cycle"), cycle_choices, _of_cycle(NotPaid.cycle_id)),
        ChoiceFilter("reason", _l("Reason"), i18n.told(SENTENCES), lambda code: NotPaid.reason == code),
        TextFilter("q", _l("Name"), lambda text: Person.search_name.icontains(text, autoescape=True)),
        AreaFilter("area", _l("Area"), NotPaid.area_id),
    ],
    row_url=lambda one: url_for("registry.person", person_id=one.person_id),
    empty_hint=_l("Whoever is left out of a cycle stands here with the reason."),
    export_permission=READ,
)  # fmt: skip


@blueprint.get("/")
@requires(READ)
def payments() -> ResponseReturnValue:
    """All payments."""
    return render_template("payments/list.html", listing=payment_list.page(request.args))


@blueprint.get("/entitlements")
@requires(READ)
def entitlements() -> ResponseReturnValue:
    """All entitlements."""
    return render_template("payments/list.html", listing=entitlement_list.page(request.args))


@blueprint.get("/not-paid")
@requires(READ)
def not_paid() -> ResponseReturnValue:
    """Everybody who was left out of a cycle, with the reason."""
    return render_template("payments/list.html", listing=not_paid_list.page(request.args))


@blueprint.get("/<int:payment_id>")
@requires(READ)
def payment(payment_id: int) -> ResponseReturnValue:
    """One payment: what was instructed, what happened to it, and what can be done."""
    return _page(_payment(payment_id))


@blueprint.post("/<int:payment_id>/settle")
@requires(exceptions.RESOLVE)
def settle_payment(payment_id: int) -> ResponseReturnValue:
    """Record the outcome of an enquiry."""
    found, form = _payment(payment_id), SettleForm()
    if form.validate_on_submit():
        with form.catching():
            exceptions.settle(found, form.outcome.data, note=form.note.data or "", at=now())
            flash(_("The outcome of the enquiry is recorded."), "success")
            return redirect(url_for("payments.payment", payment_id=found.id), 303)
    return _page(found, settle=form)


@blueprint.post("/<int:payment_id>/again")
@requires("payments:cycle:prepare")
def pay_again(payment_id: int) -> ResponseReturnValue:
    """Let the next cycle pay what this payment could not."""
    found, form = _payment(payment_id), AgainForm()
    if form.validate_on_submit():
        with form.catching():
            carrying.pay_again(found.entitlement, reason=form.reason.data or "", at=now())
            flash(_("The next payment cycle of the scheme pays it again."), "success")
            return redirect(url_for("payments.payment", payment_id=found.id), 303)
    return _page(found, again=form)


def _payment(payment_id: int) -> Payment:
    found = db.session.scalar(
        sa.select(Payment)
        .options(
            joinedload(Payment.state), joinedload(Payment.entitlement), joinedload(Payment.person),
            joinedload(Payment.account), joinedload(Payment.cycle).joinedload(Cycle.scheme),
        )
        .where(Payment.id == payment_id)
    )  # fmt: skip
    if found is None:
        raise Missing(_("There is no payment of this number in the areas you work in."))
    return found


def _page(found: Payment, *, settle: Form | None = None, again: Form | None = None) -> ResponseReturnValue:
    ended = found.state.status in ("paid", "rejected", "returned")
    events = exceptions.events_of(found)
    others = db.session.scalars(
        sa.select(Payment)
        .options(joinedload(Payment.state))
        .where(Payment.entitlement_id == found.entitlement_id, Payment.id != found.id)
        .order_by(Payment.attempt)
    ).all()
    refusal = carrying.why_not_again(found.entitlement)
    shown = settle or again or SettleForm()
    return shown.page(
        "payments/payment.html",
        payment=found,
        amount=Money(found.amount_minor, found.currency),
        events=[(event, _advice(event)) for event in events],
        others=others,
        settle=None if ended or not access.may(exceptions.RESOLVE) else settle or SettleForm(),
        again=(again or AgainForm())
        if ended and found.state.status != "paid" and access.may("payments:cycle:prepare") and not refusal
        else None,
        refusal=refusal if found.state.status == "rejected" else None,
    )


def _advice(event: PaymentEvent) -> Any:
    return advice(event.reason) if event.reason and event.status in ("rejected", "unknown") else None
