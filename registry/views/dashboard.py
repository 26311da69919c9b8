"""What the registry lays on the desk: lists that wait, how many people there are, whom the search box finds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _

from mis import acting
from mis.calendar import today
from mis.db import db
from mis.states import touched_by
from mis.web import desk, i18n
from mis.web.charts import Chart, grouped_bar_chart
from registry import birth_dates, search
from registry.importing import reporting
from registry.models import Household, Person
from registry.references import BATCH, HOUSEHOLD, PERSON, reference
from registry.views.persons import AGES

_MOST_WAITING = 20


def waiting_lists() -> Iterable[desk.Waiting]:
    """The lists that this user may accept: a second person, who has not worked on them."""
    me = acting.current().person
    for batch in reporting.batches(["staged"])[:_MOST_WAITING]:
        if me not in touched_by(batch):
            yield desk.Waiting(
                _("Accept the list %(file)s", file=batch.file_name),
                url_for("registry.import_batch", batch_id=batch.id),
                hint=_(
                    "%(reference)s: %(accepted)s rows accepted, %(refused)s refused",
                    reference=reference(BATCH, batch.id),
                    accepted=i18n.number(batch.rows_accepted),
                    refused=i18n.number(batch.rows_refused),
                ),
            )


def person_figures() -> Iterable[desk.Figure]:
    """How many persons there are."""
    count = db.session.scalar(sa.select(sa.func.count(Person.id)).where(Person.death_date.is_(None))) or 0
    yield desk.Figure(_("Persons"), i18n.number(count), url_for("registry.persons"), "users")


def household_figures() -> Iterable[desk.Figure]:
    """How many households there are."""
    count = db.session.scalar(sa.select(sa.func.count(Household.id))) or 0
    yield desk.Figure(_("Households"), i18n.number(count), url_for("registry.households"), "home-2")


def people_chart() -> Iterable[Chart]:
    """Persons by sex and age."""
    born, day = Person.birth_date, today()
    oldest_first = [(code, int(code.partition("-")[0])) for code, _label in reversed(AGES)]
    group = sa.case(
        *((born <= birth_dates.born_by(youngest, on=day), code) for code, youngest in oldest_first), else_="?"
    ).label("age_group")
    counts = {
        (row.age_group, row.sex): row.persons
        for row in db.session.execute(
            sa.select(group, Person.sex, sa.func.count(Person.id).label("persons"))
            .where(Person.death_date.is_(None))
            .group_by(group, Person.sex)
        )
    }
    if not counts:
        return
    groups: list[tuple[str, Any]] = [*AGES]
    if any(code == "?" for code, _sex in counts):
        groups.append(("?", _("Not known")))
    series = [
        (label, [counts.get((code, sex), 0) for code, _label in groups])
        for sex, label in (("female", _("Female")), ("male", _("Male")), ("unknown", _("Not known")))
        if any(counts.get((code, sex)) for code, _label in groups)
    ]
    yield grouped_bar_chart(
        _("Persons by age and sex"), [label for _code, label in groups], series, heading=_("Age")
    )


def find_persons(query: str) -> desk.Found:
    """Persons that a query may mean."""
    hits = [
        desk.Hit(
            one.name,
            url_for("registry.person", person_id=one.id),
            hint=f"{reference(PERSON, one.id)} · {birth_dates.written(one.birth_date, one.birth_precision) or '–'}",
        )
        for one in search.persons(query)
    ]
    more = url_for("registry.persons", q=query) if len(hits) == search.HITS else None
    return desk.Found(_("Persons"), hits, more)


def find_households(query: str) -> desk.Found:
    """The household that a reference means."""
    hits = [
        desk.Hit(
            reference(HOUSEHOLD, one.id), url_for("registry.household", household_id=one.id), hint=one.address
        )
        for one in search.households(query)
    ]
    return desk.Found(_("Households"), hits)
