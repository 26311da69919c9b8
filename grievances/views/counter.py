"""The pages without sign-in: lodge a grievance, ask what became of it, appeal. They show nothing about anybody."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from grievances import public_access
from grievances.catalogue import catalogue
from grievances.forms import LookUpForm, PublicAppealForm, PublicLodgeForm
from grievances.intake import Complainant
from grievances.views.blueprint import blueprint, office
from mis.access import public
from mis.calendar import now, today
from mis.web.forms import Form
from mis.web.shell import register_door

register_door(_l("Complain about a decision, a payment or our service"), "grievances.public_lodge")
register_door(_l("What became of my grievance?"), "grievances.public_status")


@blueprint.route("/public", methods=["GET", "POST"])
@public
def public_lodge() -> ResponseReturnValue:
    """Anybody lodges a grievance."""
    form = PublicLodgeForm()
    if form.validate_on_submit() and _counted(form, "lodge"):
        with form.catching():
            lodged = public_access.lodge(
                form.category.data or "",
                form.description.data or "",
                area_id=form.area.data,
                person_reference=form.person.data or "",
                complainant=Complainant(form.name.data, form.phone.data),
                anonymous=bool(form.anonymous.data),
                at=now(),
                office=office(),
            )
            return render_template("grievances/public_receipt.html", lodged=lodged, known=catalogue())
    return form.page("grievances/public_lodge.html")


@blueprint.route("/public/status", methods=["GET", "POST"])
@public
def public_status() -> ResponseReturnValue:
    """The author of a grievance asks what became of it. The word travels in the form, never in an address."""
    form = LookUpForm()
    if form.validate_on_submit() and _counted(form, "look_up"):
        with form.catching():
            answer = public_access.look_up(form.reference.data or "", form.word.data or "", day=today())
            return render_template("grievances/public_status.html", answer=answer, known=catalogue())
    return form.page("grievances/public_look_up.html")


@blueprint.route("/public/appeal", methods=["GET", "POST"])
@public
def public_appeal() -> ResponseReturnValue:
    """The author of a grievance appeals against its answer."""
    form = PublicAppealForm()
    if form.validate_on_submit() and _counted(form, "look_up"):
        with form.catching():
            lodged = public_access.appeal(
                form.reference.data or "",
                form.word.data or "",
                form.grounds.data or "",
                at=now(),
                office=office(),
            )
            return render_template("grievances/public_receipt.html", lodged=lodged, known=catalogue())
    return form.page("grievances/public_appeal.html", known=catalogue())


def _counted(form: Form, kind: str) -> bool:
    """Count this use by itself, so that it stays counted when the use is refused."""
    with form.catching():
        public_access.count(kind, request.remote_addr or "", at=now())
    return not form.errors
