"""One row of a list becomes what will be stored, or a list of what is wrong with it.

The mapping is turned into functions once for each chunk; a row then costs a walk over them. Every field is tried, so
that a clerk sees all problems of a row at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from mis import sealed
from mis.errors import Refusal
from registry import birth_dates, facts, identification, names
from registry.importing.mapping import AreaRule, Mapping, NumberRule, PersonRule, Source, columns_of, parts_of
from registry.importing.sheets import CELL_CHARACTERS
from registry.models.households import COLLECTORS, RELATIONSHIPS
from registry.models.persons import SEXES

# Why a row is refused: the code that is counted, and the words for it.
REASONS = {
    "missing_value": "A required value is missing",
    "no_name": "Neither a given name nor a family name",
    "unknown_value": "A value that the mapping does not know",
    "bad_value": "A value that this field cannot have",
    "bad_date": "Not a date",
    "impossible_date": "A date that cannot be",
    "bad_number": "Not an identity or telephone number",
    "bad_text": "Characters that cannot be read or stored",
    "too_long": "A cell is too long",
    "too_many_cells": "More cells than the header has columns",
    "unknown_area": "An area that is not known, or outside those you work in",
    "duplicate_key": "The same key stands in an earlier row",
    "duplicate_number": "The same identity number stands in an earlier row",
    "number_taken": "The identity number belongs to somebody already",
    "known_otherwise": "Already registered with other values",
    "household_known": "The household is registered already",
    "head_count": "The household has no head, or several",
    "household_refused": "Another row of the household was refused",
}

Take = Callable[[Sequence[str]], str | None]
Read = Callable[[str], Any]


class Problem(Exception):
    """What is wrong with a value: a code of REASONS, and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


@dataclass
class Reading:
    """What one row says."""

    row_no: int
    raw: dict[str, str]
    problems: list[dict[str, str]] = field(default_factory=list)
    household_key: str | None = None
    person_key: str | None = None
    area_code: str | None = None
    area_name: str | None = None
    household: dict[str, Any] | None = None
    person: dict[str, Any] | None = None
    numbers: list[tuple[str, str | None, str]] = field(default_factory=list)

    def refuse(self, column: str, code: str, sentence: str) -> None:
        """Add a problem."""
        self.problems.append({"column": column, "code": code, "sentence": sentence})

    def digest(self) -> str:
        """Of all that the row says; numbers by their look-up codes only."""
        numbers = [
            (what, kind, sealed.blind(number, purpose="number")) for what, kind, number in self.numbers
        ]
        said = [self.household_key, self.person_key, self.area_code, self.household, self.person, numbers]
        return sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class _Field:
    """A field: where it is put, the columns that are blamed, how it is taken out of the row and read."""

    key: str
    column: str
    take: Take
    read: Read
    required: bool


