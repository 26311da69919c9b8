"""How a form field is put on the page: which shape it has, and what ties it to its hint and its error.

The templates in macros/forms.html draw; what would be a ladder of conditions there is decided here.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from markupsafe import Markup
from wtforms import Field, FieldList, FormField, RadioField
from wtforms import widgets as w

Link = tuple[str, str, str]  # (id of the control, label, sentence)


def shape(field: Field) -> str:
    """hidden, group, list, choices, checkbox, or input: each is drawn in its own way."""
    if isinstance(field, FormField):
        return "group"
    if isinstance(field, FieldList):
        return "list"
    if isinstance(field, RadioField) or isinstance(field.widget, w.ListWidget):
        return "choices"
    kind = getattr(field.widget, "input_type", "")
    return kind if kind in ("hidden", "checkbox", "submit") else "input"


def control_class(field: Field) -> str:
    """The classes of a single control."""
    base = "form-select" if isinstance(field.widget, w.Select) else "form-control"
    return f"{base} width-{width(field)}" + (" is-invalid" if field.errors else "")


def width(field: Field) -> str:
    """A control is about as wide as what belongs into it, which tells the user what is expected."""
    kind = getattr(field.widget, "input_type", "")
    if kind in ("date", "month", "number", "time", "week"):
        return "short"
    limit = getattr(field.flags, "maxlength", None) or 0
    return "short" if 0 < limit <= 20 else "full"


def attributes(field: Field) -> dict[str, str]:
    """The aria attributes of a control."""
    ids = described_by(field)
    tied = {"aria-describedby": ids} if ids else {}
    return tied | ({"aria-invalid": "true"} if field.errors else {})


def described_by(field: Field) -> str:
    """The ids of the hint and the error that belong to the field."""
    hint = f"{field.id}-hint" if field.description else ""
    error = f"{field.id}-error" if own_errors(field) else ""
    return f"{hint} {error}".strip()


def own_errors(field: Field) -> list[str]:
    """The sentences about this field itself; those of fields within it stand at the inner fields."""
    if isinstance(field, FormField):
        return list(field.form.form_errors)
    return [str(error) for error in field.errors if not isinstance(error, (dict, list, tuple))]


def error_links(fields: Iterable[Field]) -> Iterator[Link]:
    """Every error of a form with the id of the control that mends it, in the order of the page."""
    for field in fields:
        yield from (
            (_first_control(field), str(field.label.text), sentence) for sentence in own_errors(field)
        )
        if isinstance(field, FormField):
            yield from error_links(field.form)
        elif isinstance(field, FieldList):
            yield from error_links(field.entries)


def _first_control(field: Field) -> str:
    if shape(field) == "choices":
        options: Iterable[Field] = iter(field)  # type: ignore[call-overload]  # fields of choices are iterable
        return next((str(option.id) for option in options), str(field.id))
    return str(field.id)


def takes_files(fields: Iterable[Field]) -> bool:
    """Whether the form must be sent as multipart."""
    return any(getattr(field.widget, "input_type", "") == "file" for field in fields)


def needs_anything(fields: Iterable[Field]) -> bool:
    """Whether the mark of required fields needs its explanation."""
    return any(field.flags.required for field in fields)


def option_groups(form: Any) -> list[tuple[Any, list[str]]]:
    """A form may say `groups = [(legend, [names])]`; one that does not has none."""
    return list(getattr(form, "groups", None) or [])


def draw(field: Field, **more: str) -> Markup:
    """The control itself, with its classes and aria attributes."""
    markup: Markup = field(**{"class_": control_class(field)} | attributes(field) | more)
    return markup
