"""Accounts: made, switched off and on again, their passwords set anew by an administrator or changed by the user.

An account is never deleted: the audit trail names it for ever. Whatever ends trust in an account (a new password, being
switched off) renews its nonce, and with it ends every session that is open.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from uuid import uuid4

import sqlalchemy as sa

from mis import acting, audit
from mis.accounts import passwords, roles, second_factor
from mis.accounts.console import USERNAME as CONSOLE_USERNAME
from mis.accounts.models import User
from mis.accounts.signing_in import forget_failures, normal_username
from mis.db import db
from mis.errors import Conflict, Forbidden, Invalid, Missing

MANAGING = "accounts:user:manage"


def get(user_id: int) -> User:
    """The user with this number."""
    found = db.session.get(User, user_id)
    if found is None:
        raise Missing("There is no such user.")
    return found


def create(
    username: str,
    *,
    name: str,
    at: datetime,
    email: str | None = None,
    staff_number: str | None = None,
    password: str | None = None,
) -> tuple[User, str]:
    """Make an account without any role. Returns it with its first password, to be changed at the first sign-in."""
    username = _checked_username(username)
    if not name.strip():
        raise Invalid("Give the name of the person.", field="name")
    if db.session.scalar(sa.select(User.id).where(User.username == username)) is not None:
        raise Conflict(f"The user name “{username}” is taken.", field="username")
    user = User(
        username=username,
        name=" ".join(name.split()),
        email=_checked_email(email),
        staff_number=(staff_number or "").strip() or None,
    )
    db.session.add(user)
    first = password or passwords.temporary()
    if password:
        passwords.check(password, username=username, name=name)
    _set_password(user, first, at=at, temporary=True)
    db.session.flush()
    return user, first


def edit(user: User, *, name: str, email: str | None, staff_number: str | None, day: date) -> None:
    """Correct what is known of the person. A new staff number must not bring incompatible roles into one hand."""
    if not name.strip():
        raise Invalid("Give the name of the person.", field="name")
    roles.refuse_wider_hands(user, MANAGING)
    number = (staff_number or "").strip() or None
    if number != user.staff_number:
        _refuse_own(user, "changes his or her own staff number")
    user.name, user.email = " ".join(name.split()), _checked_email(email)
    user.staff_number = number
    db.session.flush()
    for held in roles.held_by(user, day):
        roles.refuse_incompatible(user, held.role, day=day)


def reset_password(user: User, *, at: datetime) -> str:
    """A temporary password for somebody who has lost the old one; to be changed at the next sign-in."""
    _refuse_own(user, "resets his or her own password here")
    roles.refuse_wider_hands(user, MANAGING)
    _refuse_console(user)
    if not user.active:
        raise Conflict(f"{user.name} is switched off.", instead="Switch the account on first.")
    password = passwords.temporary()
    _set_password(user, password, at=at, temporary=True)
    db.session.flush()
    audit.record("password reset", user)
    return password


def change_password(user: User, *, current: str, new: str, at: datetime) -> None:
    """Take the password that the user has chosen, who shows that he or she knows the present one."""
    if not passwords.matches(user.password_hash, current):
        raise Invalid("This is not your present password.", field="current")
    if passwords.matches(user.password_hash, new):
        raise Invalid("This is the password you have already. Choose another one.", field="new")
    passwords.check(new, username=user.username, name=user.name, field="new")
    _set_password(user, new, at=at, temporary=False)
    db.session.flush()
    audit.record("password changed", user)


def switch_off(user: User, *, day: date) -> None:
    """End an account: its sessions end now, and it cannot sign in. The last system administrator stays."""
    _refuse_own(user, "switches off his or her own account")
    roles.refuse_wider_hands(user, MANAGING)
    _refuse_console(user)
    roles.refuse_without_administrator(user, day=day)
    user.active, user.nonce = False, uuid4().hex
    db.session.flush()


def switch_on(user: User) -> None:
    """Let an account sign in again, with the roles it held."""
    _refuse_own(user, "switches on his or her own account")
    roles.refuse_wider_hands(user, MANAGING)
    user.active = True
    db.session.flush()


def remove_second_factor(user: User) -> None:
    """Take away the second factor of somebody who has lost the telephone; every open session ends."""
    _refuse_own(user, "removes his or her own second factor here")
    roles.refuse_wider_hands(user, MANAGING)
    if user.totp_confirmed_at is None:
        raise Conflict(f"{user.name} has no second factor.")
    second_factor.remove(user)
    user.nonce = uuid4().hex
    db.session.flush()


def unlock(user: User) -> None:
    """Let somebody who has mistyped the password too often try again at once."""
    roles.refuse_wider_hands(user, MANAGING)
    forget_failures(user)
    audit.record("sign-in unlocked", user)


def end_sessions(user_id: int) -> None:
    """End every session of a user, in whatever browser."""
    with audit.unaudited("a nonce says nothing; the sign-out has its own entry"):
        db.session.execute(
            sa.update(User.__table__).where(User.id == user_id).values(nonce=uuid4().hex)  # type: ignore[arg-type]
        )


def _set_password(user: User, password: str, *, at: datetime, temporary: bool) -> None:
    user.password_hash, user.password_changed_at = passwords.hashed(password), at
    user.must_change_password, user.nonce = temporary, uuid4().hex


def _checked_username(username: str) -> str:
    username = normal_username(username)
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{1,63}", username):
        raise Invalid(
            "A user name has 2 to 64 letters a to z, digits, dots, dashes or underscores, such as a.mwangi.",
            field="username",
        )
    if username == CONSOLE_USERNAME:
        raise Invalid("This name belongs to the command line. Choose another one.", field="username")
    return username


def _checked_email(email: str | None) -> str | None:
    email = (email or "").strip()
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise Invalid(f"“{email}” is not an e-mail address.", field="email")
    return email or None


def _refuse_own(user: User, what: str) -> None:
    if user.person == acting.current().person:
        raise Forbidden(f"Nobody {what}.", instead="Ask another system administrator.")


def _refuse_console(user: User) -> None:
    if user.username == CONSOLE_USERNAME:
        raise Forbidden(
            "The user of the command line is not managed here.",
            instead="Switch it off by MIS_CONSOLE_USER_ENABLED.",
        )
