"""Passwords: stored as argon2 hashes, long rather than complicated, and never one that everybody tries first."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mis import settings
from mis.errors import Invalid

SHORTEST, LONGEST = 12, 256

# Letters and digits that are not taken for one another when read from paper.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"

# What is tried first; shorter favourites cannot pass anyway. Compared without case, digits at the ends and spaces.
_COMMON = frozenset(
    """
    password passwordpassword passw0rd p@ssword mypassword password123password qwertyuiop qwertyuiopasdf
    qwertyqwerty qwertz qwertzuiop azertyuiop asdfghjkl asdfghjklqwerty zxcvbnm zxcvbnmasdfgh qazwsxedcrfv
    qwerasdfzxcv iloveyou iloveyouforever letmeinplease letmein welcome welcomewelcome administrator adminadmin
    adminadminadmin superuser changeme changemenow changeitplease secretsecret topsecret trustnoone football
    footballfootball baseball sunshine sunshinesunshine princess princessprincess dragondragon monkeymonkey
    masterpassword mastermaster motdepasse motdepassemotdepasse bonjour bonjourbonjour azertyazerty contraseña
    socialprotection socialsecurity ministry government computer computercomputer internet internetinternet
    correcthorsebatterystaple abcdefghijkl abcdefghijklm abcdefghijklmnop testtesttest temporary temporarypassword
    """.split()  # noqa: SIM905 - a list of words reads best as words
)


@cache
def _hasher() -> PasswordHasher:
    if settings.current().environment == "test":
        return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_hex(16))


def hashed(password: str) -> str:
    """The hash under which a password is stored."""
    return _hasher().hash(_normal(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether this is the password; as slow for a user who does not exist, so that nobody can tell who does."""
    if len(password) > LONGEST:
        return False
    try:
        verified = _hasher().verify(password_hash or _nobodys_hash(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return verified and password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than are used today."""
    return _hasher().check_needs_rehash(password_hash)


def check(password: str, *, username: str, name: str = "", field: str = "password") -> None:
    """Refuse a password that is too short, too common, or made of the user's own name."""
    if len(password) < SHORTEST:
        raise Invalid(
            f"A password has at least {SHORTEST} characters. Three or four words in a row are easy to keep in mind.",
            field=field,
        )
    if len(password) > LONGEST:
        raise Invalid(f"A password has at most {LONGEST} characters.", field=field)
    plain = _normal(password).casefold().replace(" ", "")
    stem = plain.strip("0123456789!?.,-_*#$")
    if stem in _COMMON or plain in _COMMON or len(set(plain)) < 5 or _is_row(plain):
        raise Invalid("This password is among the first that are tried. Choose another one.", field=field)
    own = [part for part in (username, *name.split()) if len(part) >= 3]
    left = plain
    for part in own:
        left = left.replace(part.casefold(), "")
    if len(left) < SHORTEST // 2 and left != plain:
        raise Invalid("This password is made of your own name. Choose another one.", field=field)


def temporary() -> str:
    """A password to be read out once and changed at the first sign-in."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(4))


def _normal(password: str) -> str:
    # The same letters typed on two keyboards may be composed in two ways.
    return unicodedata.normalize("NFKC", password)


def _is_row(text: str) -> bool:
    """Whether each character follows the one before it, as in 123456789012 or abcdefghijkl, most of the way."""
    steps = [(ord(after) - ord(before)) for before, after in pairwise(text)]
    return sum(step in (1, -1, 0) for step in steps) >= len(steps) * 3 // 4
