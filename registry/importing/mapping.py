"""The mapping file: which column of a list becomes which field of the register, and how.

A mapping is YAML, checked as a whole; what is wrong is said with the name of the file and the key. Templates are texts
with columns in braces, such as `VN-{commune_no}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mis.errors import Invalid
from mis.paths import config_dir
from registry import facts, identification

_LONGEST = 100_000
_COLUMN = re.compile(r"\{([^{}]+)\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where a value comes from: one of column, columns (joined), template, constant.

    `values` translates what stands in the file, and refuses what it does not name. `missing` are texts that stand for
    nothing. `format` is the form of a date (`%Y%m%d`), `precision` how much of it is known. `age` names a column with
    completed years at the reference date. `rounded` lets decimals beyond the scale be rounded.
    """

    column: str | None = None
    columns: list[str] | None = None
    separator: str = " "
    template: str | None = None
    constant: str | bool | int | None = None
    age: str | None = None
    values: dict[str, str | bool | int | None] | None = None
    missing: list[str] = []
    required: bool = False
    format: str | None = None
    precision: Literal["day", "month", "year"] = "day"
    rounded: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        # `given_name: first_name` says as much as `given_name: {column: first_name}`.
        return {"column": given} if isinstance(given, str) else _with_text_keys(given)

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        origins = (self.column, self.columns, self.template, self.constant, self.age)
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError("say exactly one of column, columns, template, constant, age")
        return self

    def names(self) -> Iterator[str]:
        """The columns that this needs."""
        yield from (name for name in (self.column, self.age) if name)
        yield from self.columns or ()
        yield from columns_of(self.template or "")


class AreaRule(_Strict):
    """The area of a row by its code, made if it is not there and may be (`create`). All texts are templates.

    `only` lists the codes that are taken; with `or_parent`, a row whose columns are empty lies in the parent.
    """

    code: str
    name: str | None = None
    kind: str = "area"
    parent: AreaRule | None = None
    create: bool = False
    only: list[str] | None = None
    or_parent: bool = False

    @model_validator(mode="after")
    def _has_parent(self) -> AreaRule:
        if self.or_parent and self.parent is None:
            raise ValueError("or_parent: there is no parent")
        return self

    def names(self) -> Iterator[str]:
        """The columns that this needs."""
        yield from columns_of(self.code)
        yield from columns_of(self.name or "")
        if self.parent:
            yield from self.parent.names()


class Format(_Strict):
    """How the file is made; whatever is left out is found out."""

    kind: Literal["csv", "xlsx"] | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str | None = None
    sheet: str | None = None


class Keys(_Strict):
    """Templates of the numbers by which the source knows its households and persons."""

    person: str
    household: str | None = None


class PersonRule(_Strict):
    """The fields of a person."""

    given_name: Source | None = None
    family_name: Source | None = None
    other_names: Source | None = None
    sex: Source | None = None
    birth: Source | None = None
    death_date: Source | None = None
    address: Source | None = None
    relationship: Source | None = None
    collector: Source | None = None
    facts: dict[str, Source] = {}


class HouseholdRule(_Strict):
    """The fields of a household; in a list of members they are read from the row of the head."""

    address: Source | None = None
    facts: dict[str, Source] = {}


class NumberRule(Source):
    """An identity number (with its kind) or a telephone number."""

    kind: str | None = None


class Mapping(_Strict):
    """A whole mapping.

    `unit` says what a row is: a household with its head (`head`), a person in no household (`person`), or a member of a
    household that several rows share (`member`).
    """

    title: str = Field(min_length=1, max_length=200)
    source: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")
    unit: Literal["head", "person", "member"]
    format: Format = Format()
    reference_date: date | None = None
    missing: list[str] = [""]
    key: Keys
    area: AreaRule | None = None
    person: PersonRule
    household: HouseholdRule = HouseholdRule()
    identity_numbers: list[NumberRule] = []
    phones: list[NumberRule] = []

    @model_validator(mode="after")
    def _sense(self) -> Mapping:
        _check_facts("person", self.person.facts)
        _check_facts("household", self.household.facts)
        if self.unit != "person" and self.key.household is None:
            raise ValueError("key.household: say by which key the households are known")
        if self.unit == "member" and self.person.relationship is None:
            raise ValueError("person.relationship: a list of members says who is the head")
        if self.person.birth and self.person.birth.age and self.reference_date is None:
            raise ValueError("reference_date: an age needs the day on which it was asked")
        unknown = [number.kind for number in self.identity_numbers if number.kind not in identification.KINDS]
        if unknown:
            raise ValueError(f"identity_numbers: {unknown[0]} is none of {', '.join(identification.KINDS)}")
        return self

    def columns(self) -> set[str]:
        """Every column that the file must have."""
        sources = [
            *(getattr(self.person, name) for name in PersonRule.model_fields if name != "facts"),
            *self.person.facts.values(), self.household.address, *self.household.facts.values(),
            *self.identity_numbers, *self.phones, self.area,
        ]  # fmt: skip
        named = {name for source in sources if source is not None for name in source.names()}
        return named | set(columns_of(self.key.person)) | set(columns_of(self.key.household or ""))


def read(text: str, *, name: str) -> Mapping:
    """Read and check a mapping. Raises Invalid with the file and key of everything that is wrong."""
    if len(text) > _LONGEST:
        raise Invalid(f"{name} is too long for a mapping file.", field="mapping")
    try:
        data = yaml.safe_load(text)
        if not isinstance(data, dict):
            raise Invalid(
                f"{name} is not a mapping file: it has no keys such as source, unit, person.", field="mapping"
            )
        return Mapping.model_validate(data)
    except yaml.YAMLError as error:
        raise Invalid(f"{name} is not YAML: {' '.join(str(error).split())}.", field="mapping") from None
    except RecursionError:
        raise Invalid(f"{name} is nested too deeply.", field="mapping") from None
    except ValidationError as error:
        raise Invalid(f"{name}: {_told(error)}", field="mapping") from None


def digest(text: str) -> str:
    """What two readings of a file must have in common to be the same reading."""
    return sha256(text.encode()).hexdigest()


def shipped() -> dict[str, str]:
    """The mappings in `config/mappings`: name and text."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted((config_dir() / "mappings").glob("*.yaml"))
    }


def columns_of(template: str) -> list[str]:
    """The columns that a template names."""
    return _COLUMN.findall(template)


def parts_of(template: str) -> list[tuple[str, str | None]]:
    """A template as pieces of text, each with the column that follows it (None after the last)."""
    pieces = _COLUMN.split(template)
    return [
        (pieces[place], pieces[place + 1] if place + 1 < len(pieces) else None)
        for place in range(0, len(pieces), 2)
    ]


def _check_facts(subject: str, named: dict[str, Source]) -> None:
    known = facts.attributes_of(subject)
    for key in named:
        if key not in known:
            raise ValueError(f"{subject}.facts.{key}: the fact catalogue has no {subject}.{key}")


def _with_text_keys(given: Any) -> Any:
    """YAML reads `yes:` as a truth value; in a map of values it is the word that stands in the file."""
    if not isinstance(given, dict) or not isinstance(given.get("values"), dict):
        return given
    words = {True: "yes", False: "no"}
    values = {
        words[key] if isinstance(key, bool) else str(key): value for key, value in given["values"].items()
    }
    return given | {"values": values}


def _told(error: ValidationError) -> str:
    problems = []
    for one in error.errors()[:10]:
        place = ".".join(str(part) for part in one["loc"])
        sentence = one["msg"].removeprefix("Value error, ")
        problems.append(f"{place}: {sentence}" if place else sentence)
    return "; ".join(problems) + "."
