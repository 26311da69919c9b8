"""Each meaning as a SQLAlchemy expression. NULL is "not known"; AND, OR and NOT of SQL are those of the language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import reduce
from operator import add
from typing import Any
from typing import cast as typed_as

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    true,
)
from sqlalchemy.sql.elements import Grouping

from eligibility.rules import meaning
from eligibility.rules.arithmetic import LARGEST
from eligibility.rules.checking import Checked
from eligibility.rules.compiling import birth_dates
from eligibility.rules.compiling.source import Row, Source
from eligibility.rules.meaning import Node

Expression = ColumnElement[Any]


def grouped(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    """In parentheses: NOT (c) IS NULL and its like are read as they are meant."""
    return Grouping(expression)


def whole(value: int) -> ColumnElement[int]:
    """A bound number that is a BIGINT on every database, so that what is computed with it is one too."""
    assert -LARGEST * 2 <= value < LARGEST * 2
    return literal(value, BigInteger())


class Expressions:
    """Reads meanings on the rows of one scan; `ready` is what the scan is joined to already."""

    def __init__(
        self,
        checked: Checked,
        source: Source,
        levels: Mapping[int, Row],
        ready: Mapping[Node, Expression],
        *,
        as_of: date,
    ) -> None:
        self.checked, self.source, self.levels, self.ready, self.as_of = (
            checked,
            source,
            levels,
            ready,
            as_of,
        )

    def of(self, node: Node) -> Expression:
        found = self.found(node)
        return _EXPRESSIONS[type(node)](self, node) if found is None else found

    def found(self, node: Node) -> Expression | None:
        """What the scan has worked out already of a node, if it has."""
        return None if node.free and not isinstance(node, meaning.Aggregate) else self.ready.get(node)

    def condition(self, node: Node) -> ColumnElement[bool]:
        assert node.type.kind == "bool", node
        return self.of(node)

    def number(self, node: Node) -> ColumnElement[int]:
        assert node.type.kind == "number", node
        return self.of(node)

    # --- facts ---

    def constant(self, node: meaning.Constant) -> Expression:
        if isinstance(node.value, bool):
            return true() if node.value else false()
        if isinstance(node.value, int):
            return whole(node.value)
        return literal(node.value, String() if isinstance(node.value, str) else Date())

    def day(self, node: meaning.AsOf) -> Expression:
        return literal(self.as_of, Date())

    def stored(self, node: meaning.Stored) -> Expression:
        row = None if node.level < 0 else self.levels[node.level]
        column = self.source.column(node.fact.name, row)
        if not node.bounded or node.type.kind != "number":
            return column
        within = grouped(column).between(whole(node.type.low), whole(node.type.high))
        return case((within, cast(column, BigInteger)), else_=null())

    def age(self, node: meaning.Age) -> Expression:
        return birth_dates.completed_years(self.birth_date(node), as_of=self.as_of)

    def birth_date(self, node: meaning.Age) -> birth_dates.BirthDate:
        return birth_dates.BirthDate.of(self.source, self.levels[node.level], self.checked)

    def look_up(self, node: meaning.LookUp) -> Expression:
        rows = [(self.of(code), self.of(value)) for code, value in node.rows]
        return case(*rows, value=grouped(self.of(node.key)), else_=null())

    # --- logic ---

    def negation(self, node: meaning.Not) -> Expression:
        return not_(grouped(self.condition(node.item)))

    def all_of(self, node: meaning.AllOf) -> Expression:
        return and_(*(grouped(self.condition(item)) for item in node.items))

    def any_of(self, node: meaning.AnyOf) -> Expression:
        return or_(*(grouped(self.condition(item)) for item in node.items))

    def if_else(self, node: meaning.IfElse) -> Expression:
        if isinstance(node.no, meaning.IfElse):
            return self.bands(node)
        yes, no = self.of(node.yes), self.of(node.no)
        condition = grouped(self.condition(node.condition))
        return typed_as(Expression, case((true(), yes), (false(), no), value=condition, else_=null()))

    def bands(self, node: meaning.IfElse) -> Expression:
        """a ? x : b ? y : z as one CASE, which no number of bands nests deeper."""
        cases: list[tuple[ColumnElement[bool], Expression]] = []
        last: Node = node
        # A band that the scan has worked out is taken from there: what it is made of was not joined.
        while isinstance(last, meaning.IfElse) and (last is node or self.found(last) is None):
            condition = grouped(self.condition(last.condition))
            cases += [(condition, self.of(last.yes)), (condition.is_(None), null())]
            last = last.no
        return case(*cases, else_=self.of(last))

    def compare(self, node: meaning.Compare) -> Expression:
        if isinstance(node.left, meaning.Quotient) or isinstance(node.right, meaning.Quotient):
            return self.compare_quotients(node)
        by_birth_date = birth_dates.rewritten(node, self.birth_date, as_of=self.as_of)
        if by_birth_date is not None:
            return by_birth_date
        return _COMPARISONS[node.operator](grouped(self.of(node.left)), grouped(self.of(node.right)))

    def compare_quotients(self, node: meaning.Compare) -> Expression:
        """a/b < c/d is a*d < c*b where b*d is above zero, the other way round where below, not known where zero."""
        (a, b), (c, d) = self.fraction(node.left), self.fraction(node.right)
        left = a if d is None else grouped(a) * grouped(d)
        right = c if b is None else grouped(c) * grouped(b)
        divisors = [grouped(divisor) for divisor in (b, d) if divisor is not None]
        product = divisors[0] if len(divisors) == 1 else divisors[0] * divisors[1]
        zero = whole(0)
        forward = _COMPARISONS[node.operator](grouped(left), grouped(right))
        backward = _COMPARISONS[_REVERSED[node.operator]](grouped(left), grouped(right))
        return case((grouped(product) > zero, forward), (grouped(product) < zero, backward), else_=null())

    def fraction(self, node: Node) -> tuple[Expression, Expression | None]:
        if isinstance(node, meaning.Quotient):
            return self.of(node.dividend), self.of(node.divisor)
        return self.of(node), None

    def among(self, node: meaning.Among) -> Expression:
        return grouped(self.of(node.item)).in_([self.of(value) for value in node.values])

    def known(self, node: meaning.Known) -> Expression:
        if isinstance(node.item, meaning.Quotient):
            dividend, divisor = self.of(node.item.dividend), self.of(node.item.divisor)
            return and_(grouped(dividend).is_not(None), func.coalesce(divisor, whole(0)) != whole(0))
        if isinstance(node.item, meaning.Age):
            return self.birth_date(node.item).stored.is_not(None)
        return grouped(self.of(node.item)).is_not(None)

    # --- numbers ---

    def arithmetic(self, node: meaning.Arithmetic) -> Expression:
        if node.adds:
            return self.total(node)
        left, right = grouped(self.number(node.left)), grouped(self.number(node.right))
        if node.operator in ("/", "%"):
            right = _not_zero(node.right, right)
        return _CALCULATIONS[node.operator](left, right)

    def total(self, node: meaning.Arithmetic) -> Expression:
        """a - b + c as (a) + -(b) + (c): SQLAlchemy nests every - in parentheses, and a chain of + in none."""
        terms: list[Expression] = []
        first: Node = node
        while (
            isinstance(first, meaning.Arithmetic)
            and first.adds
            and (first is node or self.found(first) is None)
        ):
            term = grouped(self.number(first.right))
            terms.append(term if first.operator == "+" else grouped(-term))
            first = first.left
        return reduce(add, [grouped(self.number(first)), *reversed(terms)])

    def rounded(self, node: meaning.Rounded) -> Expression:
        dividend, divisor = grouped(self.number(node.dividend)), grouped(self.number(node.divisor))
        sign: Expression | None = None
        for part, expression in ((node.dividend, dividend), (node.divisor, divisor)):
            if part.type.low < 0:
                assert node.rounding == "half_up", "an amount, rounded otherwise, is never below zero"
                turned = case((expression < whole(0), whole(-1)), else_=whole(1))
                sign = turned if sign is None else sign * turned
        if node.dividend.type.low < 0:
            dividend = func.abs(dividend, type_=BigInteger())
        if node.divisor.type.low < 0:
            divisor = func.abs(divisor, type_=BigInteger())
        if node.step > 1:
            divisor = grouped(divisor * whole(node.step))
        divisor = _not_zero(node.divisor, divisor)
        lower, rest = grouped(dividend // divisor), grouped(dividend % divisor)
        next_one = _TAKES_NEXT[node.rounding](lower, rest, divisor)
        result = grouped(lower + case((next_one, whole(1)), else_=whole(0)))
        result = result * whole(node.step) if node.step > 1 else result
        return result if sign is None else grouped(result) * grouped(sign)


def _not_zero(node: Node, divisor: Expression) -> Expression:
    """NULL for zero: PostgreSQL would abort the whole run, SQLite would not."""
    if node.type.low > 0 or node.type.high < 0:
        return divisor
    return func.nullif(divisor, whole(0), type_=BigInteger())


_REVERSED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

_COMPARISONS: dict[str, Callable[[Expression, Expression], ColumnElement[bool]]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}

_CALCULATIONS: dict[str, Callable[[Expression, Expression], Expression]] = {
    "*": lambda left, right: left * right,
    "/": lambda left, right: left // right,
    "%": lambda left, right: left % right,
}

# Of a value not below zero: whether lower + rest/divisor is rounded to lower + 1. Doubling the rest cannot overflow.
_TAKES_NEXT: dict[str, Callable[[Expression, Expression, Expression], ColumnElement[bool]]] = {
    "down": lambda lower, rest, divisor: false(),
    "up": lambda lower, rest, divisor: rest > whole(0),
    "half_up": lambda lower, rest, divisor: rest * whole(2) >= divisor,
    "half_down": lambda lower, rest, divisor: rest * whole(2) > divisor,
    "half_even": lambda lower, rest, divisor: or_(
        rest * whole(2) > divisor, and_(rest * whole(2) == divisor, lower % whole(2) == whole(1))
    ),
}

_EXPRESSIONS: dict[type[Any], Callable[[Expressions, Any], Expression]] = {
    meaning.Constant: Expressions.constant,
    meaning.AsOf: Expressions.day,
    meaning.Stored: Expressions.stored,
    meaning.Age: Expressions.age,
    meaning.Not: Expressions.negation,
    meaning.AllOf: Expressions.all_of,
    meaning.AnyOf: Expressions.any_of,
    meaning.IfElse: Expressions.if_else,
    meaning.Compare: Expressions.compare,
    meaning.Among: Expressions.among,
    meaning.Known: Expressions.known,
    meaning.Arithmetic: Expressions.arithmetic,
    meaning.Rounded: Expressions.rounded,
    meaning.LookUp: Expressions.look_up,
}
