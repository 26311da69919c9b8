"""The figures of a household in SQL, three-valued: a single aggregate that also remembers what is not known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    case,
    cast,
    false,
    func,
    literal,
    null,
    true,
    type_coerce,
)

from eligibility.rules.compiling.expressions import Expressions, grouped, whole
from eligibility.rules.meaning import Aggregate

# `exists` is the greatest, `all` the least of these over the members.
_TRUE, _UNKNOWN, _FALSE = 2, 1, 0
# A count above this has counted somebody of whom it is not known; far above any number of members.
_UNSURE = 2**20


def column(figure: Aggregate, reading: Expressions) -> ColumnElement[Any]:
    """The aggregate in the scan of the members."""
    return _COLUMNS[figure.function](figure, reading)


def value(figure: Aggregate, stored: ColumnElement[Any]) -> ColumnElement[Any]:
    """The figure's value, from its column."""
    if figure.function in ("exists", "all"):
        return func.nullif(stored, literal(_UNKNOWN, Integer()), type_=Integer()) == literal(_TRUE, Integer())
    if figure.function == "count" and figure.condition is not None:
        return case((stored < whole(_UNSURE), stored), else_=null())
    return stored


def by_truth(
    condition: ColumnElement[bool],
    yes: ColumnElement[Any],
    no: ColumnElement[Any],
    unknown: ColumnElement[Any],
) -> ColumnElement[Any]:
    """One of three values, with the condition evaluated once."""
    return case((true(), yes), (false(), no), value=grouped(condition), else_=unknown)


def _small(number: int) -> ColumnElement[int]:
    # PostgreSQL sums four-byte integers into a BIGINT, but a BIGINT into a slow NUMERIC.
    return literal(number, Integer())


def _exists(figure: Aggregate, reading: Expressions) -> ColumnElement[Any]:
    return func.max(by_truth(_condition(figure, reading), _small(_TRUE), _small(_FALSE), _small(_UNKNOWN)))


def _all(figure: Aggregate, reading: Expressions) -> ColumnElement[Any]:
    return func.min(by_truth(_condition(figure, reading), _small(_TRUE), _small(_FALSE), _small(_UNKNOWN)))


def _count(figure: Aggregate, reading: Expressions) -> ColumnElement[Any]:
    if figure.condition is None:
        return type_coerce(func.count(), BigInteger())
    counted = func.sum(by_truth(_condition(figure, reading), _small(1), _small(0), _small(_UNSURE)))
    return type_coerce(counted, BigInteger())


def _count_known(figure: Aggregate, reading: Expressions) -> ColumnElement[Any]:
    return type_coerce(func.count(case((_condition(figure, reading), _small(1)))), BigInteger())


def _sum(figure: Aggregate, reading: Expressions) -> ColumnElement[Any]:
    assert figure.value is not None
    part = reading.number(figure.value)
    if figure.condition is not None:
        part = by_truth(_condition(figure, reading), part, whole(0), null())
    return case((func.count() == func.count(part), cast(func.sum(part), BigInteger())), else_=null())


def _sum_known(figure: Aggregate, reading: Expressions) -> ColumnElement[Any]:
    assert figure.value is not None
    part = reading.number(figure.value)
    if figure.condition is not None:
        part = case((_condition(figure, reading), part))
    return cast(func.coalesce(func.sum(part), whole(0)), BigInteger())


def _extreme(figure: Aggregate, reading: Expressions) -> ColumnElement[Any]:
    assert figure.value is not None
    part = reading.of(figure.value)
    chosen = known = part
    if figure.condition is not None:
        condition = _condition(figure, reading)
        chosen = case((condition, part))
        has_value = case((grouped(part).is_not(None), _small(1)))
        known = by_truth(condition, has_value, _small(1), null())
    furthest = func.min(chosen) if figure.function == "min" else func.max(chosen)
    return case((func.count() == func.count(known), furthest), else_=null())


def _condition(figure: Aggregate, reading: Expressions) -> ColumnElement[bool]:
    assert figure.condition is not None
    return reading.condition(figure.condition)


_COLUMNS: dict[str, Callable[[Aggregate, Expressions], ColumnElement[Any]]] = {
    "exists": _exists,
    "all": _all,
    "count": _count,
    "count_known": _count_known,
    "sum": _sum,
    "sum_known": _sum_known,
    "min": _extreme,
    "max": _extreme,
}
