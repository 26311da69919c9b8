"""Who acts: one person, through one door, with the grants of this hour.

The shell (request, command, job) says who acts; access, audit and states read it here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Grant:
    """Permissions (patterns such as `registry:*:read`) in an area and below; no area means the whole country."""

    permissions: tuple[str, ...]
    area_id: int | None

    def covers(self, permission: str) -> bool:
        """Whether this grant gives the permission, wherever it holds."""
        return any(fnmatchcase(permission, pattern) for pattern in self.permissions)


@dataclass(frozen=True)
class Actor:
    """A user at work. `person` is the human being behind the account: four eyes are counted by person."""

    user_id: int | None
    name: str
    person: str
    via: str
    grants: tuple[Grant, ...] = ()
    reason: str | None = None


def person_of(user_id: int | None, staff_number: str | None) -> str:
    """The human being behind an account: the staff number, or the account itself where there is none."""
    return f"staff:{staff_number}" if staff_number else f"user:{user_id}"


NOBODY = Actor(user_id=None, name="nobody", person="nobody", via="system")
SYSTEM = Actor(user_id=None, name="system", person="system", via="system", grants=(Grant(("*",), None),))

_actor: ContextVar[Actor] = ContextVar("actor", default=NOBODY)


def current() -> Actor:
    """Who acts now; nobody, before anybody signed in."""
    return _actor.get()


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """Let `actor` act within the block."""
    token = _actor.set(actor)
    try:
        yield actor
    finally:
        _actor.reset(token)


@contextmanager
def because(reason: str | None) -> Iterator[None]:
    """Give the audit trail the reason for what is done within the block."""
    with acting(replace(current(), reason=reason)):
        yield
