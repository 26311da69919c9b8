"""The own account: password, second factor, language, and which roles one holds."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from mis import access
from mis.access import signed_in
from mis.accounts import passwords, roles, second_factor, sessions, users
from mis.accounts.forms import CodeForm, LanguageForm, PasswordForm, PresentPasswordForm
from mis.accounts.models import User
from mis.accounts.views.areas import area_names
from mis.accounts.views.blueprint import blueprint
from mis.calendar import now, today
from mis.errors import Conflict, Invalid
from mis.web import i18n

OFFERED = "second_factor_offered"


def _me() -> User:
    return users.get(current_user.id)


@blueprint.get("/account")
@signed_in
def profile() -> ResponseReturnValue:
    """What the system knows of me."""
    return _profile(LanguageForm(data={"locale": current_user.locale or ""}))


def _profile(form: LanguageForm) -> ResponseReturnValue:
    held = roles.held_by(current_user, today())
    return form.page(
        "accounts/profile.html",
        user=current_user,
        held=held,
        labels=access.roles().by_code,
        areas=area_names(held),
        codes_left=second_factor.codes_left(current_user),
        demanded=sessions.second_factor_demanded(),
    )


@blueprint.post("/account/language")
@signed_in
def keep_language() -> ResponseReturnValue:
    """Keep my language, in whatever browser I sign in."""
    form = LanguageForm()
    if not form.validate_on_submit():
        return _profile(form)
    _me().locale = form.locale.data or None
    session.pop(i18n.SESSION_KEY, None)
    flash(_("Your language is kept."), "success")
    return redirect(url_for("accounts.profile"), 303)


@blueprint.route("/account/password", methods=["GET", "POST"])
@signed_in
def password() -> ResponseReturnValue:
    """Choose a new password."""
    form = PasswordForm()
    if form.validate_on_submit():
        with form.catching():
            me = _me()
            users.change_password(me, current=form.current.data or "", new=form.new.data or "", at=now())
            # The nonce is new: this session goes on, all others end.
            sessions.start(me)
            flash(
                _("Your password is changed. Other browsers in which you were signed in are signed out."),
                "success",
            )
            return redirect(url_for("accounts.profile"), 303)
    return form.page("accounts/password.html", must=current_user.must_change_password)


@blueprint.route("/account/second-factor", methods=["GET", "POST"])
@signed_in
def enrol_second_factor() -> ResponseReturnValue:
    """Scan the picture, type the first code, keep the recovery codes."""
    if current_user.totp_confirmed_at is not None:
        return redirect(url_for("accounts.profile"), 303)
    form, secret = CodeForm(), _offered_secret()
    if form.validate_on_submit():
        with form.catching():
            codes = second_factor.enrol(_me(), secret, form.code.data or "", at=now())
            session.pop(OFFERED, None)
            return render_template("accounts/recovery_codes.html", codes=codes)
    picture = second_factor.picture(current_user, secret)
    return form.page("accounts/second_factor.html", secret=secret, picture=picture)


@blueprint.route("/account/second-factor/remove", methods=["GET", "POST"])
@signed_in
def remove_second_factor() -> ResponseReturnValue:
    """Switch my second factor off, to set up another telephone."""
    form = PresentPasswordForm()
    if form.validate_on_submit():
        with form.catching():
            me = _me()
            if me.totp_confirmed_at is None:
                raise Conflict("You have no second factor.")
            if not passwords.matches(me.password_hash, form.current.data or ""):
                raise Invalid("This is not your present password.", field="current")
            second_factor.remove(me)
            flash(_("Your second factor is switched off."), "success")
            return redirect(url_for("accounts.profile"), 303)
    return form.page("accounts/remove_second_factor.html")


def _offered_secret() -> str:
    """The secret on the page; the same one while the page is shown again, or the scan would be in vain."""
    if OFFERED not in session or request.args.get("anew"):
        session[OFFERED] = second_factor.new_secret()
    return str(session[OFFERED])
