"""Every request is one unit of work, done by one person under one permission.

The wrapped dispatch opens the transaction (read-only for GET), finds out who acts, checks the permission that the
endpoint declares, narrows the session to the areas in which it is held, and lets the view do its work. A view that
returns is committed; a view that raises is rolled back, and the problem page is rendered in a unit of its own.
"""

from __future__ import annotations

from flask import Flask, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from mis import access, acting
from mis.accounts import roles, sessions
from mis.acting import NOBODY, Actor
from mis.calendar import today
from mis.db import db
from mis.errors import Forbidden

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Application(Flask):
    """A Flask application whose requests are units of work."""

    def dispatch_request(self) -> ResponseReturnValue:
        """Do the request in one transaction, as the one who is signed in."""
        if request.routing_exception is not None or request.endpoint == "static":
            return super().dispatch_request()
        permission = permission_of(self, request.endpoint)
        with db.unit_of_work(read_only=request.method in READING):
            actor = g.actor = acting_user()
            with acting.acting(actor):
                if permission is not None and (answer := sessions.demand()) is not None:
                    return answer
                if permission is None:
                    return super().dispatch_request()
                if permission == "signed-in":
                    # Being signed in shows no record with a place; what the page asks for names its permission.
                    with access.seeing(frozenset()):
                        return super().dispatch_request()
                with access.within(permission):
                    return super().dispatch_request()


def permission_of(app: Flask, endpoint: str | None) -> str | None:
    """The permission that an endpoint declares; None if it is public. An undeclared one is refused."""
    view = app.view_functions[endpoint or ""]
    if not hasattr(view, "mis_permission"):
        raise Forbidden("This page declares no permission, so nobody may open it.")
    permission: str | None = view.mis_permission
    return permission


def acting_user() -> Actor:
    """The actor of the signed-in user, with the roles of this day; nobody if nobody is signed in."""
    if not current_user.is_authenticated:
        return NOBODY
    return roles.actor_of(current_user._get_current_object(), today(), via="web")


def check_declarations(app: Flask) -> None:
    """Refuse to start while an endpoint declares no permission."""
    undeclared = [
        name
        for name, view in app.view_functions.items()
        if name != "static" and not hasattr(view, "mis_permission")
    ]
    assert not undeclared, f"These endpoints declare no permission: {', '.join(sorted(undeclared))}"
