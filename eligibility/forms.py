"""The forms of the eligibility: a draft, a run, an applicant, an exit."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField, SubmitField, TextAreaField

from eligibility import strict_yaml
from eligibility.models import RuleSet, Scheme
from mis.db import db
from mis.web.forms import DateField, Filled, Form, PersonField, VersionField, at_most, choices, optional
from registry.references import PERSON, reference
from registry.registration import person_by_reference

EXIT_REASONS = [
    ("death", _l("The person died")),
    ("moved", _l("The person moved out of the scheme's area")),
    ("own_request", _l("The person asked for it")),
    ("no_longer_eligible", _l("The requirements are no longer met")),
    ("error", _l("The enrolment was an error")),
]


def scheme_choices(*, published: bool = False) -> Any:
    """All schemes by code; only those of which rules were published, if asked for."""
    query = sa.select(Scheme.code, Scheme.name).order_by(Scheme.code)
    if published:
        query = query.where(sa.exists().where(RuleSet.scheme_id == Scheme.id, RuleSet.status == "published"))
    return choices(
        [(code, f"{name} ({code})") for code, name in db.session.execute(query)], empty=_("Choose a scheme")
    )


class DraftForm(Form):
    """The document of a draft. It can be checked without being saved."""

    document = TextAreaField(
        _l("Document"),
        [Filled(), at_most(strict_yaml.LONGEST)],
        description=_l(
            "The scheme, its rules with their articles, the right of appeal and worked examples, as YAML."
        ),
        render_kw={"rows": "32", "spellcheck": "false", "wrap": "off", "autocomplete": "off"},
    )
    version = VersionField()
    save = SubmitField(_l("Save the draft"))
    check = SubmitField(_l("Only check it"))


class RunForm(Form):
    """Assess everybody as of a day."""

    scheme = SelectField(_l("Scheme"), [Filled()], choices=lambda: scheme_choices(published=True))
    on = DateField(
        _l("As of"), [Filled()], description=_l("Ages, households and rules are taken as of this day.")
    )


class ApplicantForm(Form):
    """Somebody who applies at the desk."""

    scheme = SelectField(_l("Scheme"), [Filled()], choices=lambda: scheme_choices(published=True))
    person = PersonField(
        _l("Person"),
        [Filled()],
        resolve=person_by_reference,
        write=lambda person: reference(PERSON, person.id),
        description=_l("The reference number, such as P-000-012-355."),
    )
    on = DateField(
        _l("From"), [Filled()], description=_l("The day of the application; the benefit begins with it.")
    )
    decide = SubmitField(_l("Assess and decide"))
    look = SubmitField(_l("Only explain"))


class ExitForm(Form):
    """The end of an enrolment."""

    reason = SelectField(_l("Reason"), [Filled()], choices=lambda: choices(EXIT_REASONS, empty=_("Choose")))
    on = DateField(
        _l("From"), [Filled()], description=_l("The first day on which the person is no longer in it.")
    )
    note = StringField(_l("Note"), [optional(), at_most(500)])
    version = VersionField()
