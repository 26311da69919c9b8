"""The list of cases, and the page of one: its facts, its deadline, its subject, what happened, what can be done."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import selectinload

from grievances import casework, deadlines, intake
from grievances.catalogue import catalogue
from grievances.forms import NoteForm
from grievances.models import OPEN, Grievance, grievance_lifecycle
from grievances.views import subject_links
from grievances.views.blueprint import LODGE, READ, WORK, blueprint
from grievances.views.happenings import of_case
from mis import access, acting, sealed
from mis.access import requires
from mis.calendar import now, today
from mis.db import db
from mis.errors import Conflict, Invalid, Refusal
from mis.web import history, i18n
from mis.web.listing import AreaFilter, ChoiceFilter, Column, DateFilter, Listing, TextFilter
from mis.web.shell import register_menu
from registry import references
from registry.models import Area

register_menu("grievances", _l("Grievances"), "grievances.cases", "message-report", READ, 10)

_LONGEST_PURPOSE = 200

# Steps taken by a button alone; the others need a form, the likeliest one standing first.
_BUTTONS = {"acknowledge": "grievances.acknowledge", "close": "grievances.close"}
_FORMS = {"resolve": "grievances.resolve", "assign": "grievances.assign", "appeal": "grievances.appeal"}


def _by_text(text: str) -> sa.ColumnElement[bool]:
    if references.looks_like(text):
        try:
            kind, number = references.parse(text)
        except Refusal:
            return sa.false()
        return Grievance.person_id == number if kind == references.PERSON else Grievance.id == number
    return Grievance.complainant_name.icontains(text, autoescape=True)


def _by_status(status: str) -> sa.ColumnElement[bool]:
    return Grievance.status.in_(OPEN) if status == "open" else Grievance.status == status


def _by_whom(who: str) -> sa.ColumnElement[bool]:
    if who == "nobody":
        return Grievance.assigned_to_id.is_(None)
    return Grievance.assigned_to_id == acting.current().user_id


def _late(said: str) -> sa.ColumnElement[bool]:
    late = deadlines.overdue(today())
    return late if said == "yes" else sa.not_(late)


def _category(grievance: Grievance) -> str:
    return i18n.words(catalogue().categories[grievance.category].label)


case_list = Listing(
    "grievances.cases",
    title=_l("Grievances"),
    select=lambda: sa.select(Grievance).options(
        selectinload(Grievance.person), selectinload(Grievance.assigned_to)
    ),
    key=Grievance.id,
    order="-received_on",
    columns=[
        Column("reference", _l("Number"), intake.reference, sort=Grievance.id),
        Column("category", _l("Category"), _category, sort=Grievance.category),
        Column("status", _l("Status"), lambda one: one.status, kind="status"),
        Column("person", _l("Person concerned"), lambda one: one.person.name if one.person else None),
        Column(
            "received_on",
            _l("Received"),
            lambda one: one.received_on,
            sort=Grievance.received_on,
            kind="date",
        ),
        Column("due_on", _l("Answer due"), lambda one: one.due_on, sort=Grievance.due_on, kind="date"),
        Column(
            "late",
            _l("Late"),
            lambda one: "overdue" if deadlines.is_overdue(one, today()) else None,
            kind="status",
        ),
        Column(
            "assigned_to", _l("Assigned to"), lambda one: one.assigned_to.name if one.assigned_to else None
        ),
    ],
    filters=[
        TextFilter("q", _l("Number or name"), _by_text),
        ChoiceFilter(
            "status",
            _l("Status"),
            [("open", _l("Open (any)")), *i18n.told(grievance_lifecycle.statuses)],
            _by_status,
        ),
        ChoiceFilter(
            "category",
            _l("Category"),
            [(one.code, _l(one.label)) for one in catalogue().categories.values()],
            lambda code: Grievance.category == code,
        ),
        ChoiceFilter("overdue", _l("Late"), [("yes", _l("Yes")), ("no", _l("No"))], _late),
        ChoiceFilter("assigned", _l("Assigned to"), [("me", _l("Me")), ("nobody", _l("Nobody"))], _by_whom),
        AreaFilter("area", _l("Area"), Grievance.area_id),
        DateFilter("since", _l("Received since"), lambda day: Grievance.received_on >= day),
    ],
    row_url=lambda one: url_for("grievances.case", grievance_id=one.id),
    empty_hint=_l("Grievances that reach the office, and those lodged on the web, appear here."),
    export_permission=READ,
)


@blueprint.get("/")
@requires(READ)
def cases() -> ResponseReturnValue:
    """All cases that the reader may see."""
    return render_template(
        "grievances/cases.html", listing=case_list.page(request.args), may_lodge=access.may(LODGE)
    )


@blueprint.get("/<int:grievance_id>")
@requires(READ)
def case(grievance_id: int) -> ResponseReturnValue:
    """One case."""
    return _page(casework.get(grievance_id), NoteForm())


@blueprint.post("/<int:grievance_id>/notes")
@requires(WORK)
def add_note(grievance_id: int) -> ResponseReturnValue:
    """Write a note."""
    grievance, form = casework.get(grievance_id), NoteForm()
    if form.validate_on_submit():
        with form.catching():
            casework.note(grievance, form.text.data or "", at=now())
            flash(_("The note is written."), "success")
            return to_case(grievance)
    return _page(grievance, form)


@blueprint.post("/<int:grievance_id>/phone")
@requires(WORK)
def reveal_phone(grievance_id: int) -> ResponseReturnValue:
    """Show the complainant's telephone number in full, once, to somebody who says what for."""
    grievance = casework.get(grievance_id)
    number = sealed.reveal(grievance, "phone", purpose=request.form.get("purpose", "")[:_LONGEST_PURPOSE])
    return _page(grievance, NoteForm(formdata=None), phone=number)


