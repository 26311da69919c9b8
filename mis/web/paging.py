"""Paging by position: where a page of a list begins, as a condition on its sort value and key.

The position travels in the address, signed: it is read back as it was written, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer

from mis.errors import Invalid


@dataclass(frozen=True)
class Order:
    """By what a list is sorted: a column (or its key alone), upwards or downwards. What is missing comes last."""

    name: str
    column: Any
    key: Any
    down: bool
    nullable: bool

    def by(self, *, backwards: bool) -> list[sa.ColumnElement[Any]]:
        """The ORDER BY; backwards to read the rows before a position."""
        down = self.down != backwards
        turned = [part.desc() if down else part.asc() for part in self._parts]
        if self.nullable:
            # Said in so many words: the databases disagree about where NULL sorts by itself.
            missing = self.column.is_(None)
            turned.insert(0, missing.desc() if backwards else missing.asc())
        return turned

    def beyond(self, value: Any, key: Any, *, backwards: bool) -> sa.ColumnElement[bool]:
        """The rows after a position (before it, if backwards)."""
        down = self.down != backwards
        if self.column is None:
            return self.key < key if down else self.key > key  # type: ignore[no-any-return]
        if not self.nullable:
            here, there = (
                sa.tuple_(self.column, self.key),
                sa.tuple_(sa.literal(value, self.column.type), key),
            )
            return here < there if down else here > there
        return self._beyond_with_missing(value, key, down=down, backwards=backwards)

    @property
    def _parts(self) -> list[Any]:
        return [self.key] if self.column is None else [self.column, self.key]

    def _beyond_with_missing(
        self, value: Any, key: Any, *, down: bool, backwards: bool
    ) -> sa.ColumnElement[bool]:
        missing, later_key = self.column.is_(None), (self.key < key if down else self.key > key)
        if value is None:
            rest = sa.and_(missing, later_key)
            return sa.or_(~missing, rest) if backwards else rest
        later = self.column < value if down else self.column > value
        same = sa.and_(self.column == value, later_key)
        return sa.or_(later, same) if backwards else sa.or_(later, same, missing)


def expression(column: Any) -> Any:
    """The column itself, given it or the attribute of its class."""
    return column.__clause_element__() if hasattr(column, "__clause_element__") else column


def may_be_missing(sort: Any, key: Any) -> bool:
    """Whether the sort value can be NULL: unless it is a mandatory column of the list's own table, it may be."""
    own = getattr(sort, "table", None) is not None and sort.table is getattr(key, "table", None)
    return not own or bool(getattr(sort, "nullable", True))


def write_cursor(name: str, order: Order, value: Any, key: Any) -> str:
    """The position of a row of the list with this name and order."""
    return str(_signer().dumps([name, order.name, order.down, _packed(value), _packed(key)]))


def read_cursor(name: str, order: Order, text: str) -> tuple[Any, Any]:
    """The sort value and key of a position. Raises Invalid for one made up, or made for another list or order."""
    try:
        of_list, sort, down, value, key = _signer().loads(text)
    except (BadSignature, ValueError):
        of_list = None
    if of_list != name or (sort, down) != (order.name, order.down):
        raise Invalid(
            _("This address does not lead to a page of the list."), instead=_("Open the list from its start.")
        )
    return _unpacked(value), _unpacked(key)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="mis.web.listing")


def _packed(value: Any) -> Any:
    match value:
        case datetime():
            return {"at": value.astimezone(UTC).isoformat()}
        case date():
            return {"on": value.isoformat()}
        case None | bool() | int() | str():
            return value
    raise AssertionError(f"A list cannot be sorted by {type(value).__name__}")


def _unpacked(value: Any) -> Any:
    match value:
        case {"at": text}:
            return datetime.fromisoformat(text)
        case {"on": text}:
            return date.fromisoformat(text)
    return value
