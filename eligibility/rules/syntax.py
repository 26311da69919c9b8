"""The tree of a rule as it was written: CEL's grammar, every node with its place in the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

# A rule is read by people and by a database's planner; beyond these sizes neither can.
MAX_CHARACTERS = 4_000
MAX_NESTING = 50
MAX_DEPTH = 120
MAX_OPERANDS = 200
MAX_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """`start` and `end` are offsets in the text; `depth` is the longest way down, kept so that no walk recurses far."""

    start: int = field(compare=False)
    end: int = field(compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Literal(_Placed):
    """A number, text, truth value or null. Decimals keep their written scale: 0.10 is not 0.1."""

    value: int | Decimal | str | bool | None


@dataclass(frozen=True, slots=True)
class Name(_Placed):
    """A bare word: person, household, param, a macro's variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Select(_Placed):
    """operand.field"""

    operand: Expression
    field: str


@dataclass(frozen=True, slots=True)
class Index(_Placed):
    """operand[key], which the profile has for tables only."""

    operand: Expression
    key: Expression


@dataclass(frozen=True, slots=True)
class Call(_Placed):
    """function(arguments) or target.function(arguments)"""

    function: str
    target: Expression | None
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ListOf(_Placed):
    """[a, b, c]"""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unary(_Placed):
    """! or - before an operand"""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(_Placed):
    """Arithmetic, a comparison or `in`"""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Chain(_Placed):
    """a && b && c, or a || b || c, kept flat so that a long list of conditions is wide and not deep."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Choice(_Placed):
    """condition ? yes : no"""

    condition: Expression
    yes: Expression
    no: Expression


Expression: TypeAlias = Literal | Name | Select | Index | Call | ListOf | Unary | Binary | Chain | Choice
