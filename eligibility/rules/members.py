"""Questions about the members of a household: exists, all, count, sum … over household.members, filtered or not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from eligibility.rules import arithmetic, meaning, syntax
from eligibility.rules.arithmetic import MAX_MEMBERS, number
from eligibility.rules.meaning import BOOL, Node
from eligibility.rules.naming import NAMESPACES, Scope, meant
from eligibility.rules.syntax import Expression

if TYPE_CHECKING:
    from eligibility.rules.reading import Reader

_TESTS = ("exists", "all", "exists_one", "count", "count_known")
_FIGURES = ("sum", "sum_known", "min", "max", "avg")
MACROS = (*_TESTS, *_FIGURES, "filter", "size")
MAX_MACROS = 2


def aggregate(reader: Reader, node: syntax.Call, scope: Scope) -> Node:
    """household.members.macro(m, …), or size(household.members)."""
    if node.target is None:
        return _size_function(reader, node, scope)
    if node.function not in MACROS:
        hint = meant(node.function, MACROS, shown=".{}(m, …)")
        raise reader.refusal(f"There is no .{node.function}().", node, scope, hint=hint)
    if node.function == "filter":
        raise reader.refusal(
            "filter() gives a list.", node, scope, hint="Continue with .count(), .sum(m, …), .exists(m, …) …"
        )
    condition = _filtered(reader, node.target, scope)
    if node.function in ("size", "count", "count_known") and not node.arguments:
        return _made(reader, node, scope, "count", condition, None)
    if node.function == "size":
        raise reader.refusal("size() takes nothing in parentheses.", node, scope)
    body = _body(reader, node, scope)
    return _FIGURE_OR_TEST[node.function](reader, node, scope, condition, body)


def _size_function(reader: Reader, node: syntax.Call, scope: Scope) -> Node:
    if len(node.arguments) != 1:
        raise reader.refusal("size() takes one list.", node, scope)
    return _made(reader, node, scope, "count", _filtered(reader, node.arguments[0], scope), None)


def _filtered(reader: Reader, target: Expression, scope: Scope) -> Node | None:
    """The condition by which the members in question are chosen; None for all members."""
    if (
        isinstance(target, syntax.Select)
        and target.field == "members"
        and target.operand == syntax.Name("household", start=0, end=0)
    ):
        return None
    if isinstance(target, syntax.Call) and target.function == "filter" and target.target is not None:
        before = _filtered(reader, target.target, scope)
        condition = _condition(reader, target, scope)
        return condition if before is None else _both(before, condition)
    raise reader.refusal("Only household.members, filtered or not, is a list.", target, scope)


def _inside(reader: Reader, node: syntax.Call, scope: Scope) -> tuple[Scope, Expression]:
    """The scope within the macro and the expression in it."""
    if len(node.arguments) != 2 or not isinstance(node.arguments[0], syntax.Name):
        raise reader.refusal(
            f"{node.function}() takes a name and an expression: .{node.function}(m, m.…).", node, scope
        )
    variable = node.arguments[0].name
    if variable in NAMESPACES or variable in scope.rows:
        raise reader.refusal(
            f"“{variable}” already means something here.",
            node.arguments[0],
            scope,
            hint="Choose another name.",
        )
    if scope.macros >= MAX_MACROS:
        raise reader.refusal(
            f"Macros are nested more than {MAX_MACROS} deep.",
            node,
            scope,
            hint="Name a part as a derived fact.",
        )
    rows = {**scope.rows, variable: scope.next_level}
    return replace(
        scope, rows=rows, next_level=scope.next_level + 1, macros=scope.macros + 1
    ), node.arguments[1]


def _condition(reader: Reader, node: syntax.Call, scope: Scope) -> Node:
    inner, expression = _inside(reader, node, scope)
    return reader.condition(expression, inner)


def _body(reader: Reader, node: syntax.Call, scope: Scope) -> Node:
    if node.function in _TESTS:
        return _condition(reader, node, scope)
    inner, expression = _inside(reader, node, scope)
    value = reader.read(expression, inner)
    allowed = ("number", "date") if node.function in ("min", "max") else ("number",)
    if value.type.kind not in allowed:
        hint = "Round a quotient first: div_round(a, b)." if value.type.kind == "quotient" else None
        raise reader.refusal(
            f"{node.function}() needs {' or '.join(allowed)} values.", expression, inner, hint=hint
        )
    return arithmetic.bounded(value)


def _both(first: Node, second: Node) -> Node:
    return meaning.AllOf((first, second), type=BOOL, text=f"{first.text} && {second.text}")


def _made(
    reader: Reader,
    node: syntax.Call,
    scope: Scope,
    function: meaning.Function,
    condition: Node | None,
    value: Node | None,
) -> meaning.Aggregate:
    type_ = BOOL
    if function in ("count", "count_known"):
        type_ = number(0, MAX_MEMBERS, whole=True)
    elif function in ("sum", "sum_known"):
        assert value is not None
        low, high = min(0, value.type.low * MAX_MEMBERS), max(0, value.type.high * MAX_MEMBERS)
        type_ = number(low, high, scale=value.type.scale, whole=value.type.whole, money=value.type.money)
    elif value is not None:
        type_ = value.type
    made = meaning.Aggregate(
        function, scope.next_level, condition, value, type=type_, text=reader.text(node, scope)
    )
    if len(made.free) > 1:
        raise reader.refusal(
            "A member is compared with two other people at once.",
            node,
            scope,
            hint="Compare with one, or use a derived fact.",
        )
    return made


def _exists(reader: Reader, node: syntax.Call, scope: Scope, chosen: Node | None, body: Node) -> Node:
    return _made(reader, node, scope, "exists", body if chosen is None else _both(chosen, body), None)


def _all(reader: Reader, node: syntax.Call, scope: Scope, chosen: Node | None, body: Node) -> Node:
    if chosen is not None:
        other = meaning.Not(chosen, type=BOOL, text=f"!({chosen.text})")
        body = meaning.AnyOf((other, body), type=BOOL, text=f"{other.text} || {body.text}")
    return _made(reader, node, scope, "all", body, None)


def _count(reader: Reader, node: syntax.Call, scope: Scope, chosen: Node | None, body: Node) -> Node:
    function: meaning.Function = "count_known" if node.function == "count_known" else "count"
    return _made(reader, node, scope, function, body if chosen is None else _both(chosen, body), None)


def _exists_one(reader: Reader, node: syntax.Call, scope: Scope, chosen: Node | None, body: Node) -> Node:
    one = arithmetic.constant(1, text="1", whole=True)
    return arithmetic.compare(
        "==", _count(reader, node, scope, chosen, body), one, text=reader.text(node, scope)
    )


def _figure(reader: Reader, node: syntax.Call, scope: Scope, chosen: Node | None, body: Node) -> Node:
    return _made(reader, node, scope, node.function, chosen, body)  # type: ignore[arg-type]


def _average(reader: Reader, node: syntax.Call, scope: Scope, chosen: Node | None, body: Node) -> Node:
    total = _made(reader, node, scope, "sum", chosen, body)
    number_of = _made(reader, node, scope, "count", chosen, None)
    return arithmetic.divide(total, number_of, text=reader.text(node, scope))


_FIGURE_OR_TEST = {
    "exists": _exists,
    "all": _all,
    "exists_one": _exists_one,
    "count": _count,
    "count_known": _count,
    "sum": _figure,
    "sum_known": _figure,
    "min": _figure,
    "max": _figure,
    "avg": _average,
}