class Reader:
    """A mapping made ready for rows under a header; `day` is the day after which no one was born yet."""

    def __init__(self, mapping: Mapping, header: Sequence[str], *, day: date) -> None:
        self.mapping, self.header, self.day = mapping, list(header), day
        self._place = {name: place for place, name in enumerate(header)}
        self._person = self._person_fields(mapping.person)
        self._person_facts = self._fact_fields("person", mapping.person.facts)
        household = mapping.household
        self._household = [self._field("address", household.address, _text)] if household.address else []
        self._household_facts = self._fact_fields("household", household.facts)
        self._keys = [(name, self._template(text), text) for name, text in self._key_templates()]
        self._numbers = [self._number_field(rule) for rule in (*mapping.identity_numbers, *mapping.phones)]
        self._area = self._area_fields(mapping.area)
        self._known_areas = _known_areas(mapping.area)
        # Numbers are kept sealed; what the page shows of the row must not give them away.
        hidden = {name for rule in (*mapping.identity_numbers, *mapping.phones) for name in rule.names()}
        self._hidden = [name for name in header if name in hidden]
        rules = (mapping.person.given_name, mapping.person.family_name, mapping.person.other_names)
        self._named = [next(iter(rule.names()), "") for rule in rules if rule is not None]

    def read(self, row_no: int, cells: list[str]) -> Reading:
        """Read a row."""
        width = len(self.header)
        if len(cells) < width:
            cells = cells + [""] * (width - len(cells))
        row = Reading(row_no, self._raw(cells))
        self._check_cells(row, cells)
        if row.problems:
            return row
        for name, take, column in self._keys:
            setattr(row, name, self._key(row, cells, take, column))
        self._read_area(row, cells)
        self._read_person(row, cells)
        self._read_household(row, cells)
        self._read_numbers(row, cells)
        return row

    def _raw(self, cells: list[str]) -> dict[str, str]:
        raw = dict(zip(self.header, cells, strict=False))
        for name in self._hidden:
            raw[name] = sealed.mask(raw[name]) if raw[name] else ""
        return raw

    def _check_cells(self, row: Reading, cells: list[str]) -> None:
        if any(cells[len(self.header) :]):
            row.refuse(
                "",
                "too_many_cells",
                f"The row has {len(cells)} cells, the header {len(self.header)} columns.",
            )
        joined = "".join(cells)
        if joined.isascii() and "\x00" not in joined and len(joined) <= CELL_CHARACTERS:
            return
        for name, cell in zip(self.header, cells, strict=False):
            if len(cell) > CELL_CHARACTERS:
                row.refuse(
                    name, "too_long", f"The cell has {len(cell)} characters, more than {CELL_CHARACTERS}."
                )
                row.raw[name] = row.raw[name][:200] + "…"
            if "\x00" in cell or not _is_text(cell):
                row.refuse(
                    name, "bad_text", "The cell holds characters that are not in the encoding of the file."
                )
                row.raw[name] = _readable(row.raw[name])

    def _key(self, row: Reading, cells: list[str], take: Take, template: str) -> str | None:
        key = take(cells)
        blamed = ", ".join(columns_of(template)) or "key"
        if key is None:
            row.refuse(blamed, "missing_value", "The key of the row is missing.")
        elif len(key) > names.LONGEST:
            row.refuse(blamed, "too_long", f"The key has more than {names.LONGEST} characters.")
        else:
            return key
        return None

    def _read_area(self, row: Reading, cells: list[str]) -> None:
        if self._area is None:
            return
        code, name, blamed = self._area
        row.area_code, row.area_name = code(cells), name(cells)
        if row.area_code is None:
            row.refuse(blamed, "missing_value", "The area is missing.")
        elif max(len(row.area_code), len(row.area_name or "")) > names.LONGEST:
            row.refuse(blamed, "too_long", "The code or name of the area is too long.")
        elif self._known_areas is not None and row.area_code not in self._known_areas:
            row.refuse(blamed, "unknown_area", f"{row.area_code} is none of the areas of this list.")

    def _read_person(self, row: Reading, cells: list[str]) -> None:
        person: dict[str, Any] = {"sex": "unknown"}
        for one in self._person:
            value = self._value(row, cells, one)
            if one.key == "birth" and value is not None:
                person["birth_date"], person["birth_precision"] = value[0].isoformat(), value[1]
            elif value is not None:
                person[one.key] = value
        if self._named and not person.get("given_name") and not person.get("family_name"):
            row.refuse(", ".join(self._named), "no_name", "Neither a given name nor a family name is there.")
        born, died = person.get("birth_date"), person.get("death_date")
        if died and born and died < born:
            row.refuse(self._column_of("death_date"), "impossible_date", "The death is before the birth.")
        person["search_name"] = names.fold(
            *(person.get(name) for name in ("given_name", "other_names", "family_name"))
        )
        person["attributes"] = self._facts(row, cells, self._person_facts)
        if self.mapping.unit == "head":
            person["relationship"] = "head"
        elif self.mapping.unit == "person":
            person.pop("relationship", None)
        row.person = person

    def _read_household(self, row: Reading, cells: list[str]) -> None:
        if self.mapping.unit == "person" or (row.person or {}).get("relationship") != "head":
            return
        household = {one.key: self._value(row, cells, one) for one in self._household}
        row.household = {name: value for name, value in household.items() if value is not None}
        row.household["attributes"] = self._facts(row, cells, self._household_facts)

    def _read_numbers(self, row: Reading, cells: list[str]) -> None:
        for what, kind, one in self._numbers:
            value = self._value(row, cells, one)
            if value is not None:
                row.numbers.append((what, kind, value))

    def _facts(self, row: Reading, cells: list[str], fields: list[_Field]) -> dict[str, Any]:
        values = ((one.key, self._value(row, cells, one)) for one in fields)
        return {key: value for key, value in values if value is not None}

    def _value(self, row: Reading, cells: list[str], one: _Field) -> Any:
        try:
            text = one.take(cells)
            if text is None:
                if one.required:
                    raise Problem("missing_value", "A value is required here.")
                return None
            return one.read(text)
        except Problem as problem:
            row.refuse(one.column, problem.code, problem.sentence)
        except Refusal as refusal:
            row.refuse(one.column, "bad_value", refusal.sentence)
        return None

    # How the mapping becomes functions.

    def _key_templates(self) -> list[tuple[str, str]]:
        keys = [("person_key", self.mapping.key.person)]
        if self.mapping.unit != "person" and self.mapping.key.household:
            keys.append(("household_key", self.mapping.key.household))
        return keys

    def _person_fields(self, rule: PersonRule) -> list[_Field]:
        readers: dict[str, Read] = {
            "given_name": _text, "family_name": _text, "other_names": _text, "address": _text,
            "sex": _one_of(SEXES), "relationship": _one_of(RELATIONSHIPS), "collector": _one_of(COLLECTORS),
        }  # fmt: skip
        fields = [
            self._field(name, getattr(rule, name), read)
            for name, read in readers.items()
            if getattr(rule, name)
        ]
        if rule.birth:
            fields.append(self._field("birth", rule.birth, self._birth_reader(rule.birth)))
        if rule.death_date:
            fields.append(self._field("death_date", rule.death_date, self._day_reader(rule.death_date)))
        if self.mapping.unit == "member":
            fields = [_required(one) if one.key == "relationship" else one for one in fields]
        return fields

    def _fact_fields(self, subject: str, rules: dict[str, Source]) -> list[_Field]:
        known = facts.attributes_of(subject)
        return [
            self._field(key, rule, _fact_reader(known[key], rounded=rule.rounded))
            for key, rule in rules.items()
        ]

    def _number_field(self, rule: NumberRule) -> tuple[str, str | None, _Field]:
        if rule.kind is None:
            return "phone", None, self._field("phone", rule, _number_reader(identification.clean_phone))
        kind = rule.kind
        read = _number_reader(lambda text: identification.clean_number(kind, text))
        return "identity", kind, self._field("identity_number", rule, read)

    def _area_fields(self, rule: AreaRule | None) -> tuple[Take, Take, str] | None:
        if rule is None:
            return None
        blamed = ", ".join(columns_of(rule.code)) or "area"
        own = self._template(rule.code), self._template(rule.name or rule.code)
        above = self._area_fields(rule.parent) if rule.or_parent else None
        if above is None:
            return *own, blamed
        return _either(own[0], above[0]), _either(own[1], above[1]), blamed

    def _field(self, key: str, source: Source, read: Read) -> _Field:
        return _Field(key, ", ".join(source.names()) or key, self._take(source), read, source.required)

    def _take(self, source: Source) -> Take:
        missing = frozenset((*self.mapping.missing, *source.missing))
        origin = self._origin(source)
        values = source.values

        def take(cells: Sequence[str]) -> str | None:
            text = origin(cells)
            if text is None or text in missing:
                return None
            if values is None:
                return text
            if text not in values:
                raise Problem("unknown_value", f"“{text[:40]}” is none of: {', '.join(values)}.")
            return _as_text(values[text])

        return take

    def _origin(self, source: Source) -> Take:
        if source.constant is not None:
            constant = _as_text(source.constant)
            return lambda cells: constant
        if source.template is not None:
            return self._template(source.template)
        if source.columns is not None:
            places, separator = [self._place[name] for name in source.columns], source.separator
            return lambda cells: separator.join(cells[place] for place in places if cells[place]) or None
        place = self._place[source.column or source.age or ""]
        return lambda cells: cells[place]

    def _template(self, template: str) -> Take:
        parts = [(text, None if name is None else self._place[name]) for text, name in parts_of(template)]

        def fill(cells: Sequence[str]) -> str | None:
            if any(place is not None and not cells[place] for _text, place in parts):
                return None
            return "".join(text + ("" if place is None else cells[place]) for text, place in parts)

        return fill

    def _birth_reader(self, source: Source) -> Read:
        if source.age:
            asked_on = self.mapping.reference_date
            assert asked_on is not None
            return lambda text: birth_dates.year_for_age(_age(text), on=asked_on)
        form, precision = source.format, source.precision
        if form is None:
            return lambda text: _possible(_known_part(text), self.day)

        def read(text: str) -> birth_dates.BirthDate:
            born = _day(text, form)
            first = {"year": born.replace(month=1, day=1), "month": born.replace(day=1)}.get(precision, born)
            return _possible((first, precision), self.day)

        return read

    def _day_reader(self, source: Source) -> Read:
        form = source.format or "%Y-%m-%d"

        def read(text: str) -> str:
            day = _day(text, form)
            if day > self.day:
                raise Problem("impossible_date", f"{day} is in the future.")
            return day.isoformat()

        return read

    def _column_of(self, key: str) -> str:
        return next(one.column for one in self._person if one.key == key)


