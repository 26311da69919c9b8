"""The built-in user of the command line: made when first needed, audited like any other, nobody's second pair of eyes.

Whoever may run commands on the server already holds the database and its keys; that he acts as `console` keeps this
visible. A ministry that wants a name behind every command switches it off (MIS_CONSOLE_USER_ENABLED=false).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from mis import acting, settings
from mis.accounts.models import RoleAssignment, User
from mis.accounts.roles import CONSOLE
from mis.acting import SYSTEM
from mis.db import db
from mis.errors import Forbidden, Missing

USERNAME = "console"


def user() -> User:
    """The console user. Raises Forbidden where the settings switch it off."""
    if not settings.current().console_user_enabled:
        raise Forbidden("The console user is switched off here.", instead="Name who acts: --as USER.")
    return _find(USERNAME) or _make()


def is_made() -> bool:
    """Whether the console user is there already: the first command of all makes it."""
    return _find(USERNAME) is not None


def named(username: str) -> User:
    """The user who is named as acting. Raises Missing or Forbidden."""
    if username == USERNAME:
        return user()
    found = existing(username)
    if not found.active:
        raise Forbidden(f"The user “{username}” is switched off.")
    return found


def existing(username: str) -> User:
    """The user with this user name, whether switched on or off. Raises Missing."""
    found = _find(username.strip().casefold())
    if found is None:
        raise Missing(f"There is no user “{username}”.", instead="See: mis user list")
    return found


def _find(username: str) -> User | None:
    return db.session.scalar(sa.select(User).where(User.username == username))


def _make() -> User:
    try:
        # Two first commands at one moment both come here; the one that is second takes what the first has made.
        with db.session.begin_nested(), acting.acting(SYSTEM):
            made = User(username=USERNAME, name="Command line", active=True, must_change_password=False)
            db.session.add(made)
            db.session.flush()
            db.session.add(RoleAssignment(user_id=made.id, role=CONSOLE, area_id=None, expires_on=None))
            db.session.flush()
            return made
    except IntegrityError:
        found = _find(USERNAME)
        assert found is not None
        return found
