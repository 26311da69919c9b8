"""Reference numbers that people read over the phone: a letter for the kind of record, its row number, two check digits.

`P-000-012-355` is a person. The check digits are those of ISO 7064 mod 97-10 over letter and number: a wrong digit,
two digits swapped or a letter misheard is noticed. They are computed and never stored.
"""

from __future__ import annotations

import re

from stdnum.iso7064 import mod_97_10

from mis.errors import Invalid

PERSON, HOUSEHOLD, GRIEVANCE, BATCH = "P", "H", "G", "B"
KINDS = {PERSON: "person", HOUSEHOLD: "household", GRIEVANCE: "grievance", BATCH: "import batch"}

# Seven digits and two check digits make three groups of three; larger numbers take further groups.
_DIGITS, _GROUP = 7, 3
_SHAPE = re.compile(r"([A-Z])(\d{3,21})", re.ASCII)


def reference(kind: str, number: int) -> str:
    """The reference of row `number` of a kind: P person, H household, G grievance, B import batch."""
    assert kind in KINDS and number > 0, (kind, number)
    digits = _padded(number)
    digits += mod_97_10.calc_check_digits(kind + digits)
    groups = [digits[place : place + _GROUP] for place in range(0, len(digits), _GROUP)]
    return "-".join((kind, *groups))


def parse(text: str, *, kind: str | None = None, field: str | None = None) -> tuple[str, int]:
    """The kind and row number of a reference, however it is spaced, dashed or cased; of `kind` only, if it is given.

    Raises Invalid with the field when it is no reference, when a digit is wrong, or when it is of another kind.
    """
    match = _SHAPE.fullmatch(re.sub(r"[\s\-–./]", "", text).upper())
    if not match or match[1] not in KINDS:
        raise Invalid(
            f"“{text.strip()[:40]}” is not a reference number. It is a letter and digits, such as "
            f"{reference(kind or PERSON, 12345)}.",
            field=field,
        )
    letter, digits = match.groups()
    number = int(digits[:-2])
    if number == 0 or digits[-2:] != mod_97_10.calc_check_digits(letter + _padded(number)):
        raise Invalid(
            f"“{text.strip()[:40]}” has a wrong or swapped digit: its check digits do not fit. Read it again.",
            field=field,
        )
    if kind is not None and letter != kind:
        raise Invalid(
            f"“{text.strip()[:40]}” is the reference of a {KINDS[letter]}, not of a {KINDS[kind]}.",
            field=field,
        )
    return letter, number


def looks_like(text: str) -> bool:
    """Whether a text is meant as a reference: a letter of a kind, then digits only."""
    match = _SHAPE.fullmatch(re.sub(r"[\s\-–./]", "", text).upper())
    return match is not None and match[1] in KINDS


def _padded(number: int) -> str:
    digits = str(number)
    width = max(_DIGITS, len(digits))
    # Whole groups together with the two check digits.
    return digits.rjust(width + (-(width + 2)) % _GROUP, "0")
