"""Payment accounts: those that wait for confirmation, proposing one, confirming, closing, showing the number."""

from __future__ import annotations

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import contains_eager

from mis import access
from mis.access import requires
from mis.calendar import now
from mis.db import db
from mis.errors import Conflict, Missing
from mis.web import i18n
from mis.web.filters import AreaFilter, ChoiceFilter, TextFilter
from mis.web.listing import Column, Listing
from payments import accounts
from payments.forms import KINDS, AccountForm, PurposeForm
from payments.models import PaymentAccount, account_lifecycle
from payments.views import telling
from payments.views.blueprint import blueprint
from registry.models import Person

READ = "payments:account:read"
_KIND = dict(KINDS)

account_list = Listing(
    "payments.accounts",
    title=_l("Payment accounts"),
    select=lambda: sa.select(PaymentAccount)
    .join(PaymentAccount.person)
    .options(contains_eager(PaymentAccount.person)),
    key=PaymentAccount.id,
    columns=[
        Column("person", _l("Person"), value=lambda one: one.person.name, sort=Person.search_name),
        Column("kind", _l("Kind"), value=lambda one: _KIND.get(one.kind, one.kind)),
        Column("number", _l("Number"), value=lambda one: one.number_hint),
        Column("institution", _l("Bank or provider"), value=lambda one: one.institution),
        Column("status", _l("Status"), value=lambda one: one.status, kind="status"),
        Column("created", _l("Proposed"), value=lambda one: one.created_at,
               sort=PaymentAccount.created_at, kind="moment"),
    ],
    filters=[
        ChoiceFilter(
            "status", _l("Status"), i18n.told(account_lifecycle.statuses),
            lambda status: PaymentAccount.status == status,
        ),
        TextFilter("q", _l("Name"), lambda text: Person.search_name.icontains(text, autoescape=True)),
        AreaFilter("area", _l("Area"), Person.area_id),
    ],
    row_url=lambda one: url_for("payments.account", account_id=one.id),
    empty_hint=_l("Accounts are proposed on the page of a person."),
    order="-created",
)  # fmt: skip


@blueprint.get("/accounts", endpoint="accounts")
@requires(READ)
def all_accounts() -> ResponseReturnValue:
    """All accounts."""
    return render_template("payments/list.html", listing=account_list.page(request.args))


@blueprint.route("/persons/<int:person_id>/accounts/new", methods=["GET", "POST"])
@requires(accounts.PROPOSE)
def new_account(person_id: int) -> ResponseReturnValue:
    """Propose an account for a person."""
    person, form = _person(person_id), AccountForm()
    if form.validate_on_submit():
        with form.catching():
            account = accounts.propose(
                person,
                kind=form.kind.data,
                number=form.number.data,
                institution=form.institution.data,
                at=now(),
            )
            flash(_("The account is proposed. A second person confirms it."), "success")
            return _to(account)  # fmt: skip
    return form.page("payments/new_account.html", person=person)


@blueprint.get("/accounts/<int:account_id>")
@requires(READ)
def account(account_id: int) -> ResponseReturnValue:
    """One account."""
    return _page(accounts.get(account_id))


@blueprint.post("/accounts/<int:account_id>/confirm")
@requires(accounts.CONFIRM)
def account_confirm(account_id: int) -> ResponseReturnValue:
    """Confirm an account, as a second person."""
    found = _unchanged(accounts.get(account_id))
    accounts.confirm(found)
    flash(_("The account is confirmed: the person is paid into it from the next computation on."), "success")
    return _to(found)


@blueprint.post("/accounts/<int:account_id>/close")
@requires(accounts.PROPOSE)
def account_close(account_id: int) -> ResponseReturnValue:
    """Close an account."""
    found = _unchanged(accounts.get(account_id))
    accounts.close(found, reason=request.form.get("reason", ""))
    flash(_("The account is closed."), "success")
    return _to(found)


def _unchanged(found: PaymentAccount) -> PaymentAccount:
    if request.form.get("version", "") != str(found.version):
        raise Conflict(
            _("Somebody else has just changed this account."), instead=_("Look at it again, then decide.")
        )
    return found


@blueprint.post("/accounts/<int:account_id>/reveal")
@requires(accounts.REVEAL)
def reveal_account(account_id: int) -> ResponseReturnValue:
    """Show the full number; who looked, and what for, is recorded."""
    found, form = accounts.get(account_id), PurposeForm()
    if form.validate_on_submit():
        with form.catching():
            return _page(found, number=accounts.reveal(found, purpose=form.purpose.data or ""))
    return _page(found, form=form)


def _person(person_id: int) -> Person:
    person = db.session.scalar(sa.select(Person).where(Person.id == person_id))
    if person is None:
        raise Missing(_("There is no such person in the areas you work in."))
    return person


def _page(
    found: PaymentAccount, *, number: str | None = None, form: PurposeForm | None = None
) -> ResponseReturnValue:
    offers = [offer for offer in account_lifecycle.offers(found) if offer.step.name != "replace"]
    return (form or PurposeForm()).page(
        "payments/account.html",
        account=found,
        person=_person(found.person_id),
        kind=_KIND.get(found.kind, found.kind),
        offers=offers,
        urls={
            step: url_for(f"payments.account_{step}", account_id=found.id) for step in ("confirm", "close")
        },
        number=number,
        may_reveal=found.number_hint is not None and access.may(accounts.REVEAL),
        told=telling.steps_of(found),
    )


def _to(found: PaymentAccount) -> ResponseReturnValue:
    return redirect(url_for("payments.account", account_id=found.id), 303)
