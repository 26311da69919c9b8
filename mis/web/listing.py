"""One list page for everything: it filters, sorts, pages and exports, and is as fast at a million rows as at ten.

A page is found by the position of its first row (its sort value and key), never by counting rows from the start, and
costs the same few statements whatever it shows. The count stops at ten thousand: nobody reads on, and counting would.
Only the areas in scope are seen, because the session narrows every query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Field, HiddenField
from wtforms.form import BaseForm

from mis import access
from mis.db import db
from mis.errors import Invalid
from mis.web import i18n
from mis.web.filters import TYPED_LIMIT
from mis.web.filters import AreaFilter as AreaFilter
from mis.web.filters import ChoiceFilter as ChoiceFilter
from mis.web.filters import DateFilter as DateFilter
from mis.web.filters import Filter as Filter
from mis.web.filters import TextFilter as TextFilter
from mis.web.paging import Order, expression, may_be_missing, read_cursor, write_cursor

PAGE_ROWS = 50
COUNTED = 10_000
# Arguments of a list's address that are not filters.
CONTROLS = frozenset({"sort", "direction", "after", "before"})


@dataclass(frozen=True)
class Column:
    """A column: how its cell is got from a row, how it is shown, by what it is sorted.

    `kind` is one of text, number, money, date, moment, status, yesno. A sealed column gives its hint, never its
    content: what stands in a cell is exported. `export` gives another value to files, where the page shows less.
    """

    key: str
    label: Any
    value: Callable[[Any], Any]
    sort: Any = None
    kind: str = "text"
    export: Callable[[Any], Any] | None = None

    @property
    def sortable(self) -> bool:
        """Whether a click on its head sorts the list."""
        return self.sort is not None


@dataclass(frozen=True)
class RowOfPage:
    """A row as the page shows it."""

    id: Any
    url: str | None
    cells: list[Any]


@dataclass
class Page:
    """What `macros/lists.html` shows."""

    title: Any
    columns: Sequence[Column]
    rows: list[RowOfPage]
    filters: BaseForm | None
    sort: str
    direction: str
    next_url: str | None
    prev_url: str | None
    count_text: str
    export_urls: dict[str, str]
    bulk_actions: Sequence[tuple[Any, str]]
    empty_hint: Any


class Listing:
    """A list page, defined once beside the views of its room, by a name that is unique (`registry.persons`).

    `select` gives the rows: one mapped class, or several columns, with what the cells need loaded along (selectinload
    or joins to one row). `key` is the primary key of the rows. `order` names the column it is sorted by at first, with
    a minus for downwards; without it, the key. `export_permission` opens the export.
    """

    known: ClassVar[dict[str, Listing]] = {}

    def __init__(
        self,
        name: str,
        *,
        title: Any,
        select: Callable[[], sa.Select[Any]],
        key: Any,
        columns: Sequence[Column],
        filters: Sequence[Filter] = (),
        row_url: Callable[[Any], str | None] | None = None,
        empty_hint: Any = None,
        export_permission: str | None = None,
        order: str = "",
        bulk_actions: Callable[[], Sequence[tuple[Any, str]]] = lambda: (),
        page_rows: int = PAGE_ROWS,
    ) -> None:
        self.name, self.title, self.select, self.key = name, title, select, key
        self.columns = {column.key: column for column in columns}
        self.filters = {one.key: one for one in filters}
        self.row_url, self.empty_hint, self.export_permission = row_url, empty_hint, export_permission
        self.default_order, self.bulk_actions, self.page_rows = order, bulk_actions, page_rows
        assert len(self.columns) == len(columns) and len(self.filters) == len(filters), (
            f"{name} says a key twice"
        )
        assert not self.filters.keys() & CONTROLS, f"{name}: a filter is called like a control of the page"
        assert not order or order.lstrip("-") in self.columns, f"{name} is sorted by a column it has not"
        Listing.known[name] = self

    def page(
        self,
        args: Mapping[str, str],
        *,
        only: Sequence[sa.ColumnElement[bool]] = (),
        beside: frozenset[str] = frozenset(),
    ) -> Page:
        """The page that the address asks for. Raises Invalid for what is no filter, sort or position of this list.

        `only` narrows the list to what belongs to a record; such a list is not exported by itself. `beside` names
        arguments of the address that belong to the view and not to the list.
        """
        self._refuse_unknown(args, beside)
        form, order = self.filter_form(args), self.order(args)
        statement = self._filtered(form).where(*only)
        rows, before, after = self._rows(statement, order, args)
        here = {name: value for name, value in args.items() if value and name not in ("after", "before")}
        return Page(
            title=self.title,
            columns=list(self.columns.values()),
            rows=[self._shown(row, key) for row, key in rows],
            filters=form if self.filters else None,
            sort=order.name,
            direction="desc" if order.down else "asc",
            next_url=_address(here, after=after),
            prev_url=_address(here, before=before),
            count_text=self._count_text(statement),
            export_urls={} if only else self._export_urls(here),
            bulk_actions=self.bulk_actions(),
            empty_hint=self.empty_hint,
        )

    def statement(self, args: Mapping[str, str]) -> sa.Select[Any]:
        """All rows that the address asks for, sorted: what an export writes."""
        self._refuse_unknown(args, frozenset())
        return self._filtered(self.filter_form(args)).order_by(*self.order(args).by(backwards=False))

    def count(self, statement: sa.Select[Any], *, limit: int) -> int:
        """How many rows the statement has, counted up to `limit`."""
        # The entities stay in the inner statement, so that it is narrowed to the areas in scope like the list itself.
        counted = statement.with_only_columns(self.key.label("key")).order_by(None).limit(limit).subquery()
        return int(db.session.scalar(sa.select(sa.func.count(counted.c.key))) or 0)

    def filter_form(self, args: Mapping[str, str]) -> BaseForm:
        """The filter bar with what the address says in it. Raises Invalid for a value that cannot be used."""
        fields: dict[str, Any] = {one.key: one.field for one in self.filters.values()}
        hidden = {name: HiddenField() for name in ("sort", "direction") if args.get(name)}
        form = BaseForm(fields | hidden, meta=_Meta())
        given = MultiDict({name: value for name, value in args.items() if value})
        form.process(given)
        if given:
            self._refuse_wrong(form)
        return form

    def order(self, args: Mapping[str, str]) -> Order:
        """The order that the address asks for, else the list's own."""
        name = args.get("sort") or self.default_order.lstrip("-")
        own_down = self.default_order.startswith("-") and not args.get("sort")
        direction = args.get("direction") or ("desc" if own_down else "asc")
        column = self.columns.get(name)
        if direction not in ("asc", "desc"):
            raise Invalid(_("A list is sorted upwards (asc) or downwards (desc)."), field="direction")
        if name and (column is None or not column.sortable):
            raise Invalid(_("This list cannot be sorted by “%(name)s”.", name=name), field="sort")
        sort = None if column is None else expression(column.sort)
        key = expression(self.key)
        return Order(name, sort, key, direction == "desc", sort is not None and may_be_missing(sort, key))

    def _refuse_unknown(self, args: Mapping[str, str], beside: frozenset[str]) -> None:
        for name in args:
            if name not in self.filters and name not in CONTROLS | beside:
                raise Invalid(
                    _("This list has no filter “%(name)s”.", name=name[:TYPED_LIMIT]),
                    instead=_("Use the fields above the list."),
                    field=name,
                )

    def _refuse_wrong(self, form: BaseForm) -> None:
        for one in form:
            one.validate(form)
            too_long = isinstance(one.data, str) and len(one.data) > TYPED_LIMIT
            sentence = next(iter(one.errors), None) or (_("This is too long.") if too_long else None)
            if sentence or (isinstance(one.data, str) and "\x00" in one.data):
                label = one.label.text if one.short_name in self.filters else one.short_name
                raise Invalid(
                    f"{label}: {sentence or _('This cannot be searched for.')}", field=one.short_name
                )

    def _filtered(self, form: BaseForm) -> sa.Select[Any]:
        statement = self.select()
        for one in self.filters.values():
            value = _filled(form[one.key])
            if value is not None:
                statement = statement.where(one.where(value))
        return statement

    def _rows(
        self, statement: sa.Select[Any], order: Order, args: Mapping[str, str]
    ) -> tuple[list[tuple[Any, Any]], str | None, str | None]:
        """The rows of the page, and the cursors of the pages before and after it."""
        backwards = bool(args.get("before")) and not args.get("after")
        cursor = args.get("before") if backwards else args.get("after")
        position = read_cursor(self.name, order, cursor) if cursor else None
        found = self._fetch(statement, order, position, backwards=backwards)
        more = len(found) > self.page_rows
        found = found[: self.page_rows]
        if backwards and not more:
            # The first page is reached: show it whole, whatever has come into it meanwhile.
            found, backwards, position = self._fetch(statement, order, None, backwards=False), False, None
            more, found = len(found) > self.page_rows, found[: self.page_rows]
        if backwards:
            found.reverse()
        if not found:
            return [], None, None
        first, last = (write_cursor(self.name, order, row.sort_, row.key_) for row in (found[0], found[-1]))
        rows = [(row[0] if len(row) == 3 else row, row.key_) for row in found]
        return (
            rows,
            first if (more if backwards else position) else None,
            last if (backwards or more) else None,
        )

    def _fetch(
        self, statement: sa.Select[Any], order: Order, position: tuple[Any, Any] | None, *, backwards: bool
    ) -> list[sa.Row[Any]]:
        if position:
            statement = statement.where(order.beyond(*position, backwards=backwards))
        sort = sa.null() if order.column is None else order.column
        statement = statement.add_columns(sort.label("sort_"), order.key.label("key_"))
        ordered = statement.order_by(None).order_by(*order.by(backwards=backwards)).limit(self.page_rows + 1)
        return list(db.session.execute(ordered).all())

    def _shown(self, row: Any, key: Any) -> RowOfPage:
        url = self.row_url(row) if self.row_url else None
        return RowOfPage(key, url, [column.value(row) for column in self.columns.values()])

    def _count_text(self, statement: sa.Select[Any]) -> str:
        count = self.count(statement, limit=COUNTED + 1)
        return _("more than %(count)s", count=i18n.number(COUNTED)) if count > COUNTED else i18n.number(count)

    def _export_urls(self, here: dict[str, str]) -> dict[str, str]:
        if self.export_permission is None or not access.may(self.export_permission):
            return {}
        return {
            kind: f"{url_for('lists.export', name=self.name, kind=kind)}?{urlencode(here)}"
            for kind in ("csv", "xlsx")
        }


class _Meta(FlaskForm.Meta):
    """The filter bar is read by GET and changes nothing: it needs no token."""

    csrf = False


def _address(here: Mapping[str, str], **cursor: str | None) -> str | None:
    """The address of this same page at a cursor, if there is one; relative, so that it keeps the path."""
    from_cursor = {name: value for name, value in cursor.items() if value}
    return f"?{urlencode(dict(here) | from_cursor)}" if from_cursor else None


def _filled(one: Field) -> Any:
    """What a field of the filter bar holds, None if it is empty."""
    value = one.data.strip() if isinstance(one.data, str) else one.data
    return None if value == "" else value