def _known_areas(rule: AreaRule | None) -> frozenset[str] | None:
    if rule is None or rule.only is None:
        return None
    return frozenset((*rule.only, *([rule.parent.code] if rule.or_parent and rule.parent else [])))


def _either(first: Take, second: Take) -> Take:
    def take(cells: Sequence[str]) -> str | None:
        found = first(cells)
        return second(cells) if found is None else found

    return take


def _required(one: _Field) -> _Field:
    return _Field(one.key, one.column, one.take, one.read, required=True)


def _text(text: str) -> str | None:
    if len(text) > names.LONGEST:
        raise Problem("too_long", f"The text has {len(text)} characters, more than {names.LONGEST}.")
    return names.clean(text)


def _one_of(codes: Sequence[str]) -> Read:
    def read(text: str) -> str:
        if text not in codes:
            raise Problem("unknown_value", f"“{text[:40]}” is none of: {', '.join(codes)}.")
        return text

    return read


def _fact_reader(fact: facts.Fact, *, rounded: bool) -> Read:
    return lambda text: fact.parse(text, rounded=rounded)


def _number_reader(clean: Callable[[str], str]) -> Read:
    def read(text: str) -> str:
        try:
            return clean(text)
        except Refusal as refusal:
            raise Problem("bad_number", refusal.sentence) from None

    return read


