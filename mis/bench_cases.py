"""The cases of each room, with the plain SQL that each is held against."""

from __future__ import annotations

from collections.abc import Callable

from mis.bench import Result

CASES: dict[str, Callable[[int], list[Result]]] = {}
