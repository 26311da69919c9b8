"""Payment cycles: the list, opening one, and the steps that move it on."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import contains_eager

from eligibility.models import Scheme
from mis import access
from mis.access import requires
from mis.calendar import now
from mis.errors import Conflict
from mis.web import i18n
from mis.web.filters import ChoiceFilter
from mis.web.listing import Column, Listing
from payments import answers, approval, disbursement, filing, payroll, reconciliation, scheduling
from payments.forms import AnswerForm, OpenCycleForm
from payments.models import Cycle, cycle_lifecycle
from payments.views import cycle_page
from payments.views.blueprint import blueprint
from payments.views.choices import scheme_choices

READ, PREPARE, APPROVE = "payments:cycle:read", scheduling.PREPARE, "payments:cycle:approve"

cycle_list = Listing(
    "payments.cycles",
    title=_l("Payment cycles"),
    select=lambda: sa.select(Cycle).join(Cycle.scheme).options(contains_eager(Cycle.scheme)),
    key=Cycle.id,
    columns=[
        Column("month", _l("Month"), value=lambda cycle: cycle.month, sort=Cycle.month),
        Column("scheme", _l("Scheme"), value=lambda cycle: cycle.scheme.name, sort=Scheme.name),
        Column("status", _l("Status"), value=lambda cycle: cycle.status, kind="status"),
        Column("opened", _l("Opened"), value=lambda cycle: cycle.opened_at, kind="moment"),
    ],
    filters=[
        ChoiceFilter("scheme", _l("Scheme"), scheme_choices, lambda code: Scheme.code == code),
        ChoiceFilter(
            "status", _l("Status"), i18n.told(cycle_lifecycle.statuses), lambda status: Cycle.status == status
        ),
    ],
    row_url=lambda cycle: url_for("payments.cycle", cycle_id=cycle.id),
    empty_hint=_l("Open the first cycle: one scheme, one month."),
    order="-month",
)  # fmt: skip


@blueprint.get("/cycles")
@requires(READ)
def cycles() -> ResponseReturnValue:
    """All payment cycles."""
    page = cycle_list.page(request.args)
    return render_template("payments/cycles.html", listing=page, may_open=access.may(PREPARE))


@blueprint.route("/cycles/new", methods=["GET", "POST"])
@requires(PREPARE)
def new_cycle() -> ResponseReturnValue:
    """Open a cycle."""
    form = OpenCycleForm()
    if form.validate_on_submit():
        with form.catching():
            scheme = scheduling.scheme_named(form.scheme.data)
            cycle = scheduling.open_cycle(scheme, form.month.data, at=now())
            flash(_("The cycle is open. Compute it next."), "success")
            return _to(cycle)
    return form.page("payments/new_cycle.html")


@blueprint.get("/cycles/<int:cycle_id>")
@requires(READ)
def cycle(cycle_id: int) -> ResponseReturnValue:
    """One cycle: what is done, what is next, the figures and whether they tie out."""
    found = scheduling.get(cycle_id)
    return AnswerForm().page("payments/cycle.html", **cycle_page.context(found))


@blueprint.get("/cycles/<int:cycle_id>/check")
@requires(APPROVE)
def check_cycle(cycle_id: int) -> ResponseReturnValue:
    """What to look at before approving."""
    found = scheduling.get(cycle_id)
    return render_template("payments/check.html", **cycle_page.check_context(found))


@blueprint.get("/cycles/<int:cycle_id>/progress")
@requires(READ)
def cycle_progress(cycle_id: int) -> ResponseReturnValue:
    """How far the work on a cycle has come; when it is over, the whole page is shown anew."""
    found = scheduling.get(cycle_id)
    working = cycle_page.work_on(found)
    answer = Response(render_template("payments/progress.html", cycle=found, **working))
    if not working["working"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


_TOLD = {
    "compute": _l("The entitlements are being computed."),
    "submit": _l("The cycle waits for approval by a second person."),
    "approve": _l("The cycle is approved. It can be exported."),
    "return": _l("The cycle is sent back."),
    "export": _l("The instructions are being made."),
    "reconcile": _l("The figures are stored."),
    "close": _l("The cycle is closed."),
    "abort": _l("The cycle is aborted."),
}


def _take(cycle: Cycle, step: str, *, reason: str | None) -> None:
    if step == "compute":
        payroll.begin(cycle)
    elif step == "export":
        disbursement.begin(cycle, at=now())
    elif step == "reconcile":
        reconciliation.reconcile(cycle, at=now())
    else:
        approval.take(cycle, step, reason=reason)


def _step_taker(step: str) -> Callable[[int], ResponseReturnValue]:
    """The view that takes one step: each has an address of its own, because each needs another permission."""

    def take(cycle_id: int) -> ResponseReturnValue:
        found = scheduling.get(cycle_id)
        if request.form.get("version", "") != str(found.version):
            raise Conflict(
                _("Somebody else has just changed this cycle."), instead=_("Look at it again, then decide.")
            )
        _take(found, step, reason=request.form.get("reason"))
        flash(str(_TOLD.get(step) or _("Done.")), "success")
        return _to(found)

    return take


for _name, _step in cycle_lifecycle.steps.items():
    if _name not in cycle_page.BY_THE_JOB:
        blueprint.add_url_rule(
            f"/cycles/<int:cycle_id>/{_name}",
            endpoint=f"cycle_{_name}",
            view_func=requires(_step.permission)(_step_taker(_name)),
            methods=["POST"],
        )


@blueprint.post("/cycles/<int:cycle_id>/go-on")
@requires(PREPARE)
def go_on_with_cycle(cycle_id: int) -> ResponseReturnValue:
    """Let the work on a cycle go on that has failed or was stopped."""
    found = scheduling.get(cycle_id)
    if found.status == "computing":
        payroll.begin(found)
    elif found.status == "exporting":
        disbursement.begin(found, at=now())
    else:
        raise Conflict(_("There is no work on this cycle that could go on."))
    return _to(found)


@blueprint.post("/cycles/<int:cycle_id>/files/<form>")
@requires(disbursement.EXPORT)
def cycle_file(cycle_id: int, form: str) -> ResponseReturnValue:
    """The provider's file; recorded, for it leaves the building."""
    path = filing.fetch(scheduling.get(cycle_id), form, to="browser")
    return send_file(path, as_attachment=True, download_name=path.name)


@blueprint.post("/cycles/<int:cycle_id>/answers")
@requires(answers.RECONCILE)
def take_answer(cycle_id: int) -> ResponseReturnValue:
    """Take in a file of the provider."""
    found, form = scheduling.get(cycle_id), AnswerForm()
    if form.validate_on_submit():
        with form.catching(), tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "answer"
            form.file.data.save(place)
            received = answers.receive(found, place, name=form.file.data.filename or "answer", at=now())
            if received.again:
                flash(_("This file was taken in before: nothing has changed."), "info")
            return redirect(url_for("payments.answer", file_id=received.file.id), 303)
    return form.page("payments/cycle.html", **cycle_page.context(found))


def _to(cycle: Cycle) -> ResponseReturnValue:
    return redirect(url_for("payments.cycle", cycle_id=cycle.id), 303)