@blueprint.post("/<int:grievance_id>/acknowledge")
@requires(WORK)
def acknowledge(grievance_id: int) -> ResponseReturnValue:
    """Say that the case has arrived."""
    grievance = casework.get(grievance_id)
    same_version(grievance)
    casework.acknowledge(grievance, day=today())
    flash(_("The grievance is acknowledged."), "success")
    return to_case(grievance)


@blueprint.post("/<int:grievance_id>/close")
@requires("grievances:case:resolve")
def close(grievance_id: int) -> ResponseReturnValue:
    """Put the file away."""
    grievance = casework.get(grievance_id)
    same_version(grievance)
    casework.close(grievance)
    flash(_("The file is closed. The right of appeal stays."), "success")
    return to_case(grievance)


def to_case(grievance: Grievance) -> ResponseReturnValue:
    """Back to the page of the case."""
    return redirect(url_for("grievances.case", grievance_id=grievance.id), 303)


def same_version(grievance: Grievance) -> None:
    """Refuse a button on a page that is older than the last change of the case."""
    seen = request.form.get("version", "")
    if not seen.isdigit():
        raise Invalid(_("The page did not say which version of the case it showed."), field="version")
    if int(seen) != grievance.version:
        raise Conflict(
            _("Somebody else has changed this record since you opened the page."),
            instead=_("Open it again, look at the change, then decide."),
        )


def _page(grievance: Grievance, form: NoteForm, *, phone: str | None = None) -> ResponseReturnValue:
    offers = {one.step.name: one for one in grievance_lifecycle.offers(grievance)}
    appeal = casework.appeal_against(grievance)
    context: dict[str, Any] = {
        "reference": intake.reference(grievance),
        "category": catalogue().categories[grievance.category],
        "known": catalogue(),
        "area": db.session.get_one(Area, grievance.area_id),
        "overdue": deadlines.is_overdue(grievance, today()),
        "subject": subject_links.of_case(grievance),
        "results": subject_links.of_remedy(grievance),
        "happenings": of_case(grievance),
        "similar": [(intake.reference(one), one) for one in intake.open_on_same_subject(grievance)],
        "buttons": [
            (one.step, url_for(_BUTTONS[one.step.name], grievance_id=grievance.id))
            for one in offers.values()
            if one.step.name in _BUTTONS and one.refusal is None
        ],
        "forms": [
            (_(offers[name].step.label), url_for(endpoint, grievance_id=grievance.id))
            for name, endpoint in _FORMS.items()
            if name in offers and offers[name].refusal is None
        ],
        "refused": [one for one in offers.values() if one.refusal is not None],
        "appeal": (intake.reference(appeal), appeal) if appeal else None,
        "appeal_of": _reference(grievance.appeal_of_id),
        "phone": phone,
        "may_call": bool(grievance.phone_hint) and phone is None and access.may(WORK),
        "may_write": grievance.is_open and access.may(WORK),
        "history": history.of(grievance) if access.may("audit:trail:read") else None,
    }
    return form.page("grievances/case.html", grievance=grievance, **context)


def _reference(number: int | None) -> str | None:
    return references.reference(references.GRIEVANCE, number) if number else None
