"""What a rule may ask about: each fact with its name, type, unit and bounds. Nothing else can be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class FactType(StrEnum):
    """`decimal` and `money` are stored as whole numbers: 12.50 with scale 2 is 1250."""

    INT = "int"
    DECIMAL = "decimal"
    MONEY = "money"
    TEXT = "text"
    BOOL = "bool"
    DATE = "date"


# Wide enough for any person or household, narrow enough that a sum over a household and a coefficient fit a BIGINT.
_WIDEST = {FactType.INT: 10**9, FactType.DECIMAL: 10**12, FactType.MONEY: 10**12}


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of a person ("person.income", also m.income of a member) or of a household ("household.region").

    `lowest` and `highest` are in the stored whole number. Arithmetic with a value outside them is not known, because it
    could overflow; comparing such a value is exact. `codes` are all the values that a text fact can have.
    """

    name: str
    type: FactType | str
    label: str = ""
    source: str = ""
    unit: str | None = None
    scale: int | None = None
    lowest: int | None = None
    highest: int | None = None
    codes: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        namespace, _, rest = self.name.partition(".")
        assert namespace in ("person", "household") and rest.isidentifier(), self.name
        assert self.name not in ("person.age", "household.size", "household.members"), (
            f"{self.name} is always derived"
        )
        assert self.type in list(FactType), self
        assert (self.scale is not None) == (self.type == FactType.DECIMAL), (
            f"a decimal, and only it, has a scale: {self}"
        )
        assert self.codes is None or self.type == FactType.TEXT, self

    def bounds(self) -> tuple[int, int]:
        widest = _WIDEST[FactType(self.type)]
        low = -widest if self.lowest is None else self.lowest
        high = widest if self.highest is None else self.highest
        assert low <= high, self
        return low, high


BIRTH_DATE = "person.birth_date"
BIRTH_DATE_PRECISION = "person.birth_date_precision"
AGE = "person.age"
SIZE = "household.size"
MEMBERS = "household.members"


class Catalogue:
    """All facts. `minor_digits` are the decimals of the currency: 2 for KES, 0 for VND.

    Every catalogue also has household.members, household.size (their number) and, if there is a person.birth_date,
    person.age in completed years.
    """

    def __init__(self, facts: Iterable[Fact], *, minor_digits: int = 2) -> None:
        self.facts = {fact.name: fact for fact in facts}
        self.minor_digits = minor_digits
        for name, kind in ((BIRTH_DATE, FactType.DATE), (BIRTH_DATE_PRECISION, FactType.TEXT)):
            assert name not in self.facts or self.facts[name].type == kind, name

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.facts.values())

    def get(self, name: str) -> Fact | None:
        return self.facts.get(name)

    @property
    def has_age(self) -> bool:
        return BIRTH_DATE in self.facts

    def names(self) -> list[str]:
        """All that can be written in a rule, for suggestions and for a fact picker."""
        return [*self.facts, *([AGE] if self.has_age else []), SIZE, MEMBERS]

    def scale(self, fact: Fact) -> int:
        if fact.type == FactType.MONEY:
            return self.minor_digits
        return fact.scale or 0

    def label(self, name: str) -> str:
        fact = self.facts.get(name)
        builtin = {AGE: "age", SIZE: "number of household members", MEMBERS: "household members"}
        return (fact.label if fact else "") or builtin.get(name) or name.partition(".")[2].replace("_", " ")
