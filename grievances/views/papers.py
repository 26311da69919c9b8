"""What the grievances lay on the desk: what waits, how many are open and late, what they are about, and how old."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _

from grievances import deadlines, intake
from grievances.catalogue import catalogue
from grievances.models import OPEN, Grievance
from grievances.views.blueprint import READ, WORK, month_ago
from mis import acting, sealed
from mis.calendar import today
from mis.db import db
from mis.errors import Refusal
from mis.web import desk, i18n
from mis.web.charts import Chart, bar_chart, stacked_bar_chart
from mis.web.desk import Figure, Found, Hit, Waiting
from registry import references

# Ages of open cases, in days: up to and with.
_AGES = (7, 14, 28, 56)
_HITS = 10


def waiting() -> Iterable[Waiting]:
    """My own open cases, those that nobody has, and those that are late."""
    is_open, mine = Grievance.status.in_(OPEN), Grievance.assigned_to_id == acting.current().user_id
    late = deadlines.overdue(today())
    own, own_late = _count(is_open, mine), _count(is_open, mine, late)
    if own:
        url = url_for("grievances.cases", assigned="me", status="open", sort="due_on")
        yield Waiting(_("My grievances"), url, own, due=_first_due(mine), overdue=own_late > 0)
    nobodys = Grievance.assigned_to_id.is_(None)
    if count := _count(is_open, nobodys):
        url = url_for("grievances.cases", assigned="nobody", status="open", sort="due_on")
        title, hint = _("Grievances that nobody works on"), _("Acknowledge and assign them.")
        yield Waiting(title, url, count, hint, due=_first_due(nobodys), overdue=_count(late, nobodys) > 0)
    if others := _count(late, Grievance.assigned_to_id != acting.current().user_id):
        url = url_for("grievances.cases", overdue="yes", sort="due_on")
        yield Waiting(_("Late grievances of others"), url, others, overdue=True)


def figures() -> Iterable[Figure]:
    """How many are open, how many late, how many were answered within the last thirty days, and how many in time."""
    day = today()
    answered = Grievance.resolved_on > month_ago(day)
    in_time = _count(answered, Grievance.resolved_on <= Grievance.due_on)
    yield Figure(
        _("Open grievances"),
        i18n.number(_count(Grievance.status.in_(OPEN))),
        url_for("grievances.cases", status="open"),
        "message-report",
    )
    yield Figure(
        _("Late grievances"),
        i18n.number(_count(deadlines.overdue(day))),
        url_for("grievances.cases", overdue="yes"),
        "alert-triangle",
    )
    yield Figure(
        _("Answered in 30 days"),
        i18n.number(_count(answered)),
        icon="circle-check",
        note=_("%(count)s of them in time", count=i18n.number(in_time)),
    )


def charts() -> Iterable[Chart]:
    """Open cases by category and by age."""
    day = today()
    late = sa.func.sum(sa.case((deadlines.overdue(day), 1), else_=0))
    by_category = db.session.execute(
        sa.select(Grievance.category, sa.func.count(Grievance.id), late)
        .where(Grievance.status.in_(OPEN))
        .group_by(Grievance.category)
        .order_by(sa.func.count(Grievance.id).desc(), Grievance.category)
    ).all()
    if not by_category:
        return
    labels = [_(catalogue().categories[code].label) for code, _all, _late in by_category]
    in_time = [count - int(overdue) for _code, count, overdue in by_category]
    yield stacked_bar_chart(
        _("Open grievances by category"),
        labels,
        [(_("In time"), in_time), (_("Late"), [int(row[2]) for row in by_category])],
        heading=_("Category"),
    )
    yield bar_chart(_("Open grievances by age"), _ages(), unit=_("Cases"), heading=_("Days since reception"))


def find(query: str) -> Found:
    """Cases by their number, by the number of the person concerned, or by the telephone of the complainant."""
    found = db.session.scalars(
        sa.select(Grievance).where(_means(query)).order_by(Grievance.id.desc()).limit(_HITS)
    )
    hits = [
        Hit(
            intake.reference(one),
            url_for("grievances.case", grievance_id=one.id),
            _(catalogue().categories[one.category].label),
            one.status,
        )
        for one in found
    ]
    return Found(_("Grievances"), hits)


def _means(query: str) -> sa.ColumnElement[bool]:
    try:
        kind, number = references.parse(query)
    except Refusal:
        digits = sum(character.isdigit() for character in query)
        return sealed.matching(Grievance, "phone", query) if digits >= 5 else sa.false()
    if kind == references.GRIEVANCE:
        return Grievance.id == number
    return Grievance.person_id == number if kind == references.PERSON else sa.false()


def _ages() -> list[tuple[str, int]]:
    day = today()
    starts = [day - timedelta(days=age) for age in _AGES]
    bucket = sa.case(
        *((Grievance.received_on >= start, place) for place, start in enumerate(starts)), else_=len(_AGES)
    )
    counted: dict[int, int] = {
        int(place): count
        for place, count in db.session.execute(
            sa.select(bucket, sa.func.count(Grievance.id)).where(Grievance.status.in_(OPEN)).group_by(bucket)
        )
    }
    lows = (0, *(age + 1 for age in _AGES))
    labels = [f"{low}–{high}" for low, high in zip(lows, _AGES, strict=False)] + [f"> {_AGES[-1]}"]
    return [(label, counted.get(place, 0)) for place, label in enumerate(labels)]


def _count(*criteria: sa.ColumnElement[bool]) -> int:
    return db.session.scalar(sa.select(sa.func.count(Grievance.id)).where(*criteria)) or 0


def _first_due(whose: sa.ColumnElement[bool]) -> date | None:
    return db.session.scalar(
        sa.select(sa.func.min(Grievance.due_on)).where(Grievance.status.in_(OPEN), whose)
    )


desk.lay_waiting(WORK, waiting)
desk.lay_figures(READ, figures)
desk.lay_charts(READ, charts)
desk.lay_finder(READ, find)
