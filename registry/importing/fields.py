"""A mapping becomes functions: for each field, one that takes it out of a row and one that reads what was taken.

This is done once for each chunk of a list; a row then costs a walk over the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from mis.errors import Refusal
from registry import birth_dates, facts, identification, names
from registry.importing.mapping import AreaRule, Mapping, NumberRule, PersonRule, Source, columns_of, parts_of
from registry.importing.reasons import Problem
from registry.models.households import COLLECTORS, RELATIONSHIPS
from registry.models.persons import SEXES

Take = Callable[[Sequence[str]], str | None]
Read = Callable[[str], Any]


@dataclass(frozen=True)
class Field:
    """A field: where it is put, the columns that are blamed, how it is taken out of the row and read."""

    key: str
    column: str
    take: Take
    read: Read
    required: bool


class Fields:
    """The functions of a mapping under a header; `day` is the day after which no one was born yet."""

    def __init__(self, mapping: Mapping, header: Sequence[str], *, day: date) -> None:
        self._mapping, self._day = mapping, day
        self._place = {name: place for place, name in enumerate(header)}

    def key_templates(self) -> list[tuple[str, str]]:
        keys = [("person_key", self._mapping.key.person)]
        if self._mapping.unit != "person" and self._mapping.key.household:
            keys.append(("household_key", self._mapping.key.household))
        return keys

    def of_person(self, rule: PersonRule) -> list[Field]:
        readers: dict[str, Read] = {
            "given_name": read_text, "family_name": read_text, "other_names": read_text, "address": read_text,
            "sex": _one_of(SEXES), "relationship": _one_of(RELATIONSHIPS), "collector": _one_of(COLLECTORS),
        }  # fmt: skip
        fields = [
            self.field(name, getattr(rule, name), read)
            for name, read in readers.items()
            if getattr(rule, name)
        ]
        if rule.birth:
            fields.append(self.field("birth", rule.birth, self._birth_reader(rule.birth)))
        if rule.death_date:
            fields.append(self.field("death_date", rule.death_date, self._day_reader(rule.death_date)))
        if self._mapping.unit == "member":
            fields = [_required(one) if one.key == "relationship" else one for one in fields]
        return fields

    def of_facts(self, subject: str, rules: dict[str, Source]) -> list[Field]:
        known = facts.attributes_of(subject)
        return [
            self.field(key, rule, _fact_reader(known[key], rounded=rule.rounded))
            for key, rule in rules.items()
        ]

    def of_number(self, rule: NumberRule) -> tuple[str, str | None, Field]:
        if rule.kind is None:
            return "phone", None, self.field("phone", rule, _number_reader(identification.clean_phone))
        kind = rule.kind
        read = _number_reader(lambda text: identification.clean_number(kind, text))
        return "identity", kind, self.field("identity_number", rule, read)

    def of_area(self, rule: AreaRule | None) -> tuple[Take, Take, str] | None:
        if rule is None:
            return None
        blamed = ", ".join(columns_of(rule.code)) or "area"
        own = self.template(rule.code), self.template(rule.name or rule.code)
        above = self.of_area(rule.parent) if rule.or_parent else None
        if above is None:
            return *own, blamed
        return _either(own[0], above[0]), _either(own[1], above[1]), blamed

    def field(self, key: str, source: Source, read: Read) -> Field:
        return Field(key, ", ".join(source.names()) or key, self._take(source), read, source.required)

    def _take(self, source: Source) -> Take:
        missing = frozenset((*self._mapping.missing, *source.missing))
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
            return self.template(source.template)
        if source.columns is not None:
            places, separator = [self._place[name] for name in source.columns], source.separator
            return lambda cells: separator.join(cells[place] for place in places if cells[place]) or None
        place = self._place[source.column or source.age or ""]
        return lambda cells: cells[place]

    def template(self, template: str) -> Take:
        parts = [(text, None if name is None else self._place[name]) for text, name in parts_of(template)]

        def fill(cells: Sequence[str]) -> str | None:
            if any(place is not None and not cells[place] for read_text, place in parts):
                return None
            return "".join(text + ("" if place is None else cells[place]) for text, place in parts)

        return fill

    def _birth_reader(self, source: Source) -> Read:
        if source.age:
            asked_on = self._mapping.reference_date
            assert asked_on is not None
            return lambda text: birth_dates.year_for_age(_age(text), on=asked_on)
        form, precision = source.format, source.precision
        if form is None:
            return lambda text: _possible(_known_part(text), self._day)

        def read(text: str) -> birth_dates.BirthDate:
            born = _day(text, form)
            first = {"year": born.replace(month=1, day=1), "month": born.replace(day=1)}.get(precision, born)
            return _possible((first, precision), self._day)

        return read

    def _day_reader(self, source: Source) -> Read:
        form = source.format or "%Y-%m-%d"

        def read(text: str) -> str:
            day = _day(text, form)
            if day > self._day:
                raise Problem("impossible_date", f"{day} is in the future.")
            return day.isoformat()

        return read


def _either(first: Take, second: Take) -> Take:
    def take(cells: Sequence[str]) -> str | None:
        found = first(cells)
        return second(cells) if found is None else found

    return take


def _required(one: Field) -> Field:
    return replace(one, required=True)


def read_text(text: str) -> str | None:
    """A text as it is stored. Raises Problem."""
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
