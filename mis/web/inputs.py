"""The fields that this system needs beyond the ordinary ones: days, months, amounts, areas, persons, versions.

Each reads what people write, into the value that the domain works with; an empty one is None, and a wrong one says in a
sentence what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from markupsafe import Markup
from wtforms import Field, IntegerField, widgets
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import Length, Optional, StopValidation

from mis import access, calendar
from mis import money as amounts
from mis.calendar import Month
from mis.db import Key, db
from mis.errors import Conflict, Invalid, Refusal
from mis.money import Money

# Beyond this many areas a list to choose from is no help any more; the code is typed and checked.
OFFERED_AREAS = 1000
LONGEST_TEXT = 200

_area = sa.table("area", sa.column("id", Key), sa.column("code", sa.Text()), sa.column("name", sa.Text()))


def optional() -> Optional:
    """The validator of a field that may stay empty."""
    return Optional()


def at_most(characters: int) -> Length:
    """The validator of a text's length; every text that is stored has a limit."""
    return Length(max=characters)


class Filled:
    """The field must be filled in; unlike the library's own, it looks at the value and says what to do."""

    field_flags = {"required": True}

    def __init__(self, sentence: Any = None) -> None:
        self.sentence = sentence

    def __call__(self, form: object, field: Field) -> None:
        """Stop with a sentence if the field is empty."""
        if field.errors:
            raise StopValidation()
        if field.data is None or (isinstance(field.data, str) and not field.data.strip()):
            raise StopValidation(str(self.sentence or _("Fill this in.")))


def choices(pairs: Iterable[tuple[str, Any]], *, empty: Any = None) -> list[SelectChoice]:
    """The options of a select: (value, label), with a first empty one if it is given a label."""
    first = [SelectChoice("", empty)] if empty is not None else []
    return first + [SelectChoice(value, label) for value, label in pairs]


