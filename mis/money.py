"""Money is a whole number of minor units and an ISO 4217 code; it is never a float and never loses a unit."""

from __future__ import annotations

import copy
import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from babel.core import Locale
from babel.numbers import NumberPattern

from mis.errors import Invalid
from mis.paths import config_dir

# What a BIGINT column and pain.001's eighteen digits both hold.
MAX_MINOR = 10**18 - 1
# A currency written in letters keeps a space from the figure; Babel does not heed that rule of CLDR.
_LETTER_AT_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


class Rounding(StrEnum):
    """The rounding rules a scheme may name; the names and meanings are those of decimal arithmetic."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    HALF_DOWN = "half_down"
    UP = "up"
    DOWN = "down"
    CEILING = "ceiling"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount such as Money(15000, "KES"), which is 150.00 shillings; ordered and added within one currency only."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are a whole number, not {self.minor!r}")
        exponent(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    def _same(self, other: Money) -> int:
        if self.currency != other.currency:
            raise TypeError(
                f"{self} and {other} are in different currencies; convert one with a dated rate first"
            )
        return other.minor

    def __add__(self, other: Money) -> Money:
        return (
            Money(self.minor + self._same(other), self.currency)
            if isinstance(other, Money)
            else NotImplemented
        )

    def __sub__(self, other: Money) -> Money:
        return (
            Money(self.minor - self._same(other), self.currency)
            if isinstance(other, Money)
            else NotImplemented
        )

    def __mul__(self, times: int) -> Money:
        return Money(self.minor * times, self.currency) if type(times) is int else NotImplemented

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def split(self, weights: Sequence[int]) -> list[Money]:
        return [Money(part, self.currency) for part in split(self.minor, weights)]

    def to_decimal_text(self) -> str:
        return to_decimal_text(self.minor, self.currency)

    def format(self, locale: str | Locale = "en") -> str:
        """For people to read: the locale's separators and currency sign, but the decimals of ISO 4217."""
        pattern = _pattern(str(locale), self.currency)
        value = Decimal(self.minor).scaleb(-exponent(self.currency))
        text = pattern.apply(value, Locale.parse(str(locale)), currency=self.currency, currency_digits=False)
        return _LETTER_AT_DIGIT.sub("\u00a0", str(text))

    def __str__(self) -> str:
        return f"{self.to_decimal_text()} {self.currency}"


def total(amounts: Iterable[Money], *, currency: str) -> Money:
    """The sum; the currency is named so that the sum of nothing is still an amount."""
    return sum(amounts, start=Money.zero(currency))


def exponent(currency: str) -> int:
    """How many decimals the currency's minor unit has: 0 for XOF, 2 for KES, 3 for TND."""
    try:
        return _exponents()[currency]
    except KeyError:
        raise Invalid(
            f"{currency!r} is not an ISO 4217 currency code. Use three capital letters, such as KES.",
            field="currency",
        ) from None


def to_decimal_text(minor: int, currency: str) -> str:
    """For files: "150.00" KES, "150" XOF, "1.500" TND; always a point, never a separator."""
    decimals = exponent(currency)
    if decimals == 0:
        return str(minor)
    digits = str(abs(minor)).rjust(decimals + 1, "0")
    return f"{'-' if minor < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"


def parse(
    text: str,
    currency: str,
    *,
    decimal_mark: str = ".",
    allow_negative: bool = False,
    allow_trailing_zeros: bool = False,
    field: str | None = "amount",
) -> Money:
    """Read what a person or a file wrote. "1,500" differs between countries: the decimal mark is said, not guessed.

    `allow_trailing_zeros` takes "150.00" for a currency without decimals, as many providers write it; no value is lost.
    """
    if not isinstance(text, str):
        raise Invalid(
            f"An amount is read from text, not from the number {text!r}, which may be inexact.", field=field
        )
    assert decimal_mark in (".", ",")
    written = _plain(text, decimal_mark=decimal_mark)
    if written is None:
        example = f"1234{decimal_mark}50" if exponent(currency) else "1234"
        raise Invalid(f"“{text.strip()[:40]}” is not an amount. Write it as {example}.", field=field)
    sign, whole, fraction = written
    decimals = exponent(currency)
    fraction = _without_excess(fraction, decimals=decimals) if allow_trailing_zeros else fraction
    if len(fraction) > decimals:
        allowed = {0: "no decimals", 1: "one decimal"}.get(decimals, f"at most {decimals} decimals")
        raise Invalid(f"“{text.strip()[:40]}” has too many decimals: {currency} has {allowed}.", field=field)
    if sign and not allow_negative:
        raise Invalid(f"“{text.strip()[:40]}” is below zero. Write an amount of zero or more.", field=field)
    digits = (whole + fraction.ljust(decimals, "0")).lstrip("0") or "0"
    if len(digits) > len(str(MAX_MINOR)):
        raise Invalid(f"“{text.strip()[:40]}” is too large for an amount.", field=field)
    return Money(-int(digits) if sign else int(digits), currency)


