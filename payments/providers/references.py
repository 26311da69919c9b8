"""The end-to-end id: made from entitlement and attempt alone, so that a payment has the same id whoever makes it.

    OAP-202611-2S-01-K     scheme (for people) - month - entitlement in base 36 - attempt - check character

Neither clock nor chance is in it. The check character (ISO 7064 Mod 37,36) finds every single mistyped character and
nearly every swap of neighbours. It is taken over the number padded to twelve places, so that SQL can compute it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from sqlalchemy import BigInteger, ColumnElement, Integer, String, cast, func, literal
from stdnum.iso7064 import mod_37_36

from mis.calendar import Month
from mis.errors import Invalid

MAX_LENGTH = 31
MAX_ATTEMPTS = 99
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PLACES = 12
_MAX_ENTITLEMENT_ID = 36**_PLACES - 1  # 4.7 × 10¹⁸
_FORM = re.compile(
    r"([A-Z0-9]{1,6})-(\d{4})(0[1-9]|1[0-2])-([1-9A-Z][0-9A-Z]{0,11})-(\d\d)-([0-9A-Z])", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Reference:
    """What an end-to-end id says. The scheme is cut to six characters, for people; the entitlement is what counts."""

    scheme: str
    month: Month
    entitlement_id: int
    attempt: int

    def __str__(self) -> str:
        number = _base36(self.entitlement_id)
        body = f"{self.scheme}-{_compact(self.month)}-{number}-{self.attempt:02d}"
        return f"{body}-{_check_character(self)}"


def end_to_end_id(scheme_code: str, month: Month, entitlement_id: int, attempt: int) -> str:
    """The id of one attempt to pay one entitlement: at most 31 characters of A-Z, 0-9 and the hyphen."""
    assert 0 < entitlement_id <= _MAX_ENTITLEMENT_ID, entitlement_id
    return str(Reference(_scheme_part(scheme_code), month, entitlement_id, _attempt(attempt)))


def parse(text: str) -> Reference:
    """Read an id as a bank or a person wrote it, in any case, and refuse one whose check character does not agree."""
    match = _FORM.fullmatch(text.strip().upper())
    if not match:
        raise Invalid(f"“{text}” is not one of our payment references.", field="end_to_end_id")
    scheme, year, month, number, attempt, check = match.groups()
    entitlement_id = int(number, 36)
    reference = Reference(scheme, Month(int(year), int(month)), entitlement_id, int(attempt))
    if entitlement_id > _MAX_ENTITLEMENT_ID or reference.attempt == 0 or _check_character(reference) != check:
        raise Invalid(f"Payment reference “{text}” has a mistyped character.", field="end_to_end_id")
    return reference


def is_ours(text: str) -> bool:
    """Whether the text is an id that we could have made."""
    try:
        parse(text)
    except Invalid:
        return False
    return True


def end_to_end_id_sql(
    scheme_code: str, month: Month, entitlement_id: ColumnElement[int], attempt: ColumnElement[int] | int
) -> ColumnElement[str]:
    """The same id as one SQL expression, for INSERT … SELECT over a whole cycle on SQLite and PostgreSQL.

    Scheme and month are the cycle's, so the check over them is computed here; only fourteen characters are left to SQL.
    """
    scheme, period = _scheme_part(scheme_code), _compact(month)
    number = cast(entitlement_id, BigInteger)
    digits = [
        cast((number // literal(36**power, BigInteger)) % 36, Integer) for power in reversed(range(_PLACES))
    ]
    attempts = literal(_attempt(attempt), Integer) if isinstance(attempt, int) else cast(attempt, Integer)
    tens_and_ones = [attempts // 10, attempts % 10]
    state: ColumnElement[int] = literal(mod_37_36.checksum(scheme + period), Integer)
    for digit in (*digits, *tens_and_ones):
        # One step of ISO 7064; (s + 35) % 36 + 1 is its "s, or 36 if zero", without naming the nested s twice.
        state = (((state + 35) % 36 + 1) * 2 % 37 + digit) % 36
    check = (37 - ((state + 35) % 36 + 1) * 2 % 37) % 36
    return (
        literal(f"{scheme}-{period}-", String)
        .concat(func.ltrim(_characters(digits), "0"))
        .concat(literal("-", String))
        .concat(_characters(tens_and_ones))
        .concat(literal("-", String))
        .concat(_characters([check]))
    )


def _characters(digits: Sequence[ColumnElement[int]]) -> ColumnElement[str]:
    alphabet = literal(_ALPHABET, String)
    return reduce(
        lambda left, right: left.concat(right), (func.substr(alphabet, digit + 1, 1) for digit in digits)
    )


def _check_character(reference: Reference) -> str:
    number = _base36(reference.entitlement_id).rjust(_PLACES, "0")
    return mod_37_36.calc_check_digit(
        f"{reference.scheme}{_compact(reference.month)}{number}{reference.attempt:02d}", alphabet=_ALPHABET
    )


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _ALPHABET[digit] + digits
    return digits


def _compact(month: Month) -> str:
    return f"{month.year:04d}{month.number:02d}"


def _scheme_part(scheme_code: str) -> str:
    part = re.sub(r"[^A-Z0-9]", "", scheme_code.upper())[:6]
    if not part:
        raise Invalid(
            f"Scheme code “{scheme_code}” needs a letter A to Z or a digit for references.", field="scheme"
        )
    return part


def _attempt(attempt: int) -> int:
    if not 1 <= attempt <= MAX_ATTEMPTS:
        raise Invalid(f"A payment is attempted 1 to {MAX_ATTEMPTS} times, not {attempt}.", field="attempt")
    return attempt