def _age(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:4]) > birth_dates.OLDEST_YEARS:
        raise Problem("bad_value", f"“{text[:40]}” is not an age in completed years.")
    return int(text)


def _day(text: str, form: str) -> date:
    try:
        if not text.isascii():
            raise ValueError
        day = datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        # strptime forgives a missing digit; 1999219 is no date of eight digits.
        if day.strftime(form) != text and len(day.strftime(form)) != len(text):
            raise ValueError
    except ValueError:
        raise Problem(
            "bad_date", f"“{text[:40]}” is not a date of the form {_form_in_words(form)}."
        ) from None
    return day


def _form_in_words(form: str) -> str:
    for code, word in (
        ("%Y", "YYYY"),
        ("%m", "MM"),
        ("%d", "DD"),
        ("%y", "YY"),
        ("%b", "month"),
        ("%B", "month"),
    ):
        form = form.replace(code, word)
    return form


def _known_part(text: str) -> birth_dates.BirthDate:
    try:
        return birth_dates.read(text)
    except Refusal as refusal:
        raise Problem("bad_date", refusal.sentence) from None


def _possible(birth: birth_dates.BirthDate, day: date) -> birth_dates.BirthDate:
    try:
        birth_dates.check(birth[0], day=day)
    except Refusal as refusal:
        raise Problem("impossible_date", refusal.sentence) from None
    return birth


def _as_text(value: str | bool | int | None) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _readable(cell: str) -> str:
    return cell.encode(errors="replace").decode().replace("\x00", "?")
