"""What a rule means: the typed tree that both evaluators read.

Names are resolved, parameters and derived facts put in place, scales aligned, so that a number is always a whole
number and neither evaluator has anything left to decide. Trees that mean the same are equal, whatever their text:
equal aggregates are computed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Literal, TypeAlias

from eligibility.rules.catalogue import Fact

Kind: TypeAlias = Literal["bool", "number", "text", "date", "quotient"]


@dataclass(frozen=True, slots=True)
class Type:
    """A number is `value / 10**scale` and lies between `low` and `high` (whole numbers, before the scale).

    `whole` numbers divide by truncation, as in CEL; other numbers divide exactly, into a quotient.
    """

    kind: Kind
    scale: int = 0
    low: int = 0
    high: int = 0
    whole: bool = False
    money: bool = False


BOOL, TEXT, DATE = Type("bool"), Type("text"), Type("date")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """`text` is what the author wrote; `size` counts the tree as written out in SQL.

    `nesting` is what the deepest place costs an SQL parser: SQLite's gives up when a hundred tokens wait for their end.

    `free` are the rows asked about: 0 the person assessed, 1 and up the members of the macros around.
    """

    type: Type
    text: str = field(compare=False, repr=False)
    size: int = field(init=False, compare=False, repr=False, default=1)
    nesting: int = field(init=False, compare=False, repr=False, default=1)
    free: frozenset[int] = field(init=False, compare=False, repr=False, default=frozenset())

    def __post_init__(self) -> None:
        parts = self.parts
        if parts:
            object.__setattr__(self, "size", 1 + self._size(parts))
            object.__setattr__(self, "nesting", self._nesting(parts))
        object.__setattr__(self, "free", self._free(parts))

    def _free(self, parts: tuple[Node, ...]) -> frozenset[int]:
        return frozenset().union(*(part.free for part in parts))

    def _size(self, parts: tuple[Node, ...]) -> int:
        return sum(part.size for part in parts)

    def _nesting(self, parts: tuple[Node, ...]) -> int:
        return 3 + max(part.nesting for part in parts)

    @property
    def parts(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return tuple(_nodes(self))


@dataclass(frozen=True, slots=True)
class Constant(_Typed):
    """A literal or a parameter; a number is already scaled."""

    value: int | str | bool | date


@dataclass(frozen=True, slots=True)
class AsOf(_Typed):
    """The day asked about."""


@dataclass(frozen=True, slots=True)
class Stored(_Typed):
    """A fact on record. `level` says whose: 0 the person assessed, 1 and 2 a macro's member, -1 the household.

    `bounded`: a value outside the fact's bounds is not known, because arithmetic follows.
    """

    fact: Fact
    level: int
    bounded: bool = False

    def _free(self, parts: tuple[Node, ...]) -> frozenset[int]:
        return frozenset({self.level}) if self.level >= 0 else frozenset()


@dataclass(frozen=True, slots=True)
class Age(_Typed):
    """Completed years on the day asked about; below zero for somebody born later."""

    level: int

    def _free(self, parts: tuple[Node, ...]) -> frozenset[int]:
        return frozenset({self.level})


@dataclass(frozen=True, slots=True)
class Not(_Typed):
    """Not known while the item is not known."""

    item: Node


@dataclass(frozen=True, slots=True)
class AllOf(_Typed):
    """False if any is false; else not known if any is not known."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf(_Typed):
    """True if any is true; else not known if any is not known."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class IfElse(_Typed):
    """Not known while the condition is not known, even if both values are the same."""

    condition: Node
    yes: Node
    no: Node

    def _size(self, parts: tuple[Node, ...]) -> int:
        return 2 * self.condition.size + self.yes.size + self.no.size

    def _nesting(self, parts: tuple[Node, ...]) -> int:
        # A chain of bands, a ? x : b ? y : z, is one flat CASE.
        further = self.no.nesting if isinstance(self.no, IfElse) else self.no.nesting + 8
        return max(self.condition.nesting + 8, self.yes.nesting + 8, further)


@dataclass(frozen=True, slots=True)
class Compare(_Typed):
    """Both sides of one kind; numbers and quotients of one scale."""

    operator: Literal["==", "!=", "<", "<=", ">", ">="]
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Among(_Typed):
    """Whether the item equals one of the values, which is not empty."""

    item: Node
    values: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Known(_Typed):
    """has(item): the only test that is itself always known."""

    item: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(_Typed):
    """On whole numbers; / and % truncate towards zero, and by zero are not known."""

    operator: Literal["+", "-", "*", "/", "%"]
    left: Node
    right: Node

    @property
    def adds(self) -> bool:
        """Whether it is a link of a chain of + and -, which is flat however long."""
        return self.operator in ("+", "-")

    def _nesting(self, parts: tuple[Node, ...]) -> int:
        chained = self.adds and isinstance(self.left, Arithmetic) and self.left.adds
        return max(self.left.nesting + (0 if chained else 4), self.right.nesting + 7)


@dataclass(frozen=True, slots=True)
class Quotient(_Typed):
    """An exact division that has not been carried out: it can be compared or rounded. By zero it is not known."""

    dividend: Node
    divisor: Node

    def _size(self, parts: tuple[Node, ...]) -> int:
        return 4 * sum(part.size for part in parts)

    def _nesting(self, parts: tuple[Node, ...]) -> int:
        return 9 + max(part.nesting for part in parts)


@dataclass(frozen=True, slots=True)
class Rounded(_Typed):
    """dividend / divisor as a whole number of `step`s, by a named rounding."""

    dividend: Node
    divisor: Node
    rounding: str
    step: int

    def _size(self, parts: tuple[Node, ...]) -> int:
        return 6 * sum(part.size for part in parts)

    def _nesting(self, parts: tuple[Node, ...]) -> int:
        return 16 + max(part.nesting for part in parts)


@dataclass(frozen=True, slots=True)
class LookUp(_Typed):
    """The value that a table has for a code; a code that is not in the table has no known value."""

    key: Node
    rows: tuple[tuple[Constant, Constant], ...]

    def _nesting(self, parts: tuple[Node, ...]) -> int:
        return 8 + self.key.nesting


Function: TypeAlias = Literal["exists", "all", "count", "count_known", "sum", "sum_known", "min", "max"]


@dataclass(frozen=True, slots=True)
class Aggregate(_Typed):
    """A figure about the members of the household for whom `condition` holds; in it, each member is at `level`."""

    function: Function
    level: int
    condition: Node | None
    value: Node | None

    def _nesting(self, parts: tuple[Node, ...]) -> int:
        # It has a SELECT of its own, in which it stands a little deeper.
        return 12 + max(part.nesting for part in parts)

    def _free(self, parts: tuple[Node, ...]) -> frozenset[int]:
        return frozenset(level for part in parts for level in part.free if level < self.level)


Node: TypeAlias = (
    Constant
    | AsOf
    | Stored
    | Age
    | Not
    | AllOf
    | AnyOf
    | IfElse
    | Compare
    | Among
    | Known
    | Arithmetic
    | Quotient
    | Rounded
    | LookUp
    | Aggregate
)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(_nodes(current))


def _nodes(node: object) -> Iterator[Node]:
    for column in fields(node):  # type: ignore[arg-type]
        value = getattr(node, column.name)
        if isinstance(value, _Typed):
            yield value  # type: ignore[misc]
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, _Typed))  # type: ignore[misc]
