"""Answer files and the exception list: what a provider said that fits no payment, resolved line by line."""

from __future__ import annotations

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import contains_eager

from mis import jobs
from mis.access import requires
from mis.calendar import now
from mis.errors import Conflict
from mis.money import Money
from mis.web.filters import ChoiceFilter, TextFilter
from mis.web.listing import Column, Listing
from payments import answers, exceptions, resuming, scheduling
from payments.forms import ResolveForm
from payments.matching import NEEDS_PERSON
from payments.models import AnswerFile, AnswerLine
from payments.providers.statuses import advice
from payments.views.blueprint import blueprint
from payments.views.choices import CLASSES, cycle_choices

READ = "payments:cycle:read"
# No row has a number of its own; file and line together make one that can be sorted and passed on.
_KEY = AnswerLine.answer_file_id * 1_000_000_000 + AnswerLine.line_no


def _amount(line: AnswerLine) -> Money | None:
    if line.amount_minor is None or line.currency is None:
        return None
    return Money(line.amount_minor, line.currency)


_COLUMNS = [
    Column("line", _l("Line"), value=lambda line: line.line_no, sort=AnswerLine.line_no, kind="number"),
    Column("class", _l("What it is"), value=lambda line: CLASSES.get(line.match or "", line.match)),
    Column("reference", _l("Reference"), value=lambda line: line.end_to_end_id, sort=AnswerLine.end_to_end_id),
    Column("status", _l("The provider says"), value=lambda line: line.raw_status),
    Column("reason", _l("Reason"), value=lambda line: line.reason or line.reason_text),
    Column("amount", _l("Amount"), value=_amount, kind="money"),
    Column("problem", _l("Problem"), value=lambda line: line.problem),
]  # fmt: skip

exception_list = Listing(
    "payments.exceptions",
    title=_l("Exceptions"),
    select=lambda: sa.select(AnswerLine)
    .join(AnswerLine.file)
    .where(exceptions.unresolved())
    .options(contains_eager(AnswerLine.file)),
    key=_KEY,
    columns=[
        Column("file", _l("File"), value=lambda line: line.file.name),
        *_COLUMNS,
    ],
    filters=[
        ChoiceFilter("cycle", _l("Cycle"), cycle_choices, lambda number: AnswerFile.cycle_id == int(number)),
        ChoiceFilter(
            "class",
            _l("What it is"),
            [(code, CLASSES[code]) for code in NEEDS_PERSON],
            lambda code: AnswerLine.match == code,
        ),
        TextFilter("q", _l("Reference"), lambda text: AnswerLine.end_to_end_id.icontains(text, autoescape=True)),
    ],
    row_url=lambda line: url_for("payments.exception", file_id=line.answer_file_id, line_no=line.line_no),
    empty_hint=_l("Every line of the answers has found its payment, or somebody has resolved it."),
)  # fmt: skip

line_list = Listing(
    "payments.answer_lines",
    title=_l("Lines"),
    select=lambda: sa.select(AnswerLine),
    key=AnswerLine.line_no,
    columns=_COLUMNS,
    filters=[
        ChoiceFilter(
            "class", _l("What it is"), list(CLASSES.items()), lambda code: AnswerLine.match == code
        ),
    ],
    row_url=lambda line: url_for("payments.exception", file_id=line.answer_file_id, line_no=line.line_no),
    empty_hint=_l("No line of this file is like that."),
    order="line",
)  # fmt: skip


@blueprint.get("/exceptions", endpoint="exceptions")
@requires(READ)
def exception_page() -> ResponseReturnValue:
    """All lines that wait for a person."""
    return render_template("payments/list.html", listing=exception_list.page(request.args))


@blueprint.get("/answers/<int:file_id>")
@requires(READ)
def answer(file_id: int) -> ResponseReturnValue:
    """One answer file: how its lines ended."""
    file = answers.get(file_id)
    job = resuming.last_job("payments:answer", f"answer:{file.id}")
    return render_template(
        "payments/answer.html",
        file=file,
        cycle=scheduling.get(file.cycle_id),
        job=job,
        progress=jobs.progress(job) if job is not None else None,
        classes=CLASSES,
        lines=line_list.page(request.args, only=[AnswerLine.answer_file_id == file.id]),
    )


@blueprint.post("/answers/<int:file_id>/go-on")
@requires(answers.RECONCILE)
def go_on_with_answer(file_id: int) -> ResponseReturnValue:
    """Let the taking in go on that has failed or was stopped."""
    job = resuming.last_job("payments:answer", f"answer:{answers.get(file_id).id}")
    if job is None:
        raise Conflict(_("There is no work on this file that could go on."))
    jobs.resume(job)
    return redirect(url_for("payments.answer", file_id=file_id), 303)


@blueprint.get("/exceptions/<int:file_id>/<int(signed=True):line_no>")
@requires(READ)
def exception(file_id: int, line_no: int) -> ResponseReturnValue:
    """One line of an answer, with what can be done about it."""
    return _page(exceptions.get(file_id, line_no), ResolveForm())


@blueprint.post("/exceptions/<int:file_id>/<int(signed=True):line_no>/resolve")
@requires(exceptions.RESOLVE)
def resolve_exception(file_id: int, line_no: int) -> ResponseReturnValue:
    """Take a line off the list."""
    line, form = exceptions.get(file_id, line_no), ResolveForm()
    if form.validate_on_submit():
        with form.catching():
            exceptions.resolve(line, note=form.note.data or "", at=now())
            flash(_("The exception is resolved."), "success")
            return redirect(url_for("payments.exceptions", cycle=answers.get(file_id).cycle_id), 303)
    return _page(line, form)


def _page(line: AnswerLine, form: ResolveForm) -> ResponseReturnValue:
    file = answers.get(line.answer_file_id)
    return form.page(
        "payments/exception.html",
        line=line,
        file=file,
        cycle=scheduling.get(file.cycle_id),
        amount=_amount(line),
        explained=exceptions.EXPLAINED.get(line.match or ""),
        advice=advice(line.reason) if line.reason else None,
        is_open=line.match in NEEDS_PERSON and line.resolved_at is None,
    )
