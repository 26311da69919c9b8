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

# The level of a scan of households, in which there is no person; and from which size a part is worked out there.
_HOME = -1
_LONG = 24


class Scans:
    """Builds the scans of one statement; equal figures are computed once."""

    def __init__(self, checked: Checked, source: Source, *, as_of: date, where: Where | None) -> None:
        self.checked, self.source, self.as_of, self.where = checked, source, as_of, where
        self._made: dict[tuple[int | None, tuple[Aggregate, ...]], CTE] = {}

    def people(self, roots: Sequence[Node], *, kept: Sequence[Node] = ()) -> tuple[FromClause, Expressions]:
        """The scan of the people who are decided; facts and figures to be `kept` of the household come along."""
        rows, row = self.source.person, self.source.row()
        parts: tuple[Node, ...] = ()
        if self.source.household is not None:
            parts = tuple(dict.fromkeys(_parts_of_homes(roots)))
        if not parts:
            return self.joined(rows, {0: row}, (*roots, *kept))
        # The other figures of the household come along, or its members would be aggregated twice.
        others = (*_figures_in(roots, dict.fromkeys(parts)), *kept)
        parts = (*parts, *dict.fromkeys(part for part in others if not part.free and part not in parts))
        homes = self.homes(parts)
        rows = rows.outerjoin(homes, homes.c.household_id == row.household_id)
        ready = {part: homes.c[f"part_{position}"] for position, part in enumerate(parts)}
        return self.joined(rows, {0: row}, (*roots, *kept), ready=ready)

    def homes(self, parts: Sequence[Node]) -> CTE:
        """What asks about the household alone and is long, worked out once for all its members."""
        household = self.source.household
        assert household is not None
        home = Row(household.c.id, household.c.id, {})
        rows, reading = self.joined(household, {_HOME: home}, parts)
        columns = [reading.of(part).label(f"part_{position}") for position, part in enumerate(parts)]
        statement = select(home.household_id.label("household_id"), *columns).select_from(rows)
        if self.where is not None:
            statement = statement.where(self.where(home.household_id))
        # Without the barrier a planner copies the long expressions to each of their uses.
        return statement.offset(0).cte("homes")

    def joined(
        self,
        rows: FromClause,
        levels: Mapping[int, Row],
        roots: Sequence[Node],
        *,
        ready: Mapping[Node, ColumnElement[Any]] | None = None,
    ) -> tuple[FromClause, Expressions]:
        """`rows` joined to whatever the expressions need, except what is ready, and their reading on it."""
        values: dict[Node, ColumnElement[Any]] = dict(ready or {})
        groups: dict[int | None, list[Aggregate]] = {}
        for aggregate in dict.fromkeys(_figures_in(roots, ready or {})):
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
        if _HOME not in levels and any(_asks_household(root, ready or {}) for root in roots):
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


def _parts_of_homes(roots: Iterable[Node]) -> Iterator[Node]:
    """The largest parts that ask about nobody in particular and are long enough to be worth a join."""
    waiting = list(reversed(list(roots)))
    while waiting:
        node = waiting.pop()
        if not node.free and node.type.kind != "quotient" and node.size >= _LONG:
            if not isinstance(node, Aggregate):
                yield node
        else:
            waiting.extend(node.parts)


def _figures_in(roots: Iterable[Node], ready: Mapping[Node, object]) -> Iterator[Aggregate]:
    """The figures that these expressions ask for themselves, not those within another figure."""
    waiting = list(reversed(list(roots)))
    while waiting:
        node = waiting.pop()
        if node in ready:
            continue
        if isinstance(node, Aggregate):
            yield node
        else:
            waiting.extend(node.parts)


def _asks_household(node: Node, ready: Mapping[Node, object]) -> bool:
    if isinstance(node, Aggregate) or node in ready:
        return False
    if isinstance(node, meaning.Stored):
        return node.level < 0
    return any(_asks_household(part, ready) for part in node.parts)
