"""Signing in: the lock-out, and what is written of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from mis import acting
from mis.accounts import signing_in, users
from mis.accounts.models import SignInAttempt, User
from mis.acting import SYSTEM
from mis.db import MisSession, db
from mis.errors import Invalid
from tests.mis.accounts.people import AT, DAY, PASSWORD, actions, make_user


def attempt(username="a.mwangi", password="wrong", *, at=AT):
    return signing_in.check_password(username, password, at=at, address="203.0.113.9")


def test_the_right_password_opens_whatever_the_case_of_the_name(work: MisSession):
    user = make_user()
    assert attempt(" A.Mwangi ", PASSWORD) is user


def test_a_wrong_password_and_a_wrong_name_get_the_same_answer(work: MisSession):
    make_user()
    wrong, unknown = attempt(), attempt("nobody.here")
    assert isinstance(wrong, Invalid)
    assert isinstance(unknown, Invalid)
    assert str(wrong) == str(unknown)


def test_a_user_who_is_switched_off_gets_the_same_answer(work: MisSession):
    make_user().active = False
    assert str(attempt(password=PASSWORD)) == str(attempt("nobody.here"))


@pytest.mark.parametrize("username", ["a.mwangi", "nobody.here"])
def test_five_failures_lock_the_name_even_for_the_right_password(work: MisSession, username: str):
    make_user()
    for _ in range(4):
        assert "not right" in str(attempt(username))
    assert "Too many" in str(attempt(username))
    assert "Too many" in str(attempt(username, PASSWORD))


def test_the_lock_opens_when_the_window_has_passed(work: MisSession):
    user = make_user()
    for _ in range(5):
        attempt()
    assert isinstance(attempt(password=PASSWORD, at=AT + timedelta(minutes=14)), Invalid)
    assert attempt(password=PASSWORD, at=AT + timedelta(minutes=16)) is user


def test_a_success_forgets_earlier_failures(work: MisSession):
    user = make_user()
    for _ in range(4):
        attempt()
    signing_in.succeeded(user, at=AT, address=None)
    work.flush()
    for _ in range(4):
        attempt()
    assert attempt(password=PASSWORD) is user


def test_an_administrator_unlocks(work: MisSession):
    user = make_user()
    for _ in range(5):
        attempt()
    users.unlock(user)
    assert attempt(password=PASSWORD) is user
    assert actions()[-1] == "sign-in unlocked"


def test_sign_ins_and_failures_stand_in_the_audit_trail(work: MisSession):
    user = make_user()
    attempt()
    signing_in.succeeded(user, at=AT, address=None)
    assert actions()[-2:] == ["sign-in failed", "signed in"]


def test_what_was_typed_as_an_unknown_name_is_not_kept(work: MisSession):
    attempt("my secret password typed in the wrong field")
    assert "secret" not in work.scalars(sa.select(SignInAttempt.username)).one()


def test_guesses_at_the_same_moment_are_counted_one_by_one(app: Flask):
    with db.unit_of_work(), acting.acting(SYSTEM):
        make_user()

    def guess(_number: int) -> str:
        with db.unit_of_work():
            return str(attempt())

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(12)))
    assert sum("not right" in answer for answer in answers) == 4
    with db.unit_of_work(read_only=True) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SignInAttempt)) == 5


def test_a_new_password_is_taken_from_who_knows_the_old_one(work: MisSession):
    user = make_user()
    nonce = user.nonce
    with pytest.raises(Invalid) as refusal:
        users.change_password(user, current="wrong", new="eleven green kites aloft", at=AT)
    assert refusal.value.field == "current"
    users.change_password(user, current=PASSWORD, new="eleven green kites aloft", at=AT)
    assert user.nonce != nonce
    assert attempt(password="eleven green kites aloft") is user


def test_a_reset_password_must_be_changed_at_the_next_sign_in(work: MisSession):
    user = make_user()
    first = users.reset_password(user, at=AT)
    assert attempt(password=first) is user
    assert user.must_change_password


def test_a_user_who_is_switched_off_cannot_sign_in_until_switched_on(work: MisSession):
    make_user("root1", "system_administrator")
    user = make_user()
    users.switch_off(user, day=DAY)
    assert isinstance(attempt(password=PASSWORD), Invalid)
    users.switch_on(user)
    assert attempt(password=PASSWORD) is user


def test_a_password_hash_never_reaches_the_audit_trail(work: MisSession):
    from mis.audit import AuditEntry

    user = make_user()
    users.reset_password(user, at=AT)
    told = str([entry.changes for entry in work.query(AuditEntry).filter_by(subject_type=User.__tablename__)])
    assert "argon2" not in told
    assert user.nonce not in told
