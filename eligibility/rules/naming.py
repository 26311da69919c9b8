"""What a word in a rule stands for, and which word was meant when it stands for nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from eligibility.rules.arithmetic import constant
from eligibility.rules.meaning import BOOL, DATE, TEXT, Constant
from eligibility.rules.refusal import RuleError, Source
from eligibility.rules.ruleset import Value

NAMESPACES = ("person", "household", "param", "table", "as_of")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a word stands: in which text, and which rows (person, a macro's m) have a name there.

    `macros` counts the macros around it in the text; `deriving` names the derived facts around it, against circles.
    """

    source: Source
    rows: Mapping[str, int]
    next_level: int
    macros: int = 0
    deriving: tuple[str, ...] = ()


def meant(word: str, known: Iterable[str], *, shown: str = "{}") -> str | None:
    """A hint with the nearest known word."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean {shown.format(near[0])}?" if near else None


Parameter: TypeAlias = Constant | tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters as typed constants."""

    values: Mapping[str, Parameter] = field(default_factory=dict)

    @classmethod
    def of(cls, written: Mapping[str, Value | Sequence[Value]]) -> Parameters:
        return cls({name: _parameter(name, value) for name, value in written.items()})


def _parameter(name: str, value: Value | Sequence[Value]) -> Parameter:
    text = f"param.{name}"
    source = Source(name, "parameters")
    if not name.isidentifier():
        raise RuleError(
            f"“{name}” is not a name.", source=source, hint="Use letters, digits and underscores."
        )
    if isinstance(value, (list, tuple)):
        if not value:
            raise RuleError(
                f"The list {text} is empty.", source=source, hint="A list needs at least one value."
            )
        return tuple(typed(item, text=text, source=source) for item in value)
    return typed(value, text=text, source=source)


def typed(value: object, *, text: str, source: Source, at: int = 0) -> Constant:
    """A literal or parameter with its type; a decimal becomes a whole number and a scale, exactly."""
    match value:
        case bool():
            return Constant(value, type=BOOL, text=text)
        case int() if abs(value) < 10**18:
            return constant(value, text=text, whole=True)
        case Decimal() if value.is_finite() and abs(value) < 10**18:
            exponent = value.as_tuple().exponent
            assert isinstance(exponent, int)
            scale = max(0, -exponent)
            if scale <= 12:
                return constant(int(value.scaleb(scale)), scale=scale, text=text)
        case str():
            return Constant(value, type=TEXT, text=text)
        case date():
            return Constant(value, type=DATE, text=text)
    hint = "A number with decimals is given as an exact Decimal." if isinstance(value, float) else None
    raise RuleError(f"{value!r} is not a value that a rule can use.", source=source, at=at, hint=hint)
