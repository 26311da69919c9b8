"""What the grievances add to the page of a person: the latest cases, and the way to lodge one."""

from __future__ import annotations

import sqlalchemy as sa
from flask import render_template, url_for
from markupsafe import Markup

from grievances import intake
from grievances.catalogue import catalogue
from grievances.models import Grievance
from grievances.views.blueprint import READ, link
from mis.db import db
from mis.web import i18n
from registry import references
from registry.models import Person
from registry.views.panels import add_panel

_SHOWN = 10


def panel(person: Person) -> Markup | None:
    """The latest cases about a person; nothing for whoever finds none and may lodge none."""
    reference = references.reference(references.PERSON, person.id)
    cases = db.session.scalars(
        sa.select(Grievance)
        .where(Grievance.person_id == person.id)
        .order_by(Grievance.id.desc())
        .limit(_SHOWN + 1)
    ).all()
    lodge_url = link("grievances.lodge", person=reference)
    if not cases and lodge_url is None:
        return None
    shown = [
        (intake.reference(one), one, i18n.words(catalogue().categories[one.category].label)) for one in cases
    ]
    return Markup(  # noqa: S704 - a template of this room, which escapes what it is given
        render_template(
            "grievances/person_panel.html",
            cases=shown[:_SHOWN],
            lodge_url=lodge_url,
            all_url=url_for("grievances.cases", q=reference) if len(shown) > _SHOWN else None,
        )
    )


add_panel(READ, panel)
