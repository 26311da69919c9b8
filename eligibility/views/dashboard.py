"""What the eligibility lays on the desk: rules to publish, applicants who wait, how many people are enrolled."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _

from eligibility.models import Enrolment, RuleSet, Scheme
from mis import acting
from mis.db import db
from mis.states import touched_by
from mis.web import desk, i18n
from mis.web.charts import Chart, grouped_bar_chart
from registry.models import Person

_MOST_WAITING = 20


def waiting_rules() -> Iterable[desk.Waiting]:
    """The submitted rules that this user may publish: a second person."""
    me = acting.current().person
    query = sa.select(RuleSet).where(RuleSet.status == "submitted").order_by(RuleSet.id).limit(_MOST_WAITING)
    for one in db.session.scalars(query):
        if me not in touched_by(one):
            yield desk.Waiting(
                _("Publish the rules of %(scheme)s", scheme=one.scheme.name),
                url_for("eligibility.rule_set", code=one.scheme.code, number=one.number),
                hint=_(
                    "Version %(number)s, in force from %(day)s",
                    number=one.number,
                    day=i18n.day(one.valid_from),
                ),
            )


def waiting_applicants() -> Iterable[desk.Waiting]:
    """The applications that nobody could decide yet."""
    count = (
        db.session.scalar(sa.select(sa.func.count(Enrolment.id)).where(Enrolment.status == "applied")) or 0
    )
    if count:
        yield desk.Waiting(
            _("Applications that are not decided"),
            url_for("eligibility.enrolments", status="applied"),
            count=count,
            hint=_("Something is not known of these applicants."),
        )


def enrolled_figures() -> Iterable[desk.Figure]:
    """How many people are in each scheme."""
    counts = db.session.execute(
        sa.select(Scheme.code, Scheme.name, sa.func.count(Enrolment.id))
        .join(Enrolment, Enrolment.scheme_id == Scheme.id)
        .where(Enrolment.status == "active")
        .group_by(Scheme.code, Scheme.name)
        .order_by(Scheme.code)
    )
    for code, name, count in counts:
        url = url_for("eligibility.enrolments", scheme=code, status="active")
        yield desk.Figure(name, i18n.number(count), url, "clipboard-check", _("active"))


def enrolled_chart() -> Iterable[Chart]:
    """Who is in the schemes, by sex."""
    rows = db.session.execute(
        sa.select(Scheme.name, Person.sex, sa.func.count(Enrolment.id))
        .join(Enrolment, Enrolment.scheme_id == Scheme.id)
        .join(Person, Person.id == Enrolment.person_id)
        .where(Enrolment.status == "active")
        .group_by(Scheme.name, Person.sex)
        .order_by(Scheme.name)
    )
    counts = {(name, sex): count for name, sex, count in rows}
    if not counts:
        return
    names = list(dict.fromkeys(name for name, _sex in counts))
    series = [
        (label, [counts.get((name, sex), 0) for name in names])
        for sex, label in (
            ("female", _("Women and girls")),
            ("male", _("Men and boys")),
            ("unknown", _("Not known")),
        )
        if any(counts.get((name, sex)) for name in names)
    ]
    yield grouped_bar_chart(_("People in the schemes"), names, series, heading=_("Scheme"))