class ParsedField(Field):
    """A text that means something: an empty one is None, a wrong one is a sentence, and what was typed stays."""

    widget: widgets.Input = widgets.TextInput()

    def parse(self, text: str) -> Any:
        """The meaning of the text. Raises Refusal with a sentence if it has none."""
        raise NotImplementedError

    def written(self, value: Any) -> str:
        """How a value is written into the field."""
        return str(value)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.written(self.data)

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read what was sent."""
        if not valuelist:
            return
        self.data = None
        text = str(valuelist[0]).strip()
        if len(text) > (self.flags.maxlength or LONGEST_TEXT):
            raise ValueError(_("This is too long."))
        if "\x00" in text:
            raise ValueError(_("This holds a character that cannot be stored."))
        if text:
            try:
                self.data = self.parse(text)
            except Refusal as refusal:
                raise ValueError(str(refusal)) from None


class DateField(ParsedField):
    """A day, written in ISO form; browsers show their own calendar."""

    widget = widgets.DateInput()

    def parse(self, text: str) -> date:
        """The day."""
        return calendar.parse_date(text)


class MonthField(ParsedField):
    """A calendar month, as a Month."""

    widget = widgets.MonthInput()

    def parse(self, text: str) -> Month:
        """The month."""
        return Month.parse(text)


class MoneyField(ParsedField):
    """An amount in a currency that the form, not the user, names: `MoneyField(_l("Amount"), currency="KES")`."""

    widget = widgets.TextInput()

    def __init__(
        self,
        label: Any = None,
        validators: list[Any] | None = None,
        *,
        currency: str | Callable[[], str],
        allow_negative: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(label, validators, **more)
        self._currency, self._allow_negative = currency, allow_negative
        self.render_kw = {"inputmode": "decimal", "autocomplete": "off", "maxlength": "20"} | (
            self.render_kw or {}
        )

    @property
    def currency(self) -> str:
        """The currency in which the amount is read."""
        return self._currency() if callable(self._currency) else self._currency

    def parse(self, text: str) -> Money:
        """The amount."""
        return amounts.parse(
            text, self.currency, allow_negative=self._allow_negative, allow_trailing_zeros=True
        )

    def written(self, value: Money) -> str:
        """The amount without its currency."""
        return value.to_decimal_text()


class AreaWidget(widgets.TextInput):
    """A text input with the areas to choose from, which narrows while one types; no script is needed."""

    def __call__(self, field: Field, **given: Any) -> Markup:
        """The input and its list."""
        names = f"{field.id}-areas"
        options = Markup("").join(
            Markup('<option value="{}"></option>').format(area_text(row)) for row in offered_areas()
        )
        control = super().__call__(field, list=names, autocomplete="off", **given)
        return Markup('{}<datalist id="{}">{}</datalist>').format(control, names, options)


class AreaField(ParsedField):
    """An area, by its code or by “Name (code)”; its data is the number of the area. Only areas in scope are known."""

    widget = AreaWidget()

    def parse(self, text: str) -> int:
        """The number of the area."""
        return area_by_text(text)

    def written(self, value: int) -> str:
        """The name and code of the area."""
        row = db.session.execute(sa.select(_area).where(_area.c.id == value)).one_or_none()
        return area_text(row) if row else ""


def offered_areas() -> Sequence[sa.Row[Any]]:
    """The areas to choose from, in the scope of this request; none where there are too many to look through."""
    rows = db.session.execute(
        sa.select(_area)
        .where(access.in_scope(_area.c.id))
        .order_by(_area.c.name, _area.c.code)
        .limit(OFFERED_AREAS + 1)
    ).all()
    return rows if len(rows) <= OFFERED_AREAS else []


def area_text(row: sa.Row[Any]) -> str:
    """How an area is written for people: “Kibera (KE-047)”."""
    return f"{row.name} ({row.code})"


def area_by_text(text: str) -> int:
    """The number of the area with this code, “Name (code)” or unambiguous name. Raises Invalid for any other text."""
    code = text.rpartition("(")[2].rstrip(") ").strip() if text.endswith(")") else text
    in_scope = sa.select(_area.c.id).where(access.in_scope(_area.c.id))
    found = db.session.scalars(in_scope.where(_area.c.code.in_({code, text}))).all()
    found = (
        found
        or db.session.scalars(in_scope.where(sa.func.lower(_area.c.name) == text.lower()).limit(2)).all()
    )
    if len(found) == 1:
        return int(found[0])
    if found:
        raise Invalid(
            _("Several areas are called “%(name)s”. Write the code of the one you mean.", name=text)
        )
    raise Invalid(
        _("There is no area “%(name)s” among those you work in. Write its code or its name.", name=text)
    )


class PersonField(ParsedField):
    """A person by the reference number that people read over the phone.

    `resolve` turns the text into what the view works with and refuses what is no reference: the shell knows no
    registry. `write` turns it back into text.
    """

    def __init__(
        self,
        label: Any = None,
        validators: list[Any] | None = None,
        *,
        resolve: Callable[[str], Any],
        write: Callable[[Any], str] = str,
        **more: Any,
    ) -> None:
        super().__init__(label, validators, **more)
        self._resolve, self._write = resolve, write
        self.flags.maxlength = 20
        self.render_kw = {"autocomplete": "off"} | (self.render_kw or {})

    def parse(self, text: str) -> Any:
        """What the reference number stands for."""
        return self._resolve(text)

    def written(self, value: Any) -> str:
        """The reference number."""
        return self._write(value)


class VersionField(IntegerField):
    """The version of the record that the user saw; hidden, so that another's change in between is noticed."""

    widget = widgets.HiddenInput()

    def __init__(self, **more: Any) -> None:
        super().__init__("", [], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """A page that makes a new record has no version to send; an empty one is never that of a record."""
        if any(valuelist):
            super().process_formdata(valuelist)
        else:
            self.data = None

    def check(self, record: Any) -> None:
        """Refuse if the record has changed since the page was made. Call it within `form.catching()`."""
        if self.data != record.version:
            raise Conflict(
                _("Somebody else has changed this record since you opened the page."),
                instead=_("Open it again, look at the change, then decide."),
            )
