"""The same rule set as one SQL statement: every person of a set is decided where the facts are.

One scan of the people, joined to one shared aggregation over their households; never a subquery for each person.
Nothing in a rule becomes SQL text: names are looked up among the columns given, and values are bound.
"""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, literal, null, select

from eligibility.rules.checking import Checked
from eligibility.rules.compiling.expressions import Expressions, grouped, whole
from eligibility.rules.compiling.recorded import record
from eligibility.rules.compiling.scans import Scans
from eligibility.rules.compiling.source import Source, Where
from eligibility.rules.recording import asked

__all__ = ["Source", "compile_set"]


def compile_set(
    checked: Checked, source: Source, *, as_of: date, where: Where | None = None, recorded: bool = False
) -> Select[*tuple[Any, ...]]:
    """person_id, household_id, fail_mask, unknown_mask, amount_minor: one row for each row of `source.person`.

    With `recorded`, a column `facts` holds what the decision rests on, as `recording` describes it.

    `where` chooses households by their id, such as `lambda household_id: household_id.between(1, 5000)`; it is applied
    to the people and to their households' members alike, so a range of households is complete in itself.
    """
    nodes = [node for _, node in checked.clauses]
    roots = nodes if checked.amount is None else [*nodes, checked.amount]
    scans = Scans(checked, source, as_of=as_of, where=where)
    rows, reading = scans.people(roots, kept=asked(checked).of_household if recorded else ())
    met = [reading.condition(node) for node in nodes]
    amount, amount_unknown = _amount(checked, reading, met)
    statement: Select[*tuple[Any, ...]] = select(
        source.row().id.label("person_id"),
        source.row().household_id.label("household_id"),
        _mask(
            [case((~grouped(clause), whole(1 << bit)), else_=whole(0)) for bit, clause in enumerate(met)]
        ).label("fail_mask"),
        _mask(
            [
                *(
                    case((grouped(clause).is_(None), whole(1 << bit)), else_=whole(0))
                    for bit, clause in enumerate(met)
                ),
                *amount_unknown,
            ]
        ).label("unknown_mask"),
        amount.label("amount_minor"),
    ).select_from(rows)
    if recorded:
        statement = statement.add_columns(record(checked, source, reading).label("facts"))
    return statement if where is None else statement.where(where(source.row().household_id))


def _mask(bits: list[ColumnElement[int]]) -> ColumnElement[int]:
    return reduce(add, bits)


def _amount(
    checked: Checked, reading: Expressions, met: list[ColumnElement[bool]]
) -> tuple[ColumnElement[int], list[ColumnElement[int]]]:
    """The amount of those who meet everything, and the bit of those whose amount is then not known."""
    if checked.amount is None:
        return null().cast(BigInteger), []
    amount = reading.number(checked.amount)
    eligible = and_(*(grouped(clause) for clause in met))
    bit = case(
        (and_(eligible, grouped(amount).is_(None)), literal(checked.amount_bit, BigInteger())), else_=whole(0)
    )
    return case((eligible, amount), else_=null()), [bit]
