"""The pages of background work: what runs, how far it has come, and the button that stops it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from mis import access, jobs
from mis.access import requires, signed_in
from mis.acting import current
from mis.db import db
from mis.errors import Missing
from mis.jobs import Job
from mis.web import i18n, shell
from mis.web.listing import ChoiceFilter, Column, Listing

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")

shell.register_menu("administration", _l("Background work"), "jobs.listing", "refresh", "jobs:job:read", 80)

STATUSES = [(status, _l(status.capitalize())) for status in (*jobs.LIVE, *jobs.ENDED)]


def title(job: Job) -> str:
    """What people call the job."""
    return i18n.words(jobs.label_of(job.kind))


work_list = Listing(
    "jobs.all",
    title=_l("Background work"),
    select=lambda: sa.select(Job).where(jobs.seen()),
    key=Job.id,
    order="-id",
    columns=[
        Column("id", _l("Number"), lambda job: job.id, sort=Job.id),
        Column("kind", _l("Work"), title),
        Column("status", _l("Status"), lambda job: job.status, sort=Job.status, kind="status"),
        Column("by", _l("Asked for by"), lambda job: job.actor_name),
        Column("at", _l("Asked for"), lambda job: job.created_at, kind="moment"),
        Column("ended", _l("Ended"), lambda job: job.finished_at, kind="moment"),
    ],
    filters=[ChoiceFilter("status", _l("Status"), STATUSES, lambda value: Job.status == value)],
    row_url=lambda job: url_for("jobs.show", job_id=job.id),
    empty_hint=_l(
        "Long work, such as an import or a payment cycle, appears here while it runs and afterwards."
    ),
)


@blueprint.get("/")
@requires("jobs:job:read")
def listing() -> ResponseReturnValue:
    """All background work, the newest first."""
    return render_template("jobs/list.html", listing=work_list.page(request.args))


@blueprint.get("/<int:job_id>")
@requires("jobs:job:read")
def show(job_id: int) -> ResponseReturnValue:
    """One job: progress, result, error."""
    job = _job(job_id)
    return render_template(
        "jobs/job.html", job=job, title=title(job), may_cancel=_may_cancel(job), **state(job)
    )


@blueprint.get("/<int:job_id>/progress")
@requires("jobs:job:read")
def progress(job_id: int) -> ResponseReturnValue:
    """The part of a page that shows a job's progress, asked for again while it runs."""
    job = _job(job_id)
    return render_template("jobs/progress.html", job=job, **state(job))


@blueprint.post("/<int:job_id>/cancel")
@signed_in
def cancel(job_id: int) -> ResponseReturnValue:
    """Call a job off: one's own, or anybody's with the permission for it."""
    with access.seeing(access.areas_of("jobs:job:read")):
        job = _job(job_id)
    if not _is_mine(job):
        with access.within("jobs:job:cancel"):
            job = _job(job_id)
    jobs.cancel(job)
    flash(_("The work stops after the part that is being done now."), "success")
    return redirect(url_for("jobs.show", job_id=job.id))


def state(job: Job) -> dict[str, Any]:
    """What the templates of a job's progress need."""
    inside = jobs.sees_inside(job)
    return {"progress": jobs.progress(job), "did": (job.result or jobs.counters(job)) if inside else {}}


def _job(job_id: int) -> Job:
    job = db.session.scalar(sa.select(Job).where(Job.id == job_id, jobs.seen()))
    if job is None:
        raise Missing(_("There is no job of this number."))
    return job


def _may_cancel(job: Job) -> bool:
    return job.live and (_is_mine(job) or access.may("jobs:job:cancel"))


def _is_mine(job: Job) -> bool:
    return job.created_by is not None and job.created_by == current().user_id
