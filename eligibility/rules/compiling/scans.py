"""The scans of a compiled rule set: the people, and under them the figures of their households, shared by all clauses.

A figure that asks about nobody outside its own macro is one of the household: computed once for each, in one
aggregation of the members. A figure that compares the members with one person (m.age > person.age) is computed for
each person, over pairs of members of a household.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, FromClause, and_, select

from eligibility.rules import meaning
from eligibility.rules.checking import Checked
from eligibility.rules.compiling import figures
from eligibility.rules.compiling.expressions import Expressions
from eligibility.rules.compiling.source import Row, Source, Where
from eligibility.rules.meaning import Aggregate, Node


class Scans:
    """Builds the scans of one statement; equal figures are computed once."""

    def __init__(self, checked: Checked, source: Source, *, as_of: date, where: Where | None) -> None:
        self.checked, self.source, self.as_of, self.where = checked, source, as_of, where
        self._made: dict[tuple[int | None, tuple[Aggregate, ...]], CTE] = {}

    def joined(
        self, rows: FromClause, levels: Mapping[int, Row], roots: Sequence[Node]
    ) -> tuple[FromClause, Expressions]:
        """`rows` joined to whatever the expressions need, and their reading on it."""
        values: dict[Aggregate, ColumnElement[Any]] = {}
        groups: dict[int | None, list[Aggregate]] = {}
        for aggregate in dict.fromkeys(_figures_in(roots)):
            groups.setdefault(next(iter(aggregate.free), None), []).append(aggregate)
        anybody = next(iter(levels.values()))
        for level, group in groups.items():
            row = anybody if level is None else levels[level]
            table = self.table(level, tuple(group))
            key, wanted = (
                (table.c.household_id, row.household_id) if level is None else (table.c.person_id, row.id)
            )
            # Outer, so that somebody without a household is undetermined and never left out.
            rows = rows.outerjoin(table, key == wanted)
            for position, aggregate in enumerate(group):
                values[aggregate] = figures.value(aggregate, table.c[f"figure_{position}"])
        if any(_asks_household(root) for root in roots):
            assert self.source.household is not None, (
                "the rule asks about the household, and the source has none"
            )
            rows = rows.outerjoin(self.source.household, self.source.household.c.id == anybody.household_id)
        return rows, Expressions(self.checked, self.source, levels, values, as_of=self.as_of)

    def table(self, level: int | None, group: tuple[Aggregate, ...]) -> CTE:
        key = (level, group)
        if key not in self._made:
            self._made[key] = self.of_households(group) if level is None else self.of_people(level, group)
        return self._made[key]

    def of_households(self, group: tuple[Aggregate, ...]) -> CTE:
        member = self.source.row()
        rows, reading = self.joined(
            self.source.person, {figure.level: member for figure in group}, list(_inside(group))
        )
        statement = select(member.household_id.label("household_id"), *_columns(group, reading)).select_from(
            rows
        )
        if self.where is not None:
            statement = statement.where(self.where(member.household_id))
        return statement.group_by(member.household_id).cte(self.name())

    def of_people(self, level: int, group: tuple[Aggregate, ...]) -> CTE:
        member = self.source.row()
        subject_rows, subject = self.source.aliased("subject")
        pairs = subject_rows.join(self.source.person, member.household_id == subject.household_id)
        levels = {level: subject, **{figure.level: member for figure in group}}
        rows, reading = self.joined(pairs, levels, list(_inside(group)))
        statement = select(subject.id.label("person_id"), *_columns(group, reading)).select_from(rows)
        if self.where is not None:
            # On both sides: the planner does not carry a range over the equality by itself.
            statement = statement.where(
                and_(self.where(subject.household_id), self.where(member.household_id))
            )
        return statement.group_by(subject.id).cte(self.name())

    def name(self) -> str:
        return f"figures_{len(self._made)}"


def _columns(group: Iterable[Aggregate], reading: Expressions) -> list[ColumnElement[Any]]:
    return [figures.column(figure, reading).label(f"figure_{n}") for n, figure in enumerate(group)]


def _inside(group: Iterable[Aggregate]) -> Iterator[Node]:
    for figure in group:
        yield from figure.parts


def _figures_in(roots: Iterable[Node]) -> Iterator[Aggregate]:
    """The figures that these expressions ask for themselves, not those within another figure."""
    waiting = list(reversed(list(roots)))
    while waiting:
        node = waiting.pop()
        if isinstance(node, Aggregate):
            yield node
        else:
            waiting.extend(node.parts)


def _asks_household(node: Node) -> bool:
    if isinstance(node, Aggregate):
        return False
    if isinstance(node, meaning.Stored):
        return node.level < 0
    return any(_asks_household(part) for part in node.parts)
