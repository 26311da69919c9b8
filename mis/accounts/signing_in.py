"""Signing in: name and password, counted in the database, with the same answer whatever was wrong.

Failures are counted by user name over a window that begins anew with each success; too many lock the name for as long
as the window lasts, whoever asks and from wherever. Names that do not exist are counted alike, under a code made of
them: somebody may have typed a password into the wrong field. Nothing here raises for a wrong password: the unit of
work must be committed, or the failure would not count.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from mis import acting, audit, sealed, settings
from mis.accounts import passwords, roles, second_factor
from mis.accounts.models import SignInAttempt, User
from mis.db import db
from mis.errors import Invalid


def check_password(username: str, password: str, *, at: datetime, address: str | None) -> User | Invalid:
    """The user with this name and password, or the refusal to show. The failure is written; it must be committed."""
    name = normal_username(username)
    user = db.session.scalar(sa.select(User).where(User.username == name))
    counted_as = _counted_as(name, user)
    _one_at_a_time(counted_as)
    if locked(counted_as, at):
        _tell("sign-in locked out", user, address)
        return _locked()
    # Verified before looking whether there is such a user who may sign in: every refusal takes as long.
    right = passwords.matches(user.password_hash if user else None, password)
    if user is None or not right or not user.active:
        return failed(user, counted_as, at=at, address=address)
    _renew_hash(user, password)
    return user


def check_second_factor(user: User, code: str, *, at: datetime, address: str | None) -> Invalid | None:
    """Check the code of the second step, a failure counting like a wrong password; None if it is right."""
    counted_as = user.username
    _one_at_a_time(counted_as)
    if locked(counted_as, at):
        _tell("sign-in locked out", user, address)
        return _locked()
    if second_factor.accept(user, code, at=at):
        return None
    failed(user, counted_as, at=at, address=address, why="second factor")
    return Invalid("This code is not right, or it was used before. Wait for the next one.", field="code")


def succeeded(user: User, *, at: datetime, address: str | None) -> None:
    """Write that the user has signed in; earlier failures no longer count."""
    db.session.add(SignInAttempt(username=user.username, at=at, succeeded=True, address=address))
    with audit.unaudited("the sign-in has an entry of its own"):
        db.session.execute(sa.update(User.__table__).where(User.id == user.id).values(last_signed_in_at=at))  # type: ignore[arg-type]
    with acting.acting(roles.actor_of(user, at.date())):
        audit.record("signed in", user, details={"address": address})


def failed(
    user: User | None, counted_as: str, *, at: datetime, address: str | None, why: str = "password"
) -> Invalid:
    """Write that a sign-in failed, and give the refusal to show."""
    db.session.add(SignInAttempt(username=counted_as, at=at, succeeded=False, address=address))
    db.session.flush()
    _tell("sign-in failed", user, address, why=why)
    if locked(counted_as, at):
        return _locked()
    return Invalid("The user name or the password is not right.")


def locked(counted_as: str, at: datetime) -> bool:
    """Whether too many attempts have failed of late."""
    chosen = settings.current()
    since = at - timedelta(minutes=chosen.lockout_minutes)
    good = (
        _attempts(counted_as, since)
        .where(SignInAttempt.succeeded)
        .with_only_columns(sa.func.max(SignInAttempt.id))
    )
    failures = _attempts(counted_as, since).where(
        ~SignInAttempt.succeeded, SignInAttempt.id > sa.func.coalesce(good.scalar_subquery(), 0)
    )
    count = db.session.scalar(failures.with_only_columns(sa.func.count()))
    return (count or 0) >= chosen.lockout_failures


def forget_failures(user: User) -> None:
    """Let a locked user try again at once."""
    with audit.unaudited("unlocking has an entry of its own"):
        db.session.execute(sa.delete(SignInAttempt).where(SignInAttempt.username == user.username))


def normal_username(username: str) -> str:
    """A user name as it is stored: without case and outer spaces."""
    return unicodedata.normalize("NFKC", username).strip().casefold()[:200]


def _counted_as(name: str, user: User | None) -> str:
    return user.username if user else f"?{sealed.blind(name, purpose='sign-in')}"


def _attempts(counted_as: str, since: datetime) -> sa.Select[Any]:
    return sa.select(SignInAttempt).where(SignInAttempt.username == counted_as, SignInAttempt.at > since)


def _one_at_a_time(counted_as: str) -> None:
    # Ten guesses at the same moment would each see four failures and all be checked. On SQLite there is one writer.
    if db.dialect == "postgresql":
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"sign-in:{counted_as}", 0))
        db.session.execute(sa.select(lock))


def _locked() -> Invalid:
    minutes = settings.current().lockout_minutes
    return Invalid(
        f"Too many attempts have failed. Wait {minutes} minutes and try again.",
        instead="If you have forgotten your password, ask the system administrator for a new one.",
    )


def _tell(action: str, user: User | None, address: str | None, **details: Any) -> None:
    audit.record(
        action,
        subject_type=User.__tablename__,
        subject_id=user.id if user else None,
        details={"address": address, "user": user.username if user else None} | details,
    )


def _renew_hash(user: User, password: str) -> None:
    if user.password_hash and passwords.outdated(user.password_hash):
        user.password_hash = passwords.hashed(password)
