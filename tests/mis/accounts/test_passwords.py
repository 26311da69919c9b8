"""Which passwords are taken."""

import pytest
from flask import Flask

from mis.accounts import passwords
from mis.errors import Invalid


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short words",
        "Password1234",
        "passwordpassword",
        "qwertyuiop123",
        "123456789012",
        "aaaaaaaaaaaa",
        "x" * 300,
    ],
)
def test_what_is_short_or_tried_first_is_refused(password: str):
    with pytest.raises(Invalid):
        passwords.check(password, username="a.mwangi")


@pytest.mark.parametrize("password", ["achieng.mwangi", "Achieng Mwangi 1", "mwangimwangi"])
def test_ones_own_name_is_no_password(password: str):
    with pytest.raises(Invalid):
        passwords.check(password, username="achieng.mwangi", name="Achieng Mwangi")


@pytest.mark.parametrize(
    "password", ["seven brown herons wading", "Tr0ub4dor&3xyz", "mwangi keeps nine tall goats"]
)
def test_a_long_password_of_any_letters_is_taken(password: str):
    passwords.check(password, username="a.mwangi", name="Achieng Mwangi")


def test_a_temporary_password_keeps_the_rules_and_is_never_the_same():
    made = {passwords.temporary() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.check(password, username="a.mwangi")


def test_a_password_matches_its_hash_however_its_letters_are_composed(app: Flask):
    assert passwords.matches(passwords.hashed("caf\u00e9 au lait sucre"), "cafe\u0301 au lait sucre")
    assert not passwords.matches(passwords.hashed("one"), "two")
    assert not passwords.matches(None, "anything")
