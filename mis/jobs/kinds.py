"""The kinds of work there are: each one plans its ranges, works a range, and finishes.

A package writes its kind as a class and registers it by name; the payload holds numbers and texts only, for
it is kept as JSON and may be read by another process, another day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa

from mis.db import db
from mis.jobs import bell

Payload = dict[str, Any]
Counters = dict[str, Any]


@dataclass(frozen=True)
class Chunk:
    """The range low … high, both included, of a job."""

    job_id: int
    no: int
    low: int
    high: int


class Kind:
    """How one kind of work is done. Its methods run as the person who asked, with the areas he or she sees.

    `label` is what people call it on the page of jobs. A `serial` kind has its chunks worked strictly in
    order, one at a time (it streams a file); any other may have several workers at once.
    """

    label: ClassVar[str] = ""
    serial: ClassVar[bool] = False

    def plan(self, payload: Payload) -> Iterable[tuple[int, int]]:
        """The ranges to work: looked up once, in a reading unit of work, and stored; none means (0, 0)."""
        return [(0, 0)]

    def work(self, payload: Payload, chunk: Chunk) -> Counters | None:
        """Work one range in the open unit of work, which also marks it done: both happen, or neither.

        Returns counters for the progress; `rows` among them counts the rows worked.
        """
        raise NotImplementedError

    def finish(self, payload: Payload, results: list[Counters]) -> Counters | None:
        """Close the job in the open unit of work, once, when all chunks are done. Returns its result."""
        return total(results)


_kinds: dict[str, Kind] = {}
K = TypeVar("K", bound=type[Kind])


def kind(name: str) -> Callable[[K], K]:
    """Register a kind under its name, `package:verb`."""

    def register(made: K) -> K:
        assert name not in _kinds or type(_kinds[name]).__qualname__ == made.__qualname__, (
            f"{name} exists twice"
        )
        _kinds[name] = made()
        return made

    return register


def kind_named(name: str) -> Kind:
    """The kind of that name; a name that nobody registered is a mistake of ours."""
    assert name in _kinds, f"No job kind is called {name}; known are {', '.join(sorted(_kinds)) or 'none'}."
    return _kinds[name]


def label_of(name: str) -> str:
    """What people call a kind; one that an earlier release had keeps its bare name."""
    known = _kinds.get(name)
    return str(known.label or name) if known else name


def total(results: Iterable[Counters]) -> Counters:
    """The sums of the whole-number counters."""
    sums: Counters = {}
    for result in results:
        for name, value in result.items():
            if isinstance(value, int) and not isinstance(value, bool):
                sums[name] = sums.get(name, 0) + value
    return sums


def cut(numbers: sa.Select[int], *, rows: int | None = None) -> Iterator[tuple[int, int]]:
    """Cut the numbers a query yields (distinct row ids) into ranges of so many rows, by the database.

    Ranges are cut by rows and not by distance, so gaps in the numbers make no chunk smaller than another.
    """
    per_chunk = rows or bell.settings().chunk_rows
    found = numbers.order_by(None).subquery()
    number = found.c[0]
    block = ((sa.func.row_number().over(order_by=number) - 1) // per_chunk).label("block")
    ranked = sa.select(number.label("number"), block).subquery()
    query = sa.select(sa.func.min(ranked.c.number), sa.func.max(ranked.c.number)).group_by(ranked.c.block)
    yield from db.session.execute(query.order_by(ranked.c.block))


def spans(low: int, high: int, *, rows: int | None = None) -> Iterator[tuple[int, int]]:
    """Cut low … high, both included, into ranges of so many numbers (lines of a file); none if low > high."""
    per_chunk = rows or bell.settings().chunk_rows
    for start in range(low, high + 1, per_chunk):
        yield start, min(start + per_chunk - 1, high)
