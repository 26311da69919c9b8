"""A case is given to an officer, answered, appealed; and the answer as a letter."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from grievances import casework, intake, remedies
from grievances.catalogue import catalogue
from grievances.forms import AppealForm, AssignForm, ResolveForm
from grievances.models import Grievance
from grievances.views import subject_links
from grievances.views.blueprint import LODGE, READ, RESOLVE, WORK, blueprint, office
from grievances.views.cases import to_case
from grievances.views.lodging import receipt
from mis.access import requires
from mis.calendar import now, today
from mis.errors import Conflict
from mis.web.forms import Form, choices
from registry import references


@blueprint.route("/<int:grievance_id>/assign", methods=["GET", "POST"])
@requires(WORK)
def assign(grievance_id: int) -> ResponseReturnValue:
    """Give the case to an officer of its area."""
    grievance = casework.get(grievance_id)
    workers = {user.id: user for user in casework.workers(grievance, day=today())}
    form = AssignForm(data={"version": grievance.version, "user": grievance.assigned_to_id})
    form.user.choices = choices(
        ((str(user.id), user.name) for user in workers.values()), empty=_("Choose an officer")
    )
    if form.validate_on_submit():
        with form.catching():
            form.version.check(grievance)
            user = workers[form.user.data]
            casework.assign(grievance, user, day=today())
            flash(_("The case is given to %(name)s.", name=user.name), "success")
            return to_case(grievance)
    return _form_page(form, "grievances/assign.html", grievance, step="assign")


@blueprint.route("/<int:grievance_id>/resolve", methods=["GET", "POST"])
@requires(RESOLVE)
def resolve(grievance_id: int) -> ResponseReturnValue:
    """Answer the case, with a remedy that acts at once."""
    grievance = casework.get(grievance_id)
    offered = remedies.choices(grievance, day=today())
    form = ResolveForm(offered, data={"version": grievance.version, "remedy": "none"})
    if form.validate_on_submit():
        with form.catching():
            form.version.check(grievance)
            casework.resolve(
                grievance,
                finding=form.finding.data or "",
                decision=form.decision.data or "",
                remedy=form.remedy.data or "",
                day=today(),
                at=now(),
                office=office(),
            )
            flash(_("The grievance is answered. Print or send the letter."), "success")
            return to_case(grievance)
    refused = [one for one in offered if one.refusal is not None]
    return _form_page(form, "grievances/resolve.html", grievance, step="resolve", refused=refused)


@blueprint.route("/<int:grievance_id>/appeal", methods=["GET", "POST"])
@requires(LODGE)
def appeal(grievance_id: int) -> ResponseReturnValue:
    """Take an appeal against the answer in, as a new case."""
    grievance = casework.get(grievance_id)
    form = AppealForm(data={"version": grievance.version, "received_on": today(), "channel": "office"})
    if form.validate_on_submit():
        with form.catching():
            form.version.check(grievance)
            return receipt(
                casework.appeal(
                    grievance,
                    form.grounds.data or "",
                    channel=form.channel.data or "",
                    received_on=form.received_on.data,
                    at=now(),
                    office=office(),
                    late_because=form.late_because.data,
                )
            )
    return _form_page(form, "grievances/appeal.html", grievance, step="appeal")


@blueprint.get("/<int:grievance_id>/letter")
@requires(READ)
def letter(grievance_id: int) -> ResponseReturnValue:
    """The answer as a letter, with the right of appeal."""
    grievance = casework.get(grievance_id)
    if grievance.decision is None:
        raise Conflict(
            _("There is no answer yet, so there is no letter."), instead=_("Resolve the case first.")
        )
    return render_template(
        "grievances/letter.html",
        grievance=grievance,
        reference=intake.reference(grievance),
        known=catalogue(),
        category=catalogue().categories[grievance.category],
        subject=subject_links.of_case(grievance),
        appeal_of=references.reference(references.GRIEVANCE, grievance.appeal_of_id)
        if grievance.appeal_of_id
        else None,
    )


def _form_page(
    form: Form, template: str, grievance: Grievance, *, step: str, **more: Any
) -> ResponseReturnValue:
    # A form for a step that cannot be taken now would only waste the officer's time.
    casework.need_step(grievance, step)
    return form.page(
        template,
        grievance=grievance,
        reference=intake.reference(grievance),
        known=catalogue(),
        subject=subject_links.of_case(grievance),
        **more,
    )
