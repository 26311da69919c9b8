"""The desk of a user: what waits, what the figures are, what can be found. Each room lays its own papers on it.

The shell knows no room. A room registers what it can answer, together with the permission that it takes; the desk asks
those whose permission the user holds, under that permission, so that figures and hits stop at the areas of the user.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from mis import access, acting
from mis.web.charts import Chart


@dataclass(frozen=True)
class Waiting:
    """Work that waits for a decision of this user."""

    title: Any
    url: str
    count: int | None = None
    hint: Any = None
    due: date | None = None
    overdue: bool = False


@dataclass(frozen=True)
class Figure:
    """One figure of the dashboard, with the list behind it."""

    label: Any
    value: str
    url: str | None = None
    icon: str | None = None
    note: Any = None


@dataclass(frozen=True)
class Hit:
    """Something that the search box found."""

    title: str
    url: str
    hint: Any = None
    status: str | None = None


@dataclass(frozen=True)
class Found:
    """The hits of one kind, and where all of them are listed."""

    label: Any
    hits: list[Hit]
    more_url: str | None = None


@dataclass
class _Papers:
    waiting: list[tuple[str, Callable[[], Iterable[Waiting]]]] = field(default_factory=list)
    figures: list[tuple[str, Callable[[], Iterable[Figure]]]] = field(default_factory=list)
    charts: list[tuple[str, Callable[[], Iterable[Chart]]]] = field(default_factory=list)
    finders: list[tuple[str, Callable[[str], Found]]] = field(default_factory=list)


_papers = _Papers()


def lay_waiting(permission: str, answer: Callable[[], Iterable[Waiting]]) -> None:
    """Register work that waits for those who hold the permission."""
    _papers.waiting.append((permission, answer))


def lay_figures(permission: str, answer: Callable[[], Iterable[Figure]]) -> None:
    """Register figures for the dashboards of those who hold the permission."""
    _papers.figures.append((permission, answer))


def lay_charts(permission: str, answer: Callable[[], Iterable[Chart]]) -> None:
    """Register charts for the dashboards of those who hold the permission."""
    _papers.charts.append((permission, answer))


def lay_finder(permission: str, answer: Callable[[str], Found]) -> None:
    """Register an answer to the search box for those who hold the permission."""
    _papers.finders.append((permission, answer))


def waiting() -> list[Waiting]:
    """All that waits for the one who acts, the overdue first."""
    found = _ask(_papers.waiting)
    return sorted(found, key=lambda item: (not item.overdue, item.due or date.max))


def waiting_count() -> int:
    """How many things wait."""
    return sum(1 if item.count is None else item.count for item in waiting())


def figures() -> list[Figure]:
    """The figures of the one who acts."""
    return _ask(_papers.figures)


def charts() -> list[Chart]:
    """The charts of the one who acts."""
    return _ask(_papers.charts)


def find(query: str) -> list[Found]:
    """What the search box finds, kind by kind."""
    return _ask([(permission, partial(_found, finder, query)) for permission, finder in _papers.finders])


def _found(finder: Callable[[str], Found], query: str) -> list[Found]:
    return [finder(query)]


def _ask(papers: list[tuple[str, Callable[[], Iterable[Any]]]]) -> list[Any]:
    answers: list[Any] = []
    for permission, answer in _own_first(papers):
        if access.may(permission):
            with access.within(permission):
                answers += answer()
    return answers


def _own_first(papers: list[tuple[str, Callable[..., Any]]]) -> list[tuple[str, Callable[..., Any]]]:
    """The papers of the rooms in which this user does most, and not only reads, lie on top."""
    held = {permission for grant in acting.current().grants for permission in grant.permissions}
    acts = Counter(permission.split(":")[0] for permission in held if not permission.endswith(":read"))
    return sorted(papers, key=lambda paper: -acts[paper[0].split(":")[0]])