def round_minor(numerator: int, denominator: int, rounding: str = Rounding.HALF_UP, *, step: int = 1) -> int:
    """numerator/denominator as a whole number of minor units, or of `step` (5000 pays KES in whole fifties)."""
    assert type(numerator) is int and type(denominator) is int and denominator and step > 0, (
        numerator,
        denominator,
    )
    rule = _rounding(rounding)
    denominator *= step
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    lower, rest = divmod(numerator, denominator)
    return (lower + _takes_next(rule, lower, twice=2 * rest, denominator=denominator)) * step


def split(minor: int, weights: Sequence[int]) -> list[int]:
    """Shares in proportion to the weights that add up exactly; left-over units go to the largest remainders."""
    whole = sum(weights)
    if not weights or min(weights) < 0 or whole <= 0:
        raise Invalid(
            "An amount is shared by weights of zero or more, at least one above zero.", field="weights"
        )
    if minor < 0:
        return [-part for part in split(-minor, weights)]
    parts, remainders = zip(*(divmod(minor * weight, whole) for weight in weights), strict=True)
    shares = list(parts)
    by_remainder = sorted(range(len(shares)), key=lambda place: -remainders[place])
    for place in by_remainder[: minor - sum(shares)]:
        shares[place] += 1
    return shares


def _rounding(name: str) -> Rounding:
    try:
        return Rounding(name)
    except ValueError:
        known = ", ".join(Rounding)
        raise Invalid(f"{name!r} is not a rounding rule. Use one of: {known}.", field="rounding") from None


def _takes_next(rule: Rounding, lower: int, *, twice: int, denominator: int) -> bool:
    """Whether the exact value, `lower` plus a remainder, is rounded to lower + 1; `twice` is twice the remainder."""
    if twice == 0:
        return False
    negative = lower < 0
    half = twice == denominator
    above_half = twice > denominator
    return {
        Rounding.FLOOR: False,
        Rounding.CEILING: True,
        Rounding.DOWN: negative,
        Rounding.UP: not negative,
        Rounding.HALF_UP: above_half or (half and not negative),
        Rounding.HALF_DOWN: above_half or (half and negative),
        Rounding.HALF_EVEN: above_half or (half and lower % 2 == 1),
    }[rule]


# Spaces, thin and no-break spaces, apostrophes and the Arabic separator group digits everywhere and decide nothing.
_NEUTRAL_GROUPS = re.compile("(?<=\\d)[ \u00a0\u202f\u2009'\u2019\u066c](?=\\d)")
_AMOUNT = re.compile(r"([-\u2212]?)(\d+|\d{1,3}(?:,\d{2,3})*,\d{3})(?:\.(\d+))?", re.ASCII)


def _plain(text: str, *, decimal_mark: str) -> tuple[str, str, str] | None:
    """Sign, whole part and decimals in ASCII digits, or None when it is not an amount."""
    if len(text) > 100:
        return None
    ascii_digits = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text.strip())
    marks = {",": ".", ".": ","} if decimal_mark == "," else {}
    plain = "".join(marks.get(c, c) for c in _NEUTRAL_GROUPS.sub("", ascii_digits)).replace("\u066b", ".")
    match = _AMOUNT.fullmatch(plain)
    return (match[1], match[2].replace(",", ""), match[3] or "") if match else None


def _without_excess(fraction: str, *, decimals: int) -> str:
    return fraction[:decimals] + fraction[decimals:].rstrip("0")


@functools.cache
def _exponents() -> dict[str, int]:
    """ISO 4217 from config/currencies.toml; withdrawn codes are known too, because old records carry them."""
    with open(config_dir() / "currencies.toml", "rb") as file:
        tables = tomllib.load(file)
    return {
        code: int(decimals)
        for table in ("withdrawn", "decimals", "testing")
        for decimals, codes in tables[table].items()
        for code in codes.split()
    }


@functools.lru_cache(maxsize=256)
def _pattern(locale: str, currency: str) -> NumberPattern:
    pattern = copy.copy(Locale.parse(locale).currency_formats["standard"])
    pattern.frac_prec = (exponent(currency),) * 2
    assert isinstance(pattern, NumberPattern)
    return pattern
