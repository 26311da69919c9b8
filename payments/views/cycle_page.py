"""What the page of a cycle shows: the list of tasks with what blocks them, figures, comparison, reasons, tie-out."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from mis import access, jobs
from mis.calendar import today
from mis.db import db
from mis.jobs import Job
from mis.money import Money
from mis.states import Offer
from mis.web import i18n
from mis.web.charts import Chart, bar_chart
from payments import exceptions, filing, paylist, payroll, reconciliation, resuming, telling, totals
from payments.leaving_out import SENTENCES
from payments.models import AnswerFile, Cycle, cycle_lifecycle
from payments.totals import Check, Sum
from payments.views.choices import REASONS
from payments.views.telling import steps_of

# Steps that background work takes, and those that give such work up.
BY_THE_JOB = ("computed", "exported")
_GIVING_UP = {"compute_failed": "payments:compute", "export_failed": "payments:export"}
_JOBS = {"computing": "payments:compute", "exporting": "payments:export"}
# Beyond this many lines the page leaves it to the steps to look whether the list is out of date.
LOOKED_THROUGH = 50_000

_ORDER = list(cycle_lifecycle.statuses)

CHECKED = {
    "due": _l("What is due is either payable or withheld with a reason"),
    "instructed": _l("Whatever was payable was instructed, and nothing else"),
    "exported": _l("The file says what was instructed"),
    "answered": _l("Every instruction stands in one state"),
}


def context(cycle: Cycle) -> dict[str, Any]:
    """All that the template of the page needs."""
    figures, batch = totals.of(cycle), filing.batch_of(cycle)
    states = reconciliation.states(cycle)
    waiting = exceptions.open_count(cycle)
    return {
        "cycle": cycle,
        "offers": _offers(cycle),
        "urls": _urls(cycle),
        "tasks": _tasks(cycle, waiting),
        "figures": _figures(cycle, figures, states),
        "compared": _compared(cycle, figures),
        "left_out": [
            (code, _(SENTENCES.get(code, code)), figure.count, _money(figure, cycle) if figure.total_minor else None)
            for code, figure in telling.left_out(figures).items()
        ],
        "left_out_chart": _left_out_chart(figures),
        "states": [(state, figure.count, _money(figure, cycle)) for state, figure in states.items()],
        "states_chart": _states_chart(states),
        "tied": [_tied(check, cycle) for check in reconciliation.tie_out(cycle)],
        "files": _files(cycle),
        "batch": batch,
        "told": steps_of(cycle, leave_out=BY_THE_JOB),
        "control_sum": Money(batch.total_minor, cycle.currency) if batch and batch.total_minor else None,
        "out_of_date": _out_of_date(cycle, figures),
        "exceptions_open": waiting,
        "may_answer": cycle.status in ("exported", "reconciled") and access.may("payments:cycle:reconcile"),
        "may_fetch": batch is not None and batch.csv_sha256 is not None and access.may("payments:cycle:export"),
        "may_check": cycle.status == "submitted" and access.may("payments:cycle:approve"),
        **work_on(cycle),
    }  # fmt: skip


def check_context(cycle: Cycle) -> dict[str, Any]:
    """What somebody looks at before approving."""
    shown = context(cycle)
    offers = {offer.step.name: offer for offer in cycle_lifecycle.offers(cycle, content=False)}
    shown["offers"] = [offers[name] for name in ("approve", "return") if name in offers]
    submitted = [change for change, _label in shown["told"] if change.step == "submit"]
    shown["submitted"] = submitted[-1] if submitted else None
    return shown


def work_on(cycle: Cycle) -> dict[str, Any]:
    """The job that is at work on the cycle, or has stopped half way."""
    job = _job(cycle)
    return {
        "job": job,
        "working": job is not None and job.live,
        "stopped": job is not None and not job.live,
        "progress": jobs.progress(job) if job is not None and job.live else None,
    }


def _job(cycle: Cycle) -> Job | None:
    kind = _JOBS.get(cycle.status)
    return resuming.last_job(kind, f"cycle:{cycle.id}") if kind else None


def _offers(cycle: Cycle) -> list[Offer]:
    """The buttons: what jobs do, and what has a page of its own, is left out."""
    return [
        offer
        for offer in cycle_lifecycle.offers(cycle, content=False)
        if offer.step.name not in (*BY_THE_JOB, "approve")
        and not (offer.step.name in _GIVING_UP and offer.refusal)
    ]


def _urls(cycle: Cycle) -> dict[str, str]:
    steps = (step for step in cycle_lifecycle.steps if step not in BY_THE_JOB)
    return {step: url_for(f"payments.cycle_{step}", cycle_id=cycle.id) for step in steps}


def _tasks(cycle: Cycle, waiting: int) -> list[dict[str, Any]]:
    """The way of a cycle, in the order in which it is gone."""
    here = _ORDER.index(cycle.status)
    ways: list[tuple[Any, str, str, str, Any]] = [
        (_("Open the cycle"), "prepare", "open", "open", None),
        (
            _("Compute entitlements"),
            "prepare",
            "open",
            "computed",
            _("Who is due what, and for everybody else why not."),
        ),
        (_("Submit for approval"), "prepare", "computed", "submitted", None),
        (
            _("Approve, by a second person"),
            "approve",
            "submitted",
            "approved",
            _("Somebody who has not worked on it."),
        ),
        (
            _("Export the instructions"),
            "export",
            "approved",
            "exported",
            _("Once; the file can be fetched again at any time."),
        ),
        (
            _("Take in the provider's answers"),
            "reconcile",
            "exported",
            "reconciled",
            _("As many files as there are."),
        ),
        (_("Reconcile"), "reconcile", "exported", "reconciled", None),
        (_("Close"), "close", "reconciled", "closed", None),
    ]
    tasks = []
    for title, verb, begins, done, hint in ways:
        # What is due next is said to everybody; that it is to be done now only to whoever may do it.
        due = "current" if access.may(f"payments:cycle:{verb}") else "todo"
        status = "done" if here >= _ORDER.index(done) else due if here >= _ORDER.index(begins) else "blocked"
        tasks.append(
            {"title": title, "status": "blocked" if cycle.status == "aborted" else status, "hint": hint}
        )
    if cycle.status == "exported" and not _files(cycle):
        tasks[-2]["status"] = "blocked"  # there is nothing yet to reconcile with
    if waiting:
        url = url_for("payments.exceptions", cycle=cycle.id)
        hint = _("Lines of answers that fit no payment. Closing waits for them.")
        task = {
            "title": _("Resolve exceptions"),
            "status": "current",
            "hint": hint,
            "url": url,
            "count": waiting,
        }
        tasks.insert(-1, task)
    return tasks


def _figures(cycle: Cycle, figures: totals.Totals, states: dict[str, Sum]) -> list[dict[str, Any]]:
    shown = [
        ("entitled", _("Due for the month"), url_for("payments.entitlements", cycle=cycle.id)),
        ("carried", _("Carried over from before"), None),
        ("withheld", _("Withheld"), url_for("payments.not_paid", cycle=cycle.id)),
        ("payable", _("On the pay list"), None),
        ("exported", _("Instructed"), url_for("payments.payments", cycle=cycle.id)),
    ]
    found = [(label, figures[name], url) for name, label, url in shown if name in figures]
    if "paid" in states:
        found.append((_("Paid"), states["paid"], url_for("payments.payments", cycle=cycle.id, status="paid")))
    return [
        {"label": label, "value": i18n.number(figure.count), "url": url, "note": i18n.money(_money(figure, cycle))}
        for label, figure, url in found
    ]  # fmt: skip


def _compared(cycle: Cycle, figures: totals.Totals) -> dict[str, Any] | None:
    if "previous" not in figures:
        return None
    labels = {"new": _("New"), "gone": _("No longer"), "changed": _("Another amount")}
    rows = [
        (_("Due in %(month)s", month=payroll.month_before(cycle)), figures["previous"]),
        *((label, figures[name]) for name, label in labels.items()),
        (_("Due in %(month)s", month=cycle.month), figures["entitled"]),
    ]
    return {"rows": [(label, figure.count, _money(figure, cycle)) for label, figure in rows]}


def _left_out_chart(figures: totals.Totals) -> Chart | None:
    values = [(REASONS.get(code, code), figure.count) for code, figure in telling.left_out(figures).items()]
    return (
        bar_chart(_("Not paid, by reason"), values, unit=_("People"), heading=_("Reason")) if values else None
    )


def _states_chart(states: dict[str, Sum]) -> Chart | None:
    values = [(_(state.capitalize()), figure.count) for state, figure in states.items()]
    return (
        bar_chart(_("Payments by state"), values, unit=_("Payments"), heading=_("State")) if values else None
    )


def _tied(check: Check, cycle: Cycle) -> dict[str, Any]:
    return {
        "sentence": CHECKED[check.name],
        "holds": check.holds,
        "left": (check.left.count, _money(check.left, cycle)),
        "right": (check.right.count, _money(check.right, cycle)),
    }


def _files(cycle: Cycle) -> list[AnswerFile]:
    found = sa.select(AnswerFile).where(AnswerFile.cycle_id == cycle.id).order_by(AnswerFile.id)
    return list(db.session.scalars(found))


def _out_of_date(cycle: Cycle, figures: totals.Totals) -> str | None:
    small = "payable" in figures and figures["payable"].count <= LOOKED_THROUGH
    if small and cycle.status in ("computed", "submitted", "approved"):
        return paylist.sentence_between(cycle, today())
    return None


def _money(figure: Sum, cycle: Cycle) -> Money:
    return Money(figure.total_minor, cycle.currency)
