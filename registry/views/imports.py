"""Lists of people: bringing one, looking at what became of its rows, accepting or rejecting the batch."""

from __future__ import annotations

import io
from typing import Any

import sqlalchemy as sa
from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from mis import access, audit, jobs
from mis.access import requires
from mis.calendar import now
from mis.errors import Conflict, Invalid
from mis.states import changes_of
from mis.web import i18n
from mis.web.charts import bar_chart
from mis.web.filters import ChoiceFilter
from mis.web.listing import Column, Listing
from registry.forms import ImportForm
from registry.importing import accepting, mapping, reporting, staging
from registry.importing.reasons import REASONS
from registry.models import ImportBatch, ImportRow, batch_lifecycle
from registry.references import BATCH, reference
from registry.views.blueprint import blueprint

READ, CREATE, ACCEPT = "registry:import:read", "registry:import:create", "registry:import:accept"
OUTCOMES = [("accepted", _l("Accepted")), ("refused", _l("Refused")), ("unchanged", _l("Known already"))]

batch_list = Listing(
    "registry.imports",
    title=_l("Lists"),
    select=lambda: sa.select(ImportBatch).where(reporting.in_sight()),
    key=ImportBatch.id,
    columns=[
        Column(
            "reference", _l("Reference"), value=lambda batch: reference(BATCH, batch.id), sort=ImportBatch.id
        ),
        Column("file", _l("File"), value=lambda batch: batch.file_name, sort=ImportBatch.file_name),
        Column("source", _l("Source"), value=lambda batch: batch.source),
        Column("status", _l("Status"), value=lambda batch: batch.status, kind="status"),
        Column("read", _l("Rows"), value=lambda batch: batch.rows_read, kind="number"),
        Column("accepted", _l("Accepted"), value=lambda batch: batch.rows_accepted, kind="number"),
        Column("refused", _l("Refused"), value=lambda batch: batch.rows_refused, kind="number"),
        Column(
            "created",
            _l("Brought"),
            value=lambda batch: batch.created_at,
            sort=ImportBatch.created_at,
            kind="moment",
        ),
    ],
    filters=[
        ChoiceFilter(
            "status",
            _l("Status"),
            i18n.told(batch_lifecycle.statuses),
            lambda status: ImportBatch.status == status,
        )
    ],
    row_url=lambda batch: url_for("registry.import_batch", batch_id=batch.id),
    empty_hint=_l("Bring a list of people as CSV or XLSX, with a mapping."),
    order="-reference",
)

row_list = Listing(
    "registry.import_rows",
    title=_l("Rows"),
    select=lambda: sa.select(ImportRow),
    key=ImportRow.row_no,
    columns=[
        Column("row_no", _l("Row"), value=lambda row: row.row_no, sort=ImportRow.row_no, kind="number"),
        Column("outcome", _l("Outcome"), value=lambda row: row.outcome, kind="status"),
        Column(
            "reasons", _l("Reasons"), value=lambda row: " ".join(_told(problem) for problem in row.problems)
        ),
        Column("key", _l("Key"), value=lambda row: row.person_key),
        Column(
            "content",
            _l("Content"),
            value=lambda row: " · ".join(value for value in row.raw.values() if value)[:200],
        ),
    ],
    filters=[
        ChoiceFilter("outcome", _l("Outcome"), OUTCOMES, lambda outcome: ImportRow.outcome == outcome),
        ChoiceFilter("reason", _l("Reason"), i18n.told(REASONS), lambda code: ImportRow.reason_code == code),
    ],
    empty_hint=_l("No row of this list is like that."),
    order="row_no",
)


def _told(problem: dict[str, str]) -> str:
    return f"{problem['column']}: {problem['sentence']}" if problem["column"] else problem["sentence"]


@blueprint.get("/imports")
@requires(READ)
def imports() -> ResponseReturnValue:
    """All lists that were brought."""
    page = batch_list.page(request.args)
    return render_template("registry/imports.html", listing=page, may_add=access.may(CREATE))


@blueprint.route("/imports/new", methods=["GET", "POST"])
@requires(CREATE)
def new_import() -> ResponseReturnValue:
    """Bring a list."""
    form = ImportForm()
    if form.validate_on_submit():
        with form.catching():
            name, text = _chosen_mapping(form)
            begun = staging.begin(
                form.file.data.stream,
                file_name=form.file.data.filename or "list",
                mapping_text=text,
                mapping_name=name,
                at=now(),
                area_id=form.area_id.data,
            )
            if begun.again:
                flash(_("This file was brought before with the same mapping: nothing has changed."), "info")
            return redirect(url_for("registry.import_batch", batch_id=begun.batch.id))
    return form.page("registry/new_import.html")


