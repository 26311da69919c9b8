"""Signing in, in one step or two, and out."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from mis import audit
from mis.access import public, signed_in
from mis.accounts import sessions, signing_in
from mis.accounts import users as accounts
from mis.accounts.forms import CodeForm, SignInForm
from mis.accounts.models import User
from mis.accounts.views.blueprint import blueprint
from mis.calendar import now
from mis.db import db
from mis.web import safe_next

# Between the password and the code: long enough to find the telephone.
HALF_WAY_SECONDS = 300
HALF_WAY = "half_way"


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """Name and password; whoever has a second factor is asked for it next."""
    if request.method == "GET" and current_user.is_authenticated and sessions.session_fresh():
        return redirect(url_for("web.home"))
    form = SignInForm(data={"next": request.args.get("next")})
    if form.validate_on_submit():
        answer = signing_in.check_password(
            form.username.data or "", form.password.data or "", at=now(), address=request.remote_addr
        )
        if isinstance(answer, User):
            return _signed_in_or_half_way(answer, form.next.data)
        form.refuse(answer)
    return form.page("accounts/sign_in.html")


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@public
def second_step() -> ResponseReturnValue:
    """The code of the second factor, of whoever has just shown a password."""
    half_way, form = _half_way(), CodeForm()
    if half_way is None:
        flash(_("Sign in again: the password and the code belong together."), "info")
        return redirect(url_for("accounts.sign_in"), 303)
    user, destination = half_way
    if form.validate_on_submit():
        refusal = signing_in.check_second_factor(
            user, form.code.data or "", at=now(), address=request.remote_addr
        )
        if refusal is None:
            return _signed_in(user, destination)
        form.refuse(refusal)
    return form.page("accounts/second_step.html")


@blueprint.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    """End the sessions of this user, everywhere: a copy of the cookie is worth nothing from now on."""
    audit.record("signed out", subject_type=User.__tablename__, subject_id=current_user.id)
    accounts.end_sessions(current_user.id)
    sessions.end()
    flash(_("You are signed out."), "success")
    return redirect(url_for("accounts.sign_in"), 303)


def _signed_in_or_half_way(user: User, destination: str | None) -> ResponseReturnValue:
    if user.totp_confirmed_at is None:
        return _signed_in(user, destination)
    session.clear()
    session[HALF_WAY] = {
        "user": user.get_id(),
        "at": int(now().timestamp()),
        "next": safe_next.local(destination),
    }
    return redirect(url_for("accounts.second_step"), 303)


def _signed_in(user: User, destination: str | None) -> ResponseReturnValue:
    signing_in.succeeded(user, at=now(), address=request.remote_addr)
    db.session.flush()
    sessions.start(user)
    return redirect(safe_next.local(destination) or url_for("web.home"), 303)


def _half_way() -> tuple[User, str | None] | None:
    """Who has shown the password a moment ago, and where they wanted to go."""
    kept: dict[str, Any] = session.get(HALF_WAY) or {}
    if not kept or int(now().timestamp()) - kept["at"] > HALF_WAY_SECONDS:
        return None
    number, _dot, nonce = kept["user"].partition(".")
    user = db.session.scalar(
        sa.select(User).where(
            User.id == int(number), User.nonce == nonce, User.active, User.totp_sealed.is_not(None)
        )
    )
    return (user, kept["next"]) if user else None
