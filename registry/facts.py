"""The facts of the catalogue: how each is written, checked, stored, shown, and read in SQL.

`config/facts.toml` names every fact beyond the columns of the register. Facts live in the `attributes` of a person or a
household, as whole numbers, truth values, codes and ISO dates; never as floating point. What rules may ask about are
these, and the built-in facts that columns hold (`person.sex`, `household.area`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa

from mis import money, settings
from mis.calendar import parse_date
from mis.errors import Invalid
from mis.paths import config_dir
from registry.stored_values import from_json

Type = Literal["integer", "decimal", "money", "boolean", "choice", "date"]
TYPES: tuple[Type, ...] = ("integer", "decimal", "money", "boolean", "choice", "date")
SUBJECTS = ("person", "household")

YES = frozenset({"yes", "true", "1", "y"})
NO = frozenset({"no", "false", "0", "n"})
_LONGEST = 40


@dataclass(frozen=True)
class Fact:
    """A fact such as `household.land_hectares`.

    `lowest` and `highest` are in the stored whole number. `column` is set for built-in facts: the column that holds it
    in the selects of `people_on` and `households`.
    """

    name: str
    label: str
    type: Type
    scale: int = 0
    lowest: int | None = None
    highest: int | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    sensitive: bool = False
    column: str | None = None

    @property
    def subject(self) -> str:
        """`person` or `household`."""
        return self.name.partition(".")[0]

    @property
    def key(self) -> str:
        """Its name among the attributes of its subject."""
        return self.name.partition(".")[2]

    @property
    def decimals(self) -> int:
        """How many decimals the stored whole number carries."""
        if self.type == "money":
            return money.exponent(settings.current().default_currency)
        return self.scale

    @property
    def sql_type(self) -> sa.types.TypeEngine[Any]:
        """The type of its SQL expression."""
        kinds: dict[str, sa.types.TypeEngine[Any]] = {
            "boolean": sa.Boolean(),
            "date": sa.Date(),
            "choice": sa.Text(),
        }
        return kinds.get(self.type, sa.BigInteger())

    def parse(self, text: str, *, field: str | None = None, rounded: bool = False) -> int | bool | str:
        """The stored value of what a person or file wrote. Raises Invalid with the field.

        Decimals beyond the scale are refused, unless they are to be `rounded` (half up).
        """
        text = text.strip()
        match self.type:
            case "boolean":
                return self._truth(text, field)
            case "choice":
                value: int | bool | str = text
            case "date":
                value = parse_date(text, field=field).isoformat()
            case _:
                value = self._whole(text, field, rounded=rounded)
        self.check(value, field=field)
        return value

    def check(self, value: object, *, field: str | None = None) -> None:
        """Refuse a stored value that this fact cannot have."""
        match self.type:
            case "boolean":
                right = isinstance(value, bool)
            case "choice":
                if value not in self.choices:
                    raise self._invalid(f"“{_short(value)}” is none of: {', '.join(self.choices)}.", field)
                return
            case "date":
                right = isinstance(value, str) and bool(parse_date(value, field=field))
            case _:
                right = isinstance(value, int) and not isinstance(value, bool)
                if right:
                    self._check_bounds(value, field)  # type: ignore[arg-type]
        if not right:
            raise self._invalid(f"“{_short(value)}” is not {_A[self.type]}.", field)

    def written(self, value: Any) -> str:
        """A stored value as a form shows it, and `parse` reads it."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int) and self.decimals:
            return str(Decimal(value).scaleb(-self.decimals))
        return str(value)

    def _truth(self, text: str, field: str | None) -> bool:
        if text.casefold() in YES:
            return True
        if text.casefold() in NO:
            return False
        raise self._invalid(f"“{_short(text)}” is neither yes nor no.", field)

    def _whole(self, text: str, field: str | None, *, rounded: bool) -> int:
        try:
            if not text.isascii() or len(text) > _LONGEST or "_" in text:
                raise InvalidOperation
            number = Decimal(text)
            if not number.is_finite() or abs(number.adjusted()) > _LONGEST:
                raise InvalidOperation
        except InvalidOperation:
            raise self._invalid(f"“{_short(text)}” is not a number.", field) from None
        scaled = number.scaleb(self.decimals)
        whole = scaled.to_integral_value(rounding=ROUND_HALF_UP)
        if whole != scaled and not rounded:
            many = f"at most {self.decimals} decimals" if self.decimals else "no decimals"
            raise self._invalid(f"“{_short(text)}” has too many decimals: it may have {many}.", field)
        return int(whole)

    def _check_bounds(self, value: int, field: str | None) -> None:
        low, high = self.lowest, self.highest
        if (low is not None and value < low) or (high is not None and value > high):
            between = f"between {self.written(low)} and {self.written(high)}"
            if high is None or low is None:
                between = f"{self.written(low)} or more" if high is None else f"at most {self.written(high)}"
            raise self._invalid(f"{self.written(value)} is not possible: it must be {between}.", field)

    def _invalid(self, sentence: str, field: str | None) -> Invalid:
        return Invalid(f"{self.label}: {sentence}", field=field or self.name)


