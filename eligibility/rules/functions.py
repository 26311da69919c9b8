"""The functions of the language: has, date, div_round, least and greatest; whatever else is called is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from eligibility.rules import arithmetic, meaning, syntax
from eligibility.rules.arithmetic import Unfit, number
from eligibility.rules.meaning import BOOL, DATE, Node
from eligibility.rules.naming import Scope, meant
from eligibility.rules.syntax import Expression

if TYPE_CHECKING:
    from eligibility.rules.reading import Reader

MAX_DECIMALS = 6
A_KIND = {
    "bool": "a condition",
    "number": "a number",
    "quotient": "a number",
    "text": "a text",
    "date": "a date",
}


def call(reader: Reader, node: syntax.Call, scope: Scope) -> Node:
    """The meaning of a call without a target."""
    if node.function not in _FUNCTIONS:
        hint = meant(node.function, [*_FUNCTIONS, "size"], shown="{}()")
        raise reader.refusal(f"There is no function {node.function}().", node, scope, hint=hint)
    return _FUNCTIONS[node.function](reader, node, scope)


def if_else(condition: Node, yes: Node, no: Node, *, text: str) -> Node:
    """condition ? yes : no, with both values of one type."""
    if "quotient" in (yes.type.kind, no.type.kind):
        raise Unfit("A quotient cannot be chosen.", "Round it first with div_round(a, b).")
    if yes.type.kind != no.type.kind:
        raise Unfit(f"One value is {A_KIND[yes.type.kind]}, the other {A_KIND[no.type.kind]}.")
    type_ = yes.type
    if type_.kind == "number":
        whole, money = yes.type.whole and no.type.whole, yes.type.money or no.type.money
        yes, no = arithmetic.aligned(yes, no)
        low, high = min(yes.type.low, no.type.low), max(yes.type.high, no.type.high)
        type_ = number(low, high, scale=yes.type.scale, whole=whole, money=money)
    return meaning.IfElse(condition, yes, no, type=type_, text=text)


def _arguments(
    reader: Reader, node: syntax.Call, scope: Scope, *, count: tuple[int, ...]
) -> tuple[Expression, ...]:
    if len(node.arguments) not in count:
        wanted = " or ".join(str(n) for n in count)
        raise reader.refusal(f"{node.function}() takes {wanted} values.", node, scope)
    return node.arguments


def _has(reader: Reader, node: syntax.Call, scope: Scope) -> Node:
    (argument,) = _arguments(reader, node, scope, count=(1,))
    if not isinstance(argument, (syntax.Select, syntax.Index)):
        raise reader.refusal("has() asks about one fact, such as has(person.income).", node, scope)
    return meaning.Known(reader.read(argument, scope), type=BOOL, text=reader.text(node, scope))


def _date(reader: Reader, node: syntax.Call, scope: Scope) -> Node:
    (argument,) = _arguments(reader, node, scope, count=(1,))
    written = argument.value if isinstance(argument, syntax.Literal) else None
    try:
        if not isinstance(written, str) or len(written) != len("2026-01-31"):
            raise ValueError
        return meaning.Constant(date.fromisoformat(written), type=DATE, text=reader.text(node, scope))
    except ValueError:
        hint = 'Write date("2026-01-31").'
        raise reader.refusal("This is not a date.", argument, scope, hint=hint) from None


def _div_round(reader: Reader, node: syntax.Call, scope: Scope) -> Node:
    dividend, divisor, *digits = _arguments(reader, node, scope, count=(2, 3))
    scale = _decimals(reader, digits[0], scope) if digits else 0
    left, right = reader.read(dividend, scope), reader.read(divisor, scope)
    for side, written in ((left, dividend), (right, divisor)):
        if side.type.kind != "number":
            raise reader.refusal("div_round() divides numbers.", written, scope)
    text = reader.text(node, scope)
    quotient = arithmetic.divide(left, right, text=text)
    return arithmetic.round_to(quotient, scale=scale, rounding="half_up", text=text)


def _decimals(reader: Reader, node: Expression, scope: Scope) -> int:
    value = node.value if isinstance(node, syntax.Literal) else None
    if type(value) is not int or value > MAX_DECIMALS:
        raise reader.refusal(f"The decimals are a number from 0 to {MAX_DECIMALS}.", node, scope)
    return value


def _least_or_greatest(reader: Reader, node: syntax.Call, scope: Scope) -> Node:
    first, second = _arguments(reader, node, scope, count=(2,))
    left, right = reader.read(first, scope), reader.read(second, scope)
    if {left.type.kind, right.type.kind} != {"number"}:
        raise reader.refusal(f"{node.function}() compares two numbers.", node, scope)
    left, right = arithmetic.aligned(arithmetic.bounded(left), arithmetic.bounded(right))
    text = reader.text(node, scope)
    operator, pick = ("<=", min) if node.function == "least" else (">=", max)
    chosen = if_else(arithmetic.compare(operator, left, right, text=text), left, right, text=text)
    low, high = pick(left.type.low, right.type.low), pick(left.type.high, right.type.high)
    return replace(chosen, type=replace(chosen.type, low=low, high=high))


_FUNCTIONS: dict[str, Callable[[Reader, syntax.Call, Scope], Node]] = {
    "has": _has,
    "date": _date,
    "div_round": _div_round,
    "least": _least_or_greatest,
    "greatest": _least_or_greatest,
}
