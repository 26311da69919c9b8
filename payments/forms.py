"""The forms of the payments: opening a cycle, bringing an answer, exceptions, holds, accounts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import SelectField, StringField, TextAreaField

from eligibility.models import Enrolment, Scheme
from mis.db import db
from mis.errors import Invalid
from mis.web.forms import DateField, Filled, Form, MonthField, PersonField, at_most, choices, optional
from registry.models import Person
from registry.references import PERSON, parse, reference

KINDS = [
    ("mobile", _l("Mobile wallet")),
    ("iban", _l("Bank account with IBAN")),
    ("bank_account", _l("Other bank account")),
    ("cash", _l("Cash at a pay point")),
]
_REASON = {"rows": "3", "maxlength": "2000"}


def _schemes() -> Any:
    found = db.session.execute(sa.select(Scheme.code, Scheme.name).order_by(Scheme.name))
    return choices([(code, f"{name} ({code})") for code, name in found])


def _person(text: str) -> int:
    number = parse(text, kind=PERSON)[1]
    if db.session.scalar(sa.select(Person.id).where(Person.id == number)) is None:
        raise Invalid("Nobody in the areas you work in has this reference.")
    return number


class OpenCycleForm(Form):
    """Which scheme, which month."""

    scheme = SelectField(_l("Scheme"), [Filled()], choices=_schemes)
    month = MonthField(_l("Month"), [Filled()], description=_l("Year and month, such as 2026-03."))


class AnswerForm(Form):
    """The file that the provider sent."""

    file = FileField(
        _l("File from the provider"),
        [FileRequired(_l("Choose the file."))],
        description=_l(
            "A list (CSV) or a payment status report (pain.002). The same file is never taken twice."
        ),
    )


class ResolveForm(Form):
    """What was found out about an exception."""

    note = TextAreaField(
        _l("What was found out"),
        [Filled(), at_most(2000)],
        description=_l("Whom you asked, what they said, and what follows from it."),
        render_kw=_REASON,
    )


class SettleForm(Form):
    """What an enquiry with the provider has found."""

    outcome = SelectField(
        _l("The provider says"),
        [Filled()],
        choices=choices(
            [("paid", _l("It was paid")), ("rejected", _l("It was rejected"))], empty=_l("Choose")
        ),
    )
    note = TextAreaField(
        _l("Evidence"),
        [Filled(), at_most(2000)],
        description=_l("Who at the provider said so, when, and where it is written."),
        render_kw=_REASON,
    )


class AgainForm(Form):
    """Why a payment is to be made again."""

    reason = TextAreaField(_l("Why it is to be paid again"), [Filled(), at_most(2000)], render_kw=_REASON)


class HoldForm(Form):
    """Whose payments are held, and why."""

    person = PersonField(
        _l("Person"), [Filled()], resolve=_person, write=lambda number: reference(PERSON, number),
        description=_l("The reference number, such as P-000-012-355."),
    )  # fmt: skip
    scheme = SelectField(_l("Scheme"), [Filled()], choices=_schemes)
    reason = TextAreaField(_l("Reason"), [Filled(), at_most(2000)], render_kw=_REASON)
    expires_on = DateField(
        _l("Last day"),
        [optional()],
        description=_l("Without one, the hold lasts until somebody releases it."),
    )

    def enrolment(self) -> Enrolment | None:
        """The latest enrolment of the person in the scheme."""
        found = (
            sa.select(Enrolment)
            .join(Scheme, Scheme.id == Enrolment.scheme_id)
            .where(Enrolment.person_id == self.person.data, Scheme.code == self.scheme.data)
        )
        return db.session.scalar(found.order_by(Enrolment.id.desc()).limit(1))


class ReasonForm(Form):
    """A reason."""

    reason = TextAreaField(_l("Reason"), [Filled(), at_most(2000)], render_kw=_REASON)


class AccountForm(Form):
    """Where a person wants to be paid."""

    kind = SelectField(_l("Kind"), [Filled()], choices=choices(KINDS))
    number = StringField(
        _l("Number"),
        [optional(), at_most(40)],
        description=_l("As on the card or the letter; for cash, the collection point if there is one."),
        render_kw={"autocomplete": "off"},
    )
    institution = StringField(
        _l("Bank or provider"),
        [optional(), at_most(35)],
        description=_l("Its BIC, or the code under which the provider knows it."),
        render_kw={"autocomplete": "off"},
    )


class PurposeForm(Form):
    """What a full number is needed for."""

    purpose = StringField(_l("What do you need the full number for?"), [Filled(), at_most(200)])
