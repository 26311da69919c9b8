"""Where the facts live: the tables, subqueries and column expressions that a caller gives to the compiler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, FromClause
from sqlalchemy.sql.util import ClauseAdapter

from eligibility.rules.catalogue import SIZE

Where: TypeAlias = Callable[[ColumnElement[int]], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Row:
    """A person's row in a scan: its keys, and the expression of each person fact on it."""

    id: ColumnElement[int]
    household_id: ColumnElement[int]
    columns: Mapping[str, ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Source:
    """`person` has one row for each member of a household on the day, `household` one for each household.

    Both have an `id`, and `person` a `household_id`. `columns` gives each stored fact ("person.sex",
    "household.region") as an expression over its own table only, with its SQL type said: Boolean, Date, String,
    Integer or BigInteger (the stored whole number of a decimal or of money).
    """

    person: FromClause
    household: FromClause | None
    columns: Mapping[str, ColumnElement[Any]]

    def row(self) -> Row:
        return Row(self.person.c.id, self.person.c.household_id, self.columns)

    def aliased(self, name: str) -> tuple[FromClause, Row]:
        """The people a second time, under another name."""
        alias = self.person.alias(name)
        adapter = ClauseAdapter(alias)
        people = {fact: expression for fact, expression in self.columns.items() if fact.startswith("person.")}
        columns = {fact: adapter.traverse(expression) for fact, expression in people.items()}
        return alias, Row(alias.c.id, alias.c.household_id, columns)

    def column(self, fact: str, row: Row | None) -> ColumnElement[Any]:
        columns = self.columns if row is None else row.columns
        assert fact != SIZE
        assert fact in columns, f"the source has no column for {fact}"
        return columns[fact]
