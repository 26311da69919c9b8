"""The fields of a filter bar, and the conditions that they mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from wtforms import SelectField, StringField

from mis.db import Key
from mis.web.forms import AreaField, DateField, choices

TYPED_LIMIT = 200

_closure = sa.table("area_closure", sa.column("ancestor_id", Key), sa.column("descendant_id", Key))

Where = Callable[[Any], sa.ColumnElement[bool]]


@dataclass(frozen=True)
class Filter:
    """A field of the filter bar, and the condition that its value means; an empty field filters nothing."""

    key: str
    field: Any
    where: Where


def TextFilter(key: str, label: Any, where: Where) -> Filter:  # noqa: N802 - reads as the class it stands for
    """Filter by a text."""
    return Filter(
        key, StringField(label, render_kw={"maxlength": str(TYPED_LIMIT), "autocomplete": "off"}), where
    )


def ChoiceFilter(  # noqa: N802
    key: str,
    label: Any,
    options: Sequence[tuple[str, Any]] | Callable[[], Sequence[tuple[str, Any]]],
    where: Where,
) -> Filter:
    """Filter by one of some values; options that are asked of the database are given as a function."""

    def offered() -> Any:
        return choices(options() if callable(options) else options, empty=_("All"))

    return Filter(key, SelectField(label, choices=offered, default=""), where)


def DateFilter(key: str, label: Any, where: Where) -> Filter:  # noqa: N802
    """Filter by a day."""
    return Filter(key, DateField(label), where)


def AreaFilter(key: str, label: Any, column: Any) -> Filter:  # noqa: N802
    """Filter by an area and all below it; `column` holds the number of the record's area."""
    below = sa.select(_closure.c.descendant_id)
    return Filter(
        key, AreaField(label), lambda area_id: column.in_(below.where(_closure.c.ancestor_id == area_id))
    )
