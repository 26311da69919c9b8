"""Exact numbers: scales aligned, bounds followed, so that both evaluators compute whole numbers without overflow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, cast

from eligibility.rules.meaning import (
    BOOL,
    Arithmetic,
    Compare,
    Constant,
    IfElse,
    Node,
    Quotient,
    Rounded,
    Stored,
    Type,
)

# Half of what a BIGINT holds: room for the doubling that rounding needs.
LARGEST = 2**62
MAX_SCALE = 12
MAX_MEMBERS = 1_000


class Unfit(Exception):
    """Why numbers cannot be combined; the reader of the rule adds the place."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def number(low: int, high: int, *, scale: int = 0, whole: bool = False, money: bool = False) -> Type:
    """The type of a number between two bounds, or Unfit if it could overflow."""
    if max(abs(low), abs(high)) > LARGEST or scale > MAX_SCALE:
        raise Unfit(
            "This can become larger than the 18 digits that are computed exactly.",
            "Give the facts in it closer bounds in the catalogue, or use fewer decimals.",
        )
    return Type("number", scale=scale, low=low, high=high, whole=whole, money=money)


def constant(value: int, *, scale: int = 0, text: str, whole: bool = False, money: bool = False) -> Constant:
    """A number that is always the same."""
    return Constant(value, type=number(value, value, scale=scale, whole=whole, money=money), text=text)


def bounded(node: Node) -> Node:
    """The same value, not known where it lies outside its bounds: arithmetic follows."""
    if isinstance(node, Stored) and node.type.kind == "number":
        return replace(node, bounded=True)
    if isinstance(node, IfElse):
        return replace(node, yes=bounded(node.yes), no=bounded(node.no))
    return node


def scaled(node: Node, scale: int) -> Node:
    """The number (or the quotient's value) at a finer scale."""
    factor = 10 ** (scale - node.type.scale)
    if factor == 1:
        return node
    if isinstance(node, Quotient):
        dividend = scaled(replace_scale(node.dividend, 0), scale - node.type.scale)
        return replace(node, dividend=replace_scale(dividend, 0), type=replace(node.type, scale=scale))
    low, high = node.type.low * factor, node.type.high * factor
    type_ = number(low, high, scale=scale, whole=node.type.whole, money=node.type.money)
    if isinstance(node, Constant):
        return Constant(cast(int, node.value) * factor, type=type_, text=node.text)
    ten = constant(factor, text=str(factor))
    return Arithmetic("*", bounded(node), ten, type=type_, text=node.text)


def replace_scale(node: Node, scale: int) -> Node:
    """The bare whole number, its scale kept elsewhere."""
    return replace(node, type=replace(node.type, scale=scale))


def aligned(left: Node, right: Node) -> tuple[Node, Node]:
    """Both at the finer of their scales."""
    scale = max(left.type.scale, right.type.scale)
    return scaled(left, scale), scaled(right, scale)


def combine(operator: str, left: Node, right: Node, *, text: str) -> Node:
    """left operator right, folded if both are constant."""
    if "quotient" in (left.type.kind, right.type.kind):
        raise Unfit(
            "A quotient is exact and can only be compared; it cannot be calculated with.",
            "Round it first: div_round(a, b) to whole numbers, div_round(a, b, 2) to two decimals.",
        )
    if left.type.kind != "number" or right.type.kind != "number":
        wrong = left if left.type.kind != "number" else right
        raise Unfit(f"{operator} calculates with numbers, and “{wrong.text}” is not a number.")
    if operator == "/" and not (left.type.whole and right.type.whole):
        return divide(left, right, text=text)
    combined = _COMBINERS[operator](bounded(left), bounded(right), text)
    return _folded(combined)


def _plus_minus(operator: Literal["+", "-"]) -> Callable[[Node, Node, str], Arithmetic]:
    def combined(left: Node, right: Node, text: str) -> Arithmetic:
        whole = left.type.whole and right.type.whole
        money = left.type.money or right.type.money
        left, right = aligned(left, right)
        a, b = left.type, right.type
        low, high = (a.low + b.low, a.high + b.high) if operator == "+" else (a.low - b.high, a.high - b.low)
        type_ = number(low, high, scale=a.scale, whole=whole, money=money)
        return Arithmetic(operator, left, right, type=type_, text=text)

    return combined


def _times(left: Node, right: Node, text: str) -> Arithmetic:
    a, b = left.type, right.type
    if a.money and b.money:
        raise Unfit("Two amounts of money cannot be multiplied.")
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    type_ = number(
        min(ends), max(ends), scale=a.scale + b.scale, whole=a.whole and b.whole, money=a.money or b.money
    )
    return Arithmetic("*", left, right, type=type_, text=text)


