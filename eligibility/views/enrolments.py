"""Enrolments: the list, the page of one with its steps and history, and the way out of a scheme."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import joinedload

from eligibility import enrolment as process
from eligibility.forms import EXIT_REASONS, ExitForm
from eligibility.models import Enrolment, Scheme, enrolment_lifecycle
from eligibility.views import narrowing, shown
from eligibility.views.blueprint import blueprint
from mis import access
from mis.access import requires
from mis.calendar import now, today
from mis.errors import Conflict, Invalid
from mis.money import Money
from mis.web import i18n
from mis.web.filters import AreaFilter, ChoiceFilter, TextFilter
from mis.web.listing import Column, Listing
from registry import search
from registry.models import Area, Person
from registry.references import PERSON, reference

READ, DECIDE, EXIT = (
    "eligibility:enrolment:read",
    "eligibility:enrolment:decide",
    "eligibility:enrolment:exit",
)


def _rows() -> Any:
    return (
        sa.select(Enrolment, Person, Area.name.label("area"))
        .join(Person, Person.id == Enrolment.person_id)
        .join(Area, Area.id == Enrolment.area_id)
        .options(joinedload(Enrolment.scheme))
    )


enrolment_list = Listing(
    "eligibility.enrolments",
    title=_l("Enrolments"),
    select=_rows,
    key=Enrolment.id,
    columns=[
        Column(
            "person",
            _l("Person"),
            lambda row: reference(PERSON, row.Enrolment.person_id),
            sort=Enrolment.person_id,
        ),
        Column("name", _l("Name"), lambda row: row.Person.name, sort=Person.search_name),
        Column("scheme", _l("Scheme"), lambda row: row.Enrolment.scheme.name),
        Column("status", _l("Status"), lambda row: row.Enrolment.status, kind="status"),
        Column("amount", _l("Amount a month"), lambda row: amount_of(row.Enrolment), kind="money"),
        Column(
            "from", _l("From"), lambda row: row.Enrolment.valid_from, sort=Enrolment.valid_from, kind="date"
        ),
        Column("until", _l("Until"), lambda row: row.Enrolment.valid_to, kind="date"),
        Column("area", _l("Area"), lambda row: row.area),
    ],
    filters=[
        TextFilter("q", _l("Name or number"), search.any_of),
        ChoiceFilter(
            "scheme",
            _l("Scheme"),
            narrowing.schemes,
            lambda code: Enrolment.scheme_id.in_(sa.select(Scheme.id).where(Scheme.code == code)),
        ),
        ChoiceFilter(
            "status",
            _l("Status"),
            i18n.told(enrolment_lifecycle.statuses),
            lambda value: Enrolment.status == value,
        ),
        AreaFilter("area", _l("Area"), Enrolment.area_id),
    ],
    row_url=lambda row: url_for("eligibility.enrolment", enrolment_id=row.Enrolment.id),
    empty_hint=_l("Assess the register and enrol the eligible, or decide on an applicant."),
    export_permission=READ,
    order="-person",
)


@blueprint.get("/enrolments")
@requires(READ)
def enrolments() -> ResponseReturnValue:
    """Everybody who is, was, or wants to be in a scheme."""
    return render_template(
        "eligibility/enrolments.html",
        listing=enrolment_list.page(request.args),
        may_decide=access.may(DECIDE),
    )


@blueprint.get("/enrolments/<int:enrolment_id>")
@requires(READ)
def enrolment(enrolment_id: int) -> ResponseReturnValue:
    """One enrolment: its decision, its steps, its history."""
    found = process.numbered(enrolment_id)
    # An exit asks for its reason and day on a page of its own.
    offers = [offer for offer in enrolment_lifecycle.offers(found) if offer.step.name != "exit"]
    return render_template(
        "eligibility/enrolment.html",
        enrolment=found,
        reference=reference(PERSON, found.person_id),
        amount=amount_of(found),
        offers=offers,
        exit_reason=dict(EXIT_REASONS).get(found.exit_reason or ""),
        may_exit=found.status in ("active", "suspended") and access.may(EXIT),
        may_decide=found.status == "applied" and access.may(DECIDE),
        history=shown.steps_taken(found),
    )


@blueprint.post("/enrolments/<int:enrolment_id>/step")
@requires(DECIDE)
def enrolment_step(enrolment_id: int) -> ResponseReturnValue:
    """Enrol, refuse, suspend or resume."""
    found, step = process.numbered(enrolment_id), request.form.get("step", "")
    if step not in enrolment_lifecycle.steps or step == "exit":
        raise Invalid(_("There is no such step."))
    if request.form.get("version", "") != str(found.version):
        raise Conflict(
            _("Somebody else has just changed this enrolment."), instead=_("Look at it again, then decide.")
        )
    enrolment_lifecycle.take(found, step, reason=request.form.get("reason"))
    flash(_("Done: %(step)s.", step=_(enrolment_lifecycle.steps[step].label)), "success")
    return redirect(url_for("eligibility.enrolment", enrolment_id=enrolment_id))


@blueprint.post("/enrolments/<int:enrolment_id>/assess")
@requires(DECIDE)
def assess_again(enrolment_id: int) -> ResponseReturnValue:
    """Assess an applicant once more, after what was missing has been recorded, and decide."""
    found = process.numbered(enrolment_id)
    process.apply_and_decide(found.scheme, found.person, found.valid_from, at=now())
    return redirect(url_for("eligibility.enrolment", enrolment_id=enrolment_id))


@blueprint.route("/enrolments/<int:enrolment_id>/exit", methods=["GET", "POST"])
@requires(EXIT)
def exit_enrolment(enrolment_id: int) -> ResponseReturnValue:
    """End an enrolment, with its reason and day."""
    found = process.numbered(enrolment_id)
    form = ExitForm(on=today(), version=found.version)
    if form.validate_on_submit():
        with form.catching():
            form.version.check(found)
            process.exit_(found, code=form.reason.data, day=form.on.data, note=form.note.data)
            flash(_("The enrolment ends on %(day)s.", day=form.on.data), "success")
            return redirect(url_for("eligibility.enrolment", enrolment_id=enrolment_id))
    return form.page("eligibility/exit.html", enrolment=found)


def panel(person: Person) -> Markup | None:
    """The schemes that a person is or was in, for the person's page."""
    found = process.enrolments_of(person)
    return Markup(  # noqa: S704 - rendered by our own template
        render_template(
            "eligibility/panel.html",
            enrolments=[(one, amount_of(one)) for one in found],
            person=person,
            reference=reference(PERSON, person.id),
            schemes=narrowing.schemes(),
            day=today(),
        )
    )


def amount_of(one: Enrolment) -> Money | None:
    """What the enrolment gives a month."""
    return None if one.amount_minor is None else Money(one.amount_minor, one.currency)
