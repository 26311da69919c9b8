"""The one base of every form, and the fields that this system needs beyond the ordinary ones.

A form knows how to carry a refusal of the domain back to the field it belongs to. A view writes

    form = HoldForm()
    if form.validate_on_submit():
        with form.catching():
            holds.place(payment, until=form.until.data)
            return redirect(…)
    return form.page("payments/hold.html", payment=payment)

and whatever the domain had begun before it refused is undone; what was typed stays on the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import StringField as StringField
from wtforms import widgets

from mis.db import db
from mis.errors import Forbidden, Refusal
from mis.web.inputs import AreaField as AreaField
from mis.web.inputs import DateField as DateField
from mis.web.inputs import Filled as Filled
from mis.web.inputs import MoneyField as MoneyField
from mis.web.inputs import MonthField as MonthField
from mis.web.inputs import ParsedField as ParsedField
from mis.web.inputs import PersonField as PersonField
from mis.web.inputs import VersionField as VersionField
from mis.web.inputs import area_by_text as area_by_text
from mis.web.inputs import area_text as area_text
from mis.web.inputs import at_most as at_most
from mis.web.inputs import choices as choices
from mis.web.inputs import offered_areas as offered_areas
from mis.web.inputs import optional as optional


class Form(FlaskForm):
    """A form whose errors come from its fields or from the domain, in one place."""

    refused_with: int | None = None

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Put a refusal raised within the block on its field, with everything undone that the block had done.

        What is forbidden passes through: it is answered by its own page and leaves a trace in the audit trail.
        """
        promised, finished = len(db.session.info.get("after_commit", [])), False
        try:
            with db.session.begin_nested():
                yield
                finished = True
        except Refusal as refusal:
            # One that comes at the last flush, when the view has answered already, must not look like success.
            if finished or isinstance(refusal, Forbidden):
                raise
            del db.session.info.get("after_commit", [])[promised:]
            self.refuse(refusal)

    def refuse(self, refusal: Refusal) -> None:
        """Show the refusal at its field, or on top of the form if it has none here."""
        self.refused_with = refusal.status
        field = self._fields.get(refusal.field or "")
        if field is None or isinstance(field.widget, widgets.HiddenInput):
            self.form_errors.append(str(refusal))
        else:
            field.errors = [*field.errors, str(refusal)]

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows this form: 200, or why it could not be taken."""
        return self.refused_with or (422 if self.errors else 200)

    def page(self, template: str, **context: Any) -> ResponseReturnValue:
        """The page with this form on it, and with the status that tells a program what a reader sees."""
        return render_template(template, form=self, **context), self.status