@blueprint.get("/imports/<int:batch_id>")
@requires(READ)
def import_batch(batch_id: int) -> ResponseReturnValue:
    """One list: how many rows, refused for what, and what can be done with it."""
    batch = reporting.batch(batch_id)
    reasons = [(_(REASONS.get(code, code)), rows) for code, rows in reporting.reasons(batch)]
    return render_template(
        "registry/import_batch.html",
        batch=batch,
        rows=row_list.page(request.args, only=[ImportRow.batch_id == batch.id]),
        chart=bar_chart(_("Refused rows by reason"), reasons, unit=_("Rows"), heading=_("Reason"))
        if reasons
        else None,
        offers=[offer for offer in batch_lifecycle.offers(batch) if offer.step.name in ("accept", "reject")],
        changes=[(one, _step_label(one.step)) for one in changes_of(batch)],
        **_progress(batch),
    )


@blueprint.get("/imports/<int:batch_id>/progress")
@requires(READ)
def import_progress(batch_id: int) -> ResponseReturnValue:
    """How far the work on a list has come; when it is over, the whole page is shown anew."""
    batch = reporting.batch(batch_id)
    answer = Response(render_template("registry/import_progress.html", batch=batch, **_progress(batch)))
    if not _is_working(batch):
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.post("/imports/<int:batch_id>/step")
@requires(ACCEPT)
def import_step(batch_id: int) -> ResponseReturnValue:
    """Accept or reject a list."""
    batch, step = reporting.batch(batch_id), request.form.get("step", "")
    if request.form.get("version", "") != str(batch.version):
        raise Conflict(
            _("Somebody else has just changed this list."), instead=_("Look at it again, then decide.")
        )
    if step == "accept":
        accepting.accept(batch)
        flash(_("The list is accepted; its rows are being registered."), "success")
    elif step == "reject":
        accepting.reject(batch, reason=request.form.get("reason", ""))
        flash(_("The list is rejected."), "success")
    else:
        raise Invalid(_("There is no such step."))
    return redirect(url_for("registry.import_batch", batch_id=batch.id))


@blueprint.post("/imports/<int:batch_id>/resume")
@requires(CREATE)
def resume_import(batch_id: int) -> ResponseReturnValue:
    """Let the work on a list go on that was stopped or has failed."""
    job = staging.latest_job(reporting.batch(batch_id))
    if job is None:
        raise Conflict(_("There is no work on this list that could go on."))
    jobs.resume(job)
    return redirect(url_for("registry.import_batch", batch_id=batch_id))


@blueprint.post("/imports/<int:batch_id>/refused.csv")
@requires(READ)
def refused_rows(batch_id: int) -> ResponseReturnValue:
    """The refused rows beside their reasons, as they stood in the file; recorded, for a file leaves the building."""
    batch = reporting.batch(batch_id)
    lines = "".join(reporting.refused(batch))
    audit.record("exported", batch, details={"rows": batch.rows_refused, "what": "refused rows"})
    name = f"refused-{reference(BATCH, batch.id)}.csv"
    return Response(
        lines, mimetype="text/csv", headers={"Content-Disposition": f"attachment; filename={name}"}
    )


def _chosen_mapping(form: ImportForm) -> tuple[str, str]:
    shipped = mapping.shipped()
    if form.mapping.data:
        return form.mapping.data, shipped[form.mapping.data]
    upload = form.mapping_file.data
    if upload is None or not upload.filename:
        raise Invalid(_("Choose a mapping, or bring a mapping file of your own."), field="mapping")
    try:
        return upload.filename, io.TextIOWrapper(upload.stream, encoding="utf-8-sig").read()
    except UnicodeDecodeError:
        raise Invalid(_("This is not a text in UTF-8."), field="mapping_file") from None


def _is_working(batch: ImportBatch) -> bool:
    job = staging.latest_job(batch)
    return job is not None and job.live and batch.status in ("reading", "accepting")


def _progress(batch: ImportBatch) -> dict[str, Any]:
    job = staging.latest_job(batch)
    working = _is_working(batch)
    return {
        "job": job,
        "working": working,
        "progress": jobs.progress(job) if job is not None and working else None,
        "stopped": job is not None and not job.live and batch.status in ("reading", "accepting"),
    }


def _step_label(step: str) -> Any:
    """What was done, in the words of the buttons; making and marking are no steps."""
    own = {"created": _("Brought"), "edited": _("Read")}
    return own.get(step) or _(batch_lifecycle.steps[step].label)
