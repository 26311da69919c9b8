"""What other rooms add to the page of a person or household: the registry knows none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from mis import access
from registry.models import Household, Person

_panels: dict[type, list[tuple[str, Callable[[Any], Markup | str | None]]]] = {Person: [], Household: []}


def add_panel(permission: str, render: Callable[[Person], Markup | str | None]) -> None:
    """Add a section to every person's page, for those who hold the permission; None shows nothing."""
    _panels[Person].append((permission, render))


def add_household_panel(permission: str, render: Callable[[Household], Markup | str | None]) -> None:
    """Add a section to every household's page, as `add_panel` does for persons."""
    _panels[Household].append((permission, render))


def shown(record: Person | Household) -> list[Markup]:
    """The sections that the one who acts may see, in the order in which they were added."""
    made: list[Markup] = []
    for permission, render in _panels[type(record)]:
        if access.may(permission):
            with access.within(permission):
                content = render(record)
            if content:
                made.append(Markup(content))  # noqa: S704 - rendered by the templates of a room
    return made
