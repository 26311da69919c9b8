"""One row of a list becomes what will be stored, or a list of what is wrong with it.

Every field is tried, so that a clerk sees all problems of a row at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any

from mis import sealed
from mis.errors import Refusal
from registry import names
from registry.importing.fields import Field, Fields, Take, read_text
from registry.importing.mapping import AreaRule, Mapping, columns_of
from registry.importing.reasons import Problem
from registry.importing.sheets import CELL_CHARACTERS


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


class Reader:
    """A mapping made ready for rows under a header; `day` is the day after which no one was born yet."""

    def __init__(self, mapping: Mapping, header: Sequence[str], *, day: date) -> None:
        self.mapping, self.header = mapping, list(header)
        fields = Fields(mapping, header, day=day)
        self._person = fields.of_person(mapping.person)
        self._person_facts = fields.of_facts("person", mapping.person.facts)
        household = mapping.household
        self._household = [fields.field("address", household.address, read_text)] if household.address else []
        self._household_facts = fields.of_facts("household", household.facts)
        self._keys = [(name, fields.template(text), text) for name, text in fields.key_templates()]
        self._numbers = [fields.of_number(rule) for rule in (*mapping.identity_numbers, *mapping.phones)]
        self._area = fields.of_area(mapping.area)
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

    def _facts(self, row: Reading, cells: list[str], fields: list[Field]) -> dict[str, Any]:
        values = ((one.key, self._value(row, cells, one)) for one in fields)
        return {key: value for key, value in values if value is not None}

    def _value(self, row: Reading, cells: list[str], one: Field) -> Any:
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

    def _column_of(self, key: str) -> str:
        return next(one.column for one in self._person if one.key == key)


def _known_areas(rule: AreaRule | None) -> frozenset[str] | None:
    if rule is None or rule.only is None:
        return None
    return frozenset((*rule.only, *([rule.parent.code] if rule.or_parent and rule.parent else [])))


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _readable(cell: str) -> str:
    return cell.encode(errors="replace").decode().replace("\x00", "?")
