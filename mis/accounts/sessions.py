"""The signed-in session: how long it lives, and what it must do before anything else.

The cookie holds the number of the user with a nonce, and when it was last used. It ends after some idle minutes, with
the nonce (a new password, a sign-out, an account switched off end every session of the user), and after a working day
in any case. Typed input is kept by the browser, so that signing in again loses nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from flask import flash, g, jsonify, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user

from mis import acting, settings
from mis.accounts.models import User
from mis.calendar import now
from mis.db import db
from mis.web import safe_next

LONGEST_SECONDS = 12 * 3600
# The cookie is not written anew at every click; a minute more or less does not matter.
TOUCH_SECONDS = 60

SEEN, STARTED = "seen", "started"

# What a user may open before the new password or the second factor that is asked of him or her.
ALWAYS_OPEN = frozenset({"accounts.sign_out", "accounts.password", "accounts.enrol_second_factor"})


def load_user(session_id: str) -> User | None:
    """The user of a session cookie, if it still counts; told apart from the session, so that no roll-back blanks it."""
    number, _dot, nonce = session_id.partition(".")
    if not number.isdecimal() or len(number) > 18:
        return None
    if g.get("broken"):
        return None  # The page about a broken system does not ask the database again.
    if not db.is_open:
        with db.unit_of_work(read_only=True):
            return _load(int(number), nonce)
    return _load(int(number), nonce)


def _load(user_id: int, nonce: str) -> User | None:
    user = db.session.scalar(
        sa.select(User)
        .where(User.id == user_id, User.nonce == nonce, User.active)
        .execution_options(populate_existing=True)
    )
    if user is not None:
        db.session.expunge(user)
    return user


def start(user: User) -> None:
    """Begin the session of a user who has shown who he or she is; nothing of an earlier one is left."""
    session.clear()
    login_user(user)
    session[STARTED] = session[SEEN] = int(now().timestamp())


def end() -> None:
    """Forget the session of this browser."""
    logout_user()
    session.clear()


def session_fresh() -> bool:
    """Whether the session was used a short while ago; if so, it lives on from now."""
    at = int(now().timestamp())
    seen, started = session.get(SEEN), session.get(STARTED)
    if not isinstance(seen, int) or not isinstance(started, int):
        return False
    if at - seen > settings.current().session_minutes * 60 or at - started > LONGEST_SECONDS:
        return False
    if at - seen >= TOUCH_SECONDS:
        session[SEEN] = at
    return True


def demand() -> ResponseReturnValue | None:
    """What must come before this page: signing in, a password of one's own, the second factor; None if nothing."""
    if not current_user.is_authenticated:
        return _to_sign_in()
    if not session_fresh():
        end()
        flash(
            _(
                "You were away for a while, so you are signed out. What you had typed is kept in this browser."
            ),
            "info",
        )
        return _to_sign_in()
    if request.endpoint in ALWAYS_OPEN:
        return None
    if current_user.must_change_password:
        flash(_("Choose a password of your own before you go on."), "info")
        return _go("accounts.password")
    if current_user.totp_confirmed_at is None and second_factor_demanded():
        flash(_("Your role needs a second factor at sign-in. Set it up before you go on."), "info")
        return _go("accounts.enrol_second_factor")
    return None


def second_factor_demanded() -> bool:
    """Whether the one who acts holds a permission that is too much for a password alone; in production only."""
    chosen = settings.current()
    return chosen.production and any(
        grant.covers(permission)
        for permission in chosen.second_factor_required_for
        for grant in acting.current().grants
    )


def _to_sign_in() -> ResponseReturnValue:
    if request.accept_mimetypes.best == "application/json":
        return jsonify(error=_("Sign in first.")), 401
    return _go("accounts.sign_in", next=safe_next.local(_page_of_request()))


def _go(endpoint: str, **values: str | None) -> ResponseReturnValue:
    """Redirect; a part of a page that htmx asked for makes the whole page go."""
    address = url_for(endpoint, **values)  # type: ignore[arg-type]
    if request.headers.get("HX-Request"):
        return "", 204, {"HX-Redirect": address}
    return redirect(address, 303)


def _page_of_request() -> str | None:
    """The page to come back to: this one, or the page of the form that was sent here."""
    if request.method in ("GET", "HEAD") and not request.headers.get("HX-Request"):
        return request.full_path if request.query_string else request.path
    return safe_next.of_referrer(request.referrer, host=request.host)
