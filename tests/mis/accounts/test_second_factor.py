"""The second factor: set up by its first code, each code taken once, recovery codes for a lost telephone."""

from datetime import timedelta

import pyotp
import pytest

from mis.accounts import second_factor, signing_in
from mis.db import MisSession
from mis.errors import Conflict, Invalid
from tests.mis.accounts.people import AT, make_user

LATER = AT + timedelta(minutes=5)


def code_of(secret: str, at) -> str:
    return pyotp.TOTP(secret).at(int(at.timestamp()))


@pytest.fixture
def secret() -> str:
    return second_factor.new_secret()


@pytest.fixture
def user(work: MisSession):
    return make_user()


def test_a_secret_counts_only_after_its_first_code(user, secret):
    with pytest.raises(Invalid) as refusal:
        second_factor.enrol(user, secret, "000000", at=AT)
    assert refusal.value.field == "code"
    assert user.totp_confirmed_at is None
    second_factor.enrol(user, secret, code_of(secret, AT), at=AT)
    assert user.totp_confirmed_at == AT
    with pytest.raises(Conflict):
        second_factor.enrol(user, secret, code_of(secret, LATER), at=LATER)


def test_the_secret_is_stored_sealed(user, secret):
    second_factor.enrol(user, secret, code_of(secret, AT), at=AT)
    assert secret.encode() not in user.totp_sealed


def test_a_code_is_taken_once(user, secret):
    second_factor.enrol(user, secret, code_of(secret, AT), at=AT)
    assert not second_factor.accept(user, code_of(secret, AT), at=AT), (
        "the code of the set-up is used already"
    )
    assert second_factor.accept(user, code_of(secret, LATER), at=LATER)
    assert not second_factor.accept(user, code_of(secret, LATER), at=LATER)


def test_clocks_may_differ_by_one_step_and_no_more(user, secret):
    second_factor.enrol(user, secret, code_of(secret, AT), at=AT)
    assert second_factor.accept(user, code_of(secret, LATER - timedelta(seconds=30)), at=LATER)
    assert not second_factor.accept(user, code_of(secret, LATER + timedelta(seconds=90)), at=LATER)


def test_each_recovery_code_stands_in_once(user, secret):
    codes = second_factor.enrol(user, secret, code_of(secret, AT), at=AT)
    assert len(set(codes)) == second_factor.codes_left(user) == 10
    assert second_factor.accept(user, codes[3].upper(), at=LATER)
    assert not second_factor.accept(user, codes[3], at=LATER)
    assert second_factor.codes_left(user) == 9


def test_wrong_codes_count_towards_the_lock_out(user, secret):
    second_factor.enrol(user, secret, code_of(secret, AT), at=AT)
    for _ in range(5):
        refusal = signing_in.check_second_factor(user, "000000", at=LATER, address=None)
        assert refusal is not None
    right = signing_in.check_second_factor(user, code_of(secret, LATER), at=LATER, address=None)
    assert "Too many" in str(right)


def test_removing_it_ends_the_recovery_codes(user, secret):
    second_factor.enrol(user, secret, code_of(secret, AT), at=AT)
    second_factor.remove(user)
    assert user.totp_confirmed_at is None
    assert second_factor.codes_left(user) == 0


def test_the_picture_is_shown_without_asking_anybody(user, secret):
    assert second_factor.picture(user, secret).startswith("data:image/svg+xml")
