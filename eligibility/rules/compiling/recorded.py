"""The record of each decision, made in the same statement as the decision: one JSON object, alike on both databases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Boolean, ColumnElement, Text, case, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from eligibility.rules.checking import Checked
from eligibility.rules.compiling.expressions import Expressions, grouped
from eligibility.rules.compiling.source import Source
from eligibility.rules.recording import asked

# Both databases limit how many arguments a function takes: 100 and 127.
_PAIRS = 40
# More characters than a record has: with a negative length, substr() takes all that stands before a character.
_LONGEST = 10**9


def record(checked: Checked, source: Source, reading: Expressions) -> ColumnElement[Any]:
    """{"person": {…}, "household": {…} or null, "figures": {…}} of a row."""
    wanted, row = asked(checked), source.row()
    person = {name.partition(".")[2]: row.columns[name] for name in wanted.person}
    household = {name.partition(".")[2]: reading.of(fact) for name, fact in wanted.household.items()}
    figures = {name: reading.of(figure) for figure, name in wanted.figures.items()}
    no_household = grouped(row.household_id).is_(None)
    parts: dict[str, ColumnElement[Any]] = {
        "person": _object(person),
        "household": case((~no_household, _object(household))),
    }
    if figures:
        parts["figures"] = _object(figures)
    return _object(parts)


def _object(values: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    pairs = [part for name, value in values.items() for part in (literal(name, Text()), grouped(value))]
    return JsonObject(*pairs)


class JsonObject(FunctionElement[Any]):
    """A JSON object of the pairs given: key, value, key, value …; a missing value is null."""

    name = "json_record"
    inherit_cache = True
    type = JSON()


def _blocks(element: JsonObject) -> list[list[ColumnElement[Any]]]:
    parts = list(element.clauses)
    return [parts[start : start + 2 * _PAIRS] for start in range(0, len(parts), 2 * _PAIRS)] or [[]]


@compiles(JsonObject, "postgresql")
def _on_postgresql(element: JsonObject, compiler: SQLCompiler, **given: Any) -> str:
    def pair(place: int, part: ColumnElement[Any]) -> str:
        said = compiler.process(part, **given)
        return f"CAST({said} AS TEXT)" if place % 2 == 0 else said

    return " || ".join(
        f"jsonb_build_object({', '.join(pair(place, part) for place, part in enumerate(block))})"
        for block in _blocks(element)
    )


@compiles(JsonObject, "sqlite")
def _on_sqlite(element: JsonObject, compiler: SQLCompiler, **given: Any) -> str:
    def value(part: ColumnElement[Any]) -> str:
        said = compiler.process(part, **given)
        if isinstance(part.type, Boolean):
            # Its truth values are 1 and 0; JSON has words for them.
            return f"json(CASE WHEN {said} THEN 'true' WHEN NOT {said} THEN 'false' END)"
        # What passes through a CASE is text again, unless it is said to be JSON.
        return f"json({said})" if isinstance(part.type, JSON) else said

    def pairs(block: list[ColumnElement[Any]]) -> str:
        return ", ".join(
            compiler.process(part, **given) if place % 2 == 0 else value(part)
            for place, part in enumerate(block)
        )

    made = [f"json_object({pairs(block)})" for block in _blocks(element)]
    if len(made) == 1:
        return made[0]
    # Put together as text: a key may hold any character, and json_patch would drop what is null.
    opened = [made[0], *(f"substr({one}, 2)" for one in made[1:])]
    closed = [*(f"substr({one}, -1, {-_LONGEST})" for one in opened[:-1]), opened[-1]]
    joined = " || ',' || ".join(closed)
    return f"json({joined})"