def _truncated(left: Node, right: Node, text: str) -> Arithmetic:
    _not_zero(right)
    a = left.type
    widest = max(abs(a.low), abs(a.high))
    low = 0 if a.low >= 0 and right.type.low >= 0 else -widest
    return Arithmetic("/", left, right, type=number(low, widest, whole=True), text=text)


def _remainder(left: Node, right: Node, text: str) -> Arithmetic:
    if not (left.type.whole and right.type.whole):
        raise Unfit("% is for whole numbers.")
    _not_zero(right)
    widest = max(abs(right.type.low), abs(right.type.high))
    low = 0 if left.type.low >= 0 else -widest
    return Arithmetic("%", left, right, type=number(low, widest, whole=True), text=text)


_COMBINERS: dict[str, Callable[[Node, Node, str], Arithmetic]] = {
    "+": _plus_minus("+"),
    "-": _plus_minus("-"),
    "*": _times,
    "/": _truncated,
    "%": _remainder,
}


def _not_zero(divisor: Node) -> None:
    if isinstance(divisor, Constant) and divisor.value == 0:
        raise Unfit("This divides by zero.")


def _folded(node: Arithmetic) -> Node:
    if not (isinstance(node.left, Constant) and isinstance(node.right, Constant)):
        return node
    value = calculate(node.operator, cast(int, node.left.value), cast(int, node.right.value))
    assert value is not None, node
    return Constant(value, type=replace(node.type, low=value, high=value), text=node.text)


def calculate(operator: str, left: int, right: int) -> int | None:
    """Whole numbers; division truncates towards zero, and by zero gives nothing."""
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if right == 0:
        return None
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return quotient if operator == "/" else left - quotient * right


def divide(left: Node, right: Node, *, text: str) -> Quotient:
    """An exact quotient: whole numbers over whole numbers, with the scale that is left over."""
    _not_zero(right)
    left, right = bounded(left), bounded(right)
    scale = left.type.scale - right.type.scale
    money = left.type.money and not right.type.money
    if scale < 0:
        left, scale = scaled(left, right.type.scale), 0
    widest = max(abs(left.type.low), abs(left.type.high))
    low = 0 if left.type.low >= 0 and right.type.low >= 0 else -widest
    type_ = Type("quotient", scale=scale, low=low, high=widest, money=money)
    return Quotient(replace_scale(left, 0), replace_scale(right, 0), type=type_, text=text)


def compare(operator: str, left: Node, right: Node, *, text: str) -> Compare:
    """left operator right, for numbers and quotients."""
    left, right = aligned(left, right)
    sides = [(s.dividend, s.divisor) if isinstance(s, Quotient) else (s, None) for s in (left, right)]
    (_, left_divisor), (_, right_divisor) = sides
    # Compared by cross-multiplication: the products must fit as well.
    for (dividend, _), divisors in zip(sides, ([right_divisor], [left_divisor]), strict=True):
        _fits(dividend, *(d for d in divisors if d))
    if left_divisor and right_divisor:
        _fits(left_divisor, right_divisor)
    if left_divisor or right_divisor:
        left, right = bounded(left), bounded(right)
    return Compare(operator, left, right, type=BOOL, text=text)  # type: ignore[arg-type]


def _fits(*factors: Node) -> None:
    widest = 1
    for factor in factors:
        widest *= max(abs(factor.type.low), abs(factor.type.high), 1)
    number(-widest, widest)


def round_to(node: Node, *, scale: int, rounding: str, step: int = 1, text: str) -> Node:
    """The number or quotient as whole units of a scale, in multiples of `step`."""
    dividend, divisor = (
        (node.dividend, node.divisor)
        if isinstance(node, Quotient)
        else (replace_scale(bounded(node), 0), None)
    )
    low, high = node.type.low, node.type.high
    if scale >= node.type.scale:
        dividend = scaled(dividend, scale - node.type.scale)
        dividend = replace_scale(dividend, 0)
        low, high = low * 10 ** (scale - node.type.scale), high * 10 ** (scale - node.type.scale)
        if divisor is None and step == 1:
            return replace(
                dividend,
                type=number(low, high, scale=scale, whole=scale == 0, money=node.type.money),
                text=text,
            )
    finer = constant(10 ** max(0, node.type.scale - scale), text="1")
    divisor = finer if divisor is None else combine("*", divisor, finer, text=divisor.text)
    widest_divisor = max(abs(divisor.type.low), abs(divisor.type.high)) * step
    widest = max(abs(dividend.type.low), abs(dividend.type.high))
    number(0, widest + widest_divisor)
    type_ = number(
        0 if low >= 0 else -widest - step, widest + step, scale=scale, whole=scale == 0, money=node.type.money
    )
    return Rounded(dividend, divisor, rounding, step, type=type_, text=text)