_A = {"integer": "a whole number", "decimal": "a whole number of its scale", "money": "a whole number of minor units",
      "boolean": "true or false", "date": "a date"}  # fmt: skip


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


BUILT_IN = (
    Fact("person.sex", "Sex", "choice", column="sex",
         choices={"female": "Female", "male": "Male", "unknown": "Not known"}),
    Fact("person.birth_date", "Birth date", "date", column="birth_date"),
    Fact("person.birth_date_precision", "What is known of the birth date", "choice", column="birth_precision",
         choices={"day": "The day", "month": "The month", "year": "The year"}),
    Fact("person.relationship", "Relationship to the head of household", "choice", column="relationship",
         choices={"head": "Head", "spouse": "Spouse", "child": "Child", "parent": "Parent",
                  "grandchild": "Grandchild", "sibling": "Brother or sister", "other_relative": "Other relative",
                  "not_related": "Not related"}),
    Fact("household.area", "Area", "choice", column="area_code"),
)  # fmt: skip


def catalogue() -> Mapping[str, Fact]:
    """Every fact by its name: the built-in ones, then those of `config/facts.toml` in the order of the file."""
    return _catalogue(settings.current().default_currency)


@cache
def _catalogue(currency: str) -> Mapping[str, Fact]:
    data = tomllib.loads((config_dir() / "facts.toml").read_text(encoding="utf-8"))
    assert set(data) <= set(SUBJECTS), set(data)
    listed = [
        _fact(f"{subject}.{key}", entry, currency)
        for subject in SUBJECTS
        for key, entry in data[subject].items()
    ]
    facts = {fact.name: fact for fact in (*BUILT_IN, *listed)}
    assert len(facts) == len(BUILT_IN) + len(listed), "config/facts.toml names a built-in fact"
    return facts


def attributes_of(subject: str) -> Mapping[str, Fact]:
    """The facts that are kept in the attributes of a `person` or `household`, by their key there."""
    facts = catalogue().values()
    return {fact.key: fact for fact in facts if fact.subject == subject and fact.column is None}


def check(subject: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes as they may be stored; what is None is left out. Raises Invalid for a fact that is not in the
    catalogue, or a value that it cannot have, with `field` naming the fact (`household.rooms`).
    """
    known = attributes_of(subject)
    for key, value in attributes.items():
        if key not in known:
            raise Invalid(f"The fact catalogue has no {subject}.{key}.", field=f"{subject}.{key}")
        if value is not None:
            known[key].check(value)
    return {key: value for key, value in attributes.items() if value is not None}


def shown(fact: Fact, value: Any) -> str | None:
    """A stored value in words: the label of a code, yes or no, the number with its unit."""
    if value is None:
        return None
    if fact.type == "choice":
        return fact.choices.get(str(value), str(value))
    if fact.type == "money":
        return str(money.Money(value, settings.current().default_currency))
    if str(value) in fact.labels:
        return f"{value} – {fact.labels[str(value)]}"
    return " ".join(part for part in (fact.written(value), fact.unit) if part)


def sql_expression(
    name: str, *, person: sa.FromClause | None = None, household: sa.FromClause | None = None
) -> sa.ColumnElement[Any]:
    """A fact as a typed SQL expression over one of the two (rows of `people_on` and `households`, or the tables).

    Both databases give the same value: Boolean, Date, Text, or BigInteger for the stored whole number; NULL when the
    fact is missing.
    """
    fact = catalogue()[name]
    rows = person if fact.subject == "person" else household
    assert rows is not None, f"{name} needs the rows of its {fact.subject}"
    if fact.column is not None:
        return rows.c[fact.column]
    return from_json(rows.c.attributes, fact.key, fact.sql_type)


def _fact(name: str, entry: dict[str, Any], currency: str) -> Fact:
    kind = entry["type"]
    assert kind in TYPES, f"{name} has the unknown type {kind}"
    assert (kind == "decimal") == ("scale" in entry), f"{name}: a decimal, and only it, has a scale"
    assert (kind == "choice") == ("choices" in entry), f"{name}: a choice, and only it, has choices"
    scale = entry.get("scale", money.exponent(currency) if kind == "money" else 0)
    lowest, highest = (_scaled(entry.get(bound), scale) for bound in ("min", "max"))
    return Fact(
        name, entry["label"], kind, scale=entry.get("scale", 0), lowest=lowest, highest=highest,
        choices=entry.get("choices", {}), labels=entry.get("labels", {}),
        unit=entry.get("unit"), sensitive=entry.get("sensitive", False),
    )  # fmt: skip


def _scaled(bound: int | str | None, scale: int) -> int | None:
    return None if bound is None else int(Decimal(bound).scaleb(scale))
