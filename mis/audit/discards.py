"""What set-based writes have discarded: entries written before need not find their rows any more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Where = dict[str, Any]


class Discards:
    """The `where` of each discarding entry, found by its equalities; ranges are compared one by one."""

    def __init__(self) -> None:
        self._shapes: dict[str, set[tuple[str, ...]]] = {}
        self._ranges: dict[tuple[str, tuple[tuple[str, Any], ...]], list[Where]] = {}

    def add(self, table: str, where: Where) -> None:
        """Remember that all rows of the table that meet `where` were discarded."""
        ranges = {name: value for name, value in where.items() if isinstance(value, list)}
        names = tuple(sorted(where.keys() - ranges.keys()))
        self._shapes.setdefault(table, set()).add(names)
        self._ranges.setdefault((table, _values(names, where)), []).append(ranges)

    def cover(self, table: str, where: Where) -> bool:
        """Whether every row that meets `where` is among the discarded ones."""
        for names in self._shapes.get(table, ()):
            if any(isinstance(where.get(name), list | dict) for name in names):
                continue
            wider = self._ranges.get((table, _values(names, where)), ())
            if any(all(_inside(where.get(name), ends) for name, ends in ranges.items()) for ranges in wider):
                return True
        return False


def _values(names: Iterable[str], where: Where) -> tuple[tuple[str, Any], ...]:
    return tuple((name, where.get(name)) for name in names)


def _inside(value: Any, ends: list[Any]) -> bool:
    if value is None:
        return False
    low, high = value if isinstance(value, list) else (value, value)
    return bool(ends[0] <= low and high <= ends[1])
