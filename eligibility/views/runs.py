"""Assessments of the register: the runs, one run in figures and decisions, and enrolling from it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from eligibility import assessment, enrolling, publishing
from eligibility.documents import AMOUNT, Understood
from eligibility.forms import RunForm
from eligibility.models import AssessmentRun, Determination, Scheme
from eligibility.views import narrowing
from eligibility.views.blueprint import blueprint
from mis import access, jobs
from mis.access import requires
from mis.calendar import now, today
from mis.db import db
from mis.jobs import Job
from mis.money import Money
from mis.web.charts import Chart, bar_chart
from mis.web.filters import AreaFilter, ChoiceFilter
from mis.web.listing import Column, Listing
from registry.models import Area, Person
from registry.references import PERSON, reference

READ, RUN, DECIDE = (
    "eligibility:assessment:read",
    "eligibility:assessment:run",
    "eligibility:enrolment:decide",
)
OUTCOMES = [
    ("eligible", _l("Eligible")),
    ("not_eligible", _l("Not eligible")),
    ("undetermined", _l("Undetermined")),
]

run_list = Listing(
    "eligibility.runs",
    title=_l("Assessments"),
    select=lambda: (
        sa.select(AssessmentRun)
        .options(joinedload(AssessmentRun.scheme))
        .where(AssessmentRun.kind == "register")
    ),
    key=AssessmentRun.id,
    columns=[
        Column("number", _l("Run"), lambda run: run.id, sort=AssessmentRun.id),
        Column("scheme", _l("Scheme"), lambda run: run.scheme.name),
        Column("as_of", _l("As of"), lambda run: run.as_of, sort=AssessmentRun.as_of, kind="date"),
        Column("eligible", _l("Eligible"), lambda run: _counted(run, "eligible"), kind="number"),
        Column("not_eligible", _l("Not eligible"), lambda run: _counted(run, "not_eligible"), kind="number"),
        Column("undetermined", _l("Undetermined"), lambda run: _counted(run, "undetermined"), kind="number"),
        Column("finished", _l("Finished"), lambda run: run.finished_at, kind="moment"),
    ],
    filters=[
        ChoiceFilter(
            "scheme",
            _l("Scheme"),
            narrowing.schemes,
            lambda code: AssessmentRun.scheme_id.in_(sa.select(Scheme.id).where(Scheme.code == code)),
        )
    ],
    row_url=lambda run: url_for("eligibility.run", run_id=run.id),
    empty_hint=_l("Assess everybody under the rules of a scheme, as of a day."),
    order="-number",
)


def _decisions() -> Any:
    return (
        sa.select(Determination, Person, Area.name.label("area"))
        .join(Person, Person.id == Determination.person_id)
        .join(Area, Area.id == Determination.area_id)
        .join(AssessmentRun, AssessmentRun.id == Determination.run_id)
        .options(
            joinedload(Determination.run).joinedload(AssessmentRun.scheme),
            joinedload(Determination.run).joinedload(AssessmentRun.rule_set),
        )
        .where(AssessmentRun.finished_at.is_not(None))
    )


decision_list = Listing(
    "eligibility.decisions",
    title=_l("Decisions"),
    select=_decisions,
    key=Determination.id,
    columns=[
        Column(
            "person",
            _l("Person"),
            lambda row: reference(PERSON, row.Determination.person_id),
            sort=Determination.person_id,
        ),
        Column("name", _l("Name"), lambda row: row.Person.name),
        Column("outcome", _l("Outcome"), lambda row: row.Determination.outcome, kind="status"),
        Column("reasons", _l("Reasons"), lambda row: _reasons(row.Determination)),
        Column("amount", _l("Amount"), lambda row: _amount(row.Determination), kind="money"),
        Column("area", _l("Area"), lambda row: row.area),
        Column("run", _l("Run"), lambda row: row.Determination.run_id),
    ],
    filters=[
        ChoiceFilter("outcome", _l("Outcome"), OUTCOMES, lambda value: Determination.outcome == value),
        ChoiceFilter("reason", _l("Requirement not met"), lambda: narrowing.bits("fail"), narrowing.has_bit),
        ChoiceFilter("unknown", _l("Not known"), lambda: narrowing.bits("unknown"), narrowing.has_bit),
        AreaFilter("area", _l("Area"), Determination.area_id),
        ChoiceFilter(
            "run", _l("Run"), narrowing.recent_runs, lambda value: Determination.run_id == int(value)
        ),
    ],
    row_url=lambda row: url_for("eligibility.determination", determination_id=row.Determination.id),
    empty_hint=_l("No decision is like that."),
    export_permission=READ,
    order="person",
)


@blueprint.get("/runs")
@requires(READ)
def runs() -> ResponseReturnValue:
    """All assessments of the register."""
    return render_template(
        "eligibility/runs.html", listing=run_list.page(request.args), may_run=access.may(RUN)
    )


@blueprint.get("/decisions")
@requires(READ)
def decisions() -> ResponseReturnValue:
    """The decisions of runs, filtered by outcome, reason and area, to be looked at or exported."""
    return render_template("eligibility/decisions.html", listing=decision_list.page(request.args))


@blueprint.route("/runs/new", methods=["GET", "POST"])
@requires(RUN)
def new_run() -> ResponseReturnValue:
    """Assess everybody as of a day."""
    form = RunForm(scheme=request.args.get("scheme"), on=today())
    if form.validate_on_submit():
        with form.catching():
            asked = assessment.ask(publishing.scheme_coded(form.scheme.data), form.on.data, at=now())
            return redirect(url_for("eligibility.run", run_id=asked.run.id))
    return form.page("eligibility/new_run.html")


@blueprint.get("/runs/<int:run_id>")
@requires(READ)
def run(run_id: int) -> ResponseReturnValue:
    """One run: its figures, its reasons, its decisions, and what enrolling from it would do."""
    found = assessment.run_numbered(run_id)
    job = db.session.get(Job, found.job_id) if found.job_id else None
    finished = found.finished_at is not None
    understood = publishing.understood(found.rule_set)
    counts = found.counts or {}
    return render_template(
        "eligibility/run.html",
        run=found,
        scheme=found.scheme,
        counts=counts,
        currency=found.scheme.currency,
        total=Money(counts.get("amount_minor", 0), found.scheme.currency),
        not_met=_requirements(understood, counts) if finished else [],
        charts=_charts(found) if finished else [],
        preview=enrolling.preview(found) if finished and access.may(DECIDE) else None,
        enrolling=_enrolling_job(found),
        **(_job_state(job) if job else {"job": None}),
    )


@blueprint.post("/runs/<int:run_id>/enrol")
@requires(DECIDE)
def enrol_from_run(run_id: int) -> ResponseReturnValue:
    """Enrol everybody whom the run found eligible."""
    job = enrolling.ask(assessment.run_numbered(run_id))
    flash(_("The eligible are being enrolled (job %(number)s).", number=job.id), "success")
    return redirect(url_for("eligibility.run", run_id=run_id))


def _requirements(understood: Understood, counts: dict[str, Any]) -> list[tuple[str, str, int, int]]:
    """Each requirement in words, its code, how many do not meet it, and of how many it decides that it is not known."""
    words = [(clause.code, clause.sentence) for clause in understood.rules.clauses]
    words.append((AMOUNT, _("The amount is known.")))
    failed, unknown = counts.get("reasons", {}), counts.get("unknown", {})
    return [
        (sentence, code, failed.get(code, 0), unknown.get(code, 0))
        for code, sentence in words
        if code != AMOUNT or code in unknown
    ]


def _charts(found: AssessmentRun) -> list[Chart]:
    counts = found.counts or {}
    outcomes = [(label, counts.get(code, 0)) for code, label in OUTCOMES]
    made = [bar_chart(_("Outcomes"), outcomes, unit=_("Persons"), heading=_("Outcome"))]
    for title, key in ((_("Requirements not met"), "reasons"), (_("Not known"), "unknown")):
        if counts.get(key):
            made.append(
                bar_chart(title, list(counts[key].items()), unit=_("Persons"), heading=_("Requirement"))
            )
    return made


def _enrolling_job(found: AssessmentRun) -> Job | None:
    """The last enrolment from this run."""
    jobs_of_scheme = db.session.scalars(
        sa.select(Job)
        .where(Job.kind == enrolling.KIND, Job.subject == found.scheme.code)
        .order_by(Job.id.desc())
        .limit(20)
    )
    return next((job for job in jobs_of_scheme if job.payload.get("run") == found.id), None)


def _job_state(job: Job) -> dict[str, Any]:
    return {"job": job, "progress": jobs.progress(job), "counters": jobs.counters(job)}


def _counted(found: AssessmentRun, key: str) -> int | None:
    return (found.counts or {}).get(key)


def _reasons(one: Determination) -> str:
    understood = publishing.understood(one.run.rule_set)
    codes = understood.reasons(one.fail_mask) or [
        f"? {code}" for code in understood.reasons(one.unknown_mask)
    ]
    return ", ".join(codes)


def _amount(one: Determination) -> Money | None:
    return None if one.amount_minor is None else Money(one.amount_minor, one.run.scheme.currency)
