"""Holds: the list, placing one, releasing one."""

from __future__ import annotations

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import contains_eager

from eligibility.models import Enrolment, Scheme
from mis import access
from mis.access import requires
from mis.calendar import now, today
from mis.db import db
from mis.errors import Invalid
from mis.web import history
from mis.web.filters import AreaFilter, ChoiceFilter, TextFilter
from mis.web.listing import Column, Listing
from payments import holds
from payments.forms import HoldForm, ReasonForm
from payments.leaving_out import is_live
from payments.models import Hold
from payments.views.blueprint import blueprint
from registry.models import Person
from registry.references import PERSON, parse

READ = "payments:hold:read"
STATES = [("live", _l("In place")), ("over", _l("Released or expired"))]


def _state(state: str) -> sa.ColumnElement[bool]:
    return is_live(today()) if state == "live" else sa.not_(is_live(today()))


hold_list = Listing(
    "payments.holds",
    title=_l("Holds"),
    select=lambda: sa.select(Hold).join(Hold.person).options(contains_eager(Hold.person)),
    key=Hold.id,
    columns=[
        Column("person", _l("Person"), value=lambda hold: hold.person.name, sort=Person.search_name),
        Column("reason", _l("Reason"), value=lambda hold: hold.reason),
        Column("placed", _l("Placed"), value=lambda hold: hold.placed_at, sort=Hold.placed_at, kind="moment"),
        Column("expires", _l("Last day"), value=lambda hold: hold.expires_on, sort=Hold.expires_on, kind="date"),
        Column("released", _l("Released"), value=lambda hold: hold.released_at, kind="moment"),
    ],
    filters=[
        ChoiceFilter("state", _l("State"), STATES, _state),
        TextFilter("q", _l("Name"), lambda text: Person.search_name.icontains(text, autoescape=True)),
        AreaFilter("area", _l("Area"), Hold.area_id),
    ],
    row_url=lambda hold: url_for("payments.hold", hold_id=hold.id),
    empty_hint=_l("No payment is held."),
    export_permission=READ,
    order="-placed",
)  # fmt: skip


@blueprint.get("/holds", endpoint="holds")
@requires(READ)
def all_holds() -> ResponseReturnValue:
    """All holds."""
    page = hold_list.page(request.args)
    return render_template("payments/holds.html", listing=page, may_place=access.may(holds.PLACE))


@blueprint.route("/holds/new", methods=["GET", "POST"])
@requires(holds.PLACE)
def new_hold() -> ResponseReturnValue:
    """Place a hold; `?person=` names the person from whose page one came."""
    form = HoldForm()
    if request.method == "GET" and (asked := request.args.get("person")):
        form.person.data = parse(asked, kind=PERSON)[1]
    if form.validate_on_submit():
        with form.catching():
            enrolment = form.enrolment()
            if enrolment is None:
                raise Invalid(_("This person is not enrolled in this scheme."), field="scheme")
            hold = holds.place(
                enrolment, reason=form.reason.data or "", day=today(), at=now(), expires_on=form.expires_on.data
            )  # fmt: skip
            _tell(hold)
            return redirect(url_for("payments.hold", hold_id=hold.id), 303)
    return form.page("payments/new_hold.html")


@blueprint.get("/holds/<int:hold_id>")
@requires(READ)
def hold(hold_id: int) -> ResponseReturnValue:
    """One hold."""
    return _page(holds.get(hold_id), ReasonForm())


@blueprint.post("/holds/<int:hold_id>/release")
@requires(holds.RELEASE)
def release_hold(hold_id: int) -> ResponseReturnValue:
    """Release a hold."""
    found, form = holds.get(hold_id), ReasonForm()
    if form.validate_on_submit():
        with form.catching():
            holds.release(found, reason=form.reason.data or "", at=now())
            flash(_("The hold is released. The next cycle pays what it withheld."), "success")
            return redirect(url_for("payments.hold", hold_id=found.id), 303)
    return _page(found, form)


def _tell(hold: Hold) -> None:
    late = ", ".join(cycle.month for cycle in holds.too_late(hold))
    if late:
        flash(
            _("The hold is in place, but too late for the cycle being exported: %(months)s.", months=late),
            "warning",
        )
    else:
        flash(_("The hold is in place."), "success")  # fmt: skip


def _page(found: Hold, form: ReasonForm) -> ResponseReturnValue:
    person = db.session.get_one(Person, found.person_id)
    scheme = db.session.scalar(
        sa.select(Scheme)
        .join(Enrolment, Enrolment.scheme_id == Scheme.id)
        .where(Enrolment.id == found.enrolment_id)
    )
    expired = found.expires_on is not None and found.expires_on < today()
    return form.page(
        "payments/hold.html",
        hold=found,
        person=person,
        scheme=scheme,
        is_live=found.released_at is None and not expired,
        expired=expired,
        may_release=access.may(holds.RELEASE),
        history=history.of(found) if access.may("audit:trail:read") else None,
    )
