"""One person is assessed in Python, with the value of every part kept for the explanation.

Three-valued throughout: None is "not known". Nothing is skipped once the result is certain, because an explanation
shows every requirement's values.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias, cast

from eligibility.rules import ages, meaning
from eligibility.rules.arithmetic import calculate
from eligibility.rules.catalogue import AGE, BIRTH_DATE, BIRTH_DATE_PRECISION, FactType
from eligibility.rules.checking import Checked
from eligibility.rules.meaning import Node
from eligibility.rules.outcome import (
    ClauseFinding,
    Counted,
    Determination,
    Explanation,
    Finding,
    Shown,
    Step,
    UsedValue,
    outcome_of,
)
from eligibility.rules.recording import asked
from mis.money import round_minor

Row: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = Mapping[int, Row]


def evaluate(checked: Checked, facts: Mapping[str, Any], *, as_of: date) -> Determination:
    """The determination of one person.

    `facts` is {"person": {…}, "household": {…, "members": [{…}, …]}} with the catalogue's names without their
    namespace, as stored: decimals and money are whole numbers (or exact Decimals). A fact left out is not known.
    The person is also one of the members. Instead of members there may be "figures": what was counted of them when the
    decision was recorded, by the names that `recording` gives.
    """
    findings, fail_mask, unknown_mask = [], 0, 0
    for bit, (clause, node) in enumerate(checked.clauses):
        explanation = _explained(checked, node, facts, as_of, clause.expression)
        finding = _FINDINGS[cast("bool | None", explanation.value)]
        fail_mask |= (finding == Finding.NOT_MET) << bit
        unknown_mask |= (finding == Finding.NOT_KNOWN) << bit
        findings.append(ClauseFinding(clause.code, clause.sentence, clause.article, finding, explanation))
    amount, amount_minor = None, None
    if checked.amount is not None and not fail_mask and not unknown_mask:
        reading = _Reading(checked, facts, as_of)
        amount_minor = cast("int | None", reading.value(checked.amount, reading.rows))
        amount = reading.explanation(checked.amount, str(checked.rules.amount), amount_minor)
        unknown_mask |= checked.amount_bit if amount_minor is None else 0
    outcome = outcome_of(fail_mask=fail_mask, unknown_mask=unknown_mask)
    return Determination(as_of, outcome, fail_mask, unknown_mask, amount_minor, tuple(findings), amount)


_FINDINGS = {True: Finding.MET, False: Finding.NOT_MET, None: Finding.NOT_KNOWN}


def _explained(checked: Checked, node: Node, facts: Mapping[str, Any], as_of: date, text: str) -> Explanation:
    reading = _Reading(checked, facts, as_of)
    return reading.explanation(node, text, reading.value(node, reading.rows))


class _Reading:
    """One expression read for one person, remembering what it used."""

    def __init__(self, checked: Checked, facts: Mapping[str, Any], as_of: date) -> None:
        self.checked = checked
        self.as_of = as_of
        # Of somebody without a household, nothing about a household is known: not even that nobody is in it.
        self.homeless = facts.get("household") is None
        self.household: Row = facts.get("household") or {}
        self.members: Sequence[Row] = self.household.get("members") or ()
        self.rows: Rows = {0: facts["person"]}
        self.figures: Row | None = facts.get("figures")
        self.used: dict[tuple[str, object], UsedValue] = {}
        self.counted: dict[str, Counted] = {}
        self.steps: dict[str, Step] = {}

    def explanation(self, node: Node, text: str, value: Any) -> Explanation:
        used = tuple(self.used.values())
        return Explanation(
            expression=text,
            value=self.shown(node, value),
            values=used,
            missing=tuple(item for item in used if item.value is None),
            counted=tuple(self.counted.values()),
            steps=tuple(self.steps.values()),
        )

    @staticmethod
    def shown(node: Node, value: Any) -> Shown:
        """The value as people write it; a quotient to six places."""
        if isinstance(value, Fraction):
            value = round(value / 10**node.type.scale, 6)
            return Decimal(value.numerator) / Decimal(value.denominator)
        if node.type.scale and value is not None:
            return Decimal(value).scaleb(-node.type.scale)
        return cast(Shown, value)

    def value(self, node: Node, rows: Rows) -> Any:
        """The value of a node, or None if it is not known."""
        value = _VALUES[type(node)](self, node, rows)
        if len(rows) == 1 and not isinstance(node, meaning.Constant):
            self.steps.setdefault(node.text, Step(node.text, self.shown(node, value)))
        return value

    # --- facts ---

    def constant(self, node: meaning.Constant, rows: Rows) -> Any:
        return node.value

    def day(self, node: meaning.AsOf, rows: Rows) -> date:
        return self.as_of

    def stored(self, node: meaning.Stored, rows: Rows) -> Any:
        row = self.household if node.level < 0 else rows[node.level]
        raw = row.get(node.fact.name.partition(".")[2])
        value = _typed(raw, node)
        self.note(node.fact.name, self.shown(node, value), node.fact.unit, node.level, rows)
        if node.bounded and value is not None and not node.type.low <= value <= node.type.high:
            return None
        return value

    def age(self, node: meaning.Age, rows: Rows) -> int | None:
        row = rows[node.level]
        stored = row.get("birth_date")
        self.note(BIRTH_DATE, stored, None, node.level, rows)
        if stored is None:
            return None
        precision = (
            row.get("birth_date_precision") if self.checked.catalogue.get(BIRTH_DATE_PRECISION) else None
        )
        birth = ages.read_birth_date(stored, precision, self.checked.reading)
        years = ages.completed_years(birth, self.as_of)
        self.note(AGE, years, "years", node.level, rows)
        return years

    def note(self, name: str, value: Shown, unit: str | None, level: int, rows: Rows) -> None:
        member = _identity(self.members, rows[level]) if level > 0 else None
        label = self.checked.catalogue.label(name)
        self.used.setdefault((name, member), UsedValue(name, label, value, unit, member))

    def look_up(self, node: meaning.LookUp, rows: Rows) -> Any:
        key = self.value(node.key, rows)
        return next((value.value for code, value in node.rows if code.value == key), None)

    # --- logic ---

    def negation(self, node: meaning.Not, rows: Rows) -> bool | None:
        value = self.value(node.item, rows)
        return None if value is None else not value

    def all_of(self, node: meaning.AllOf, rows: Rows) -> bool | None:
        values = [self.value(item, rows) for item in node.items]
        return False if False in values else None if None in values else True

    def any_of(self, node: meaning.AnyOf, rows: Rows) -> bool | None:
        values = [self.value(item, rows) for item in node.items]
        return True if True in values else None if None in values else False

    def if_else(self, node: meaning.IfElse, rows: Rows) -> Any:
        condition, yes, no = (self.value(part, rows) for part in (node.condition, node.yes, node.no))
        return None if condition is None else yes if condition else no

    def compare(self, node: meaning.Compare, rows: Rows) -> bool | None:
        left, right = self.value(node.left, rows), self.value(node.right, rows)
        return None if left is None or right is None else bool(_COMPARISONS[node.operator](left, right))

    def among(self, node: meaning.Among, rows: Rows) -> bool | None:
        value = self.value(node.item, rows)
        return None if value is None else value in [allowed.value for allowed in node.values]

    def known(self, node: meaning.Known, rows: Rows) -> bool:
        return self.value(node.item, rows) is not None

    # --- numbers ---

    def arithmetic(self, node: meaning.Arithmetic, rows: Rows) -> int | None:
        left, right = self.value(node.left, rows), self.value(node.right, rows)
        return None if left is None or right is None else calculate(node.operator, left, right)

    def quotient(self, node: meaning.Quotient, rows: Rows) -> Fraction | None:
        dividend, divisor = self.value(node.dividend, rows), self.value(node.divisor, rows)
        return None if dividend is None or not divisor else Fraction(dividend, divisor)

    def rounded(self, node: meaning.Rounded, rows: Rows) -> int | None:
        dividend, divisor = self.value(node.dividend, rows), self.value(node.divisor, rows)
        return (
            None
            if dividend is None or not divisor
            else round_minor(dividend, divisor, node.rounding, step=node.step)
        )

    # --- members ---

    def aggregate(self, node: meaning.Aggregate, rows: Rows) -> Any:
        if self.figures is not None and len(rows) == 1:
            return self.recorded(node, self.figures)
        tests, values = [], []
        for member in self.members:
            inner = {**rows, node.level: member}
            tests.append(True if node.condition is None else self.value(node.condition, inner))
            values.append(None if node.value is None else self.value(node.value, inner))
        result = None if self.homeless else _AGGREGATES[node.function](tests, values)
        if len(rows) == 1:
            counted = [m for m, test in zip(self.members, tests, strict=True) if test]
            unsure = [m for m, test in zip(self.members, tests, strict=True) if test is None]
            ids = (tuple(_identity(self.members, m) for m in chosen) for chosen in (counted, unsure))
            self.counted.setdefault(node.text, Counted(node.text, self.shown(node, result), *ids))
        return result

    def recorded(self, node: meaning.Aggregate, figures: Row) -> Any:
        result = figures[asked(self.checked).figures[node]]
        self.counted.setdefault(node.text, Counted(node.text, self.shown(node, result), (), ()))
        return result


def _identity(members: Sequence[Row], member: Row) -> object:
    """The member's id, or its place in the household."""
    place = next((n for n, other in enumerate(members, start=1) if other is member), 0)
    return member.get("id", place)


def _typed(raw: Any, node: meaning.Stored) -> Any:
    """A stored value of the fact's type; anything else is a mistake of the caller."""
    kind = node.fact.type
    if raw is None:
        return None
    if isinstance(raw, Decimal):
        exact = raw.scaleb(node.type.scale)
        assert exact == int(exact), f"{node.fact.name} has more decimals than its scale: {raw}"
        return int(exact)
    wanted: type = {FactType.TEXT: str, FactType.BOOL: bool, FactType.DATE: date}.get(FactType(kind), int)
    assert isinstance(raw, wanted) and (wanted is not int or not isinstance(raw, bool)), (node.fact.name, raw)
    return raw


def _exists(tests: list[bool | None], values: list[Any]) -> bool | None:
    return True if True in tests else None if None in tests else False


def _all(tests: list[bool | None], values: list[Any]) -> bool | None:
    return False if False in tests else None if None in tests else True


def _chosen(tests: list[bool | None], values: list[Any]) -> list[Any] | None:
    """The values of the members in question, or None if it is not known who they are or what they have."""
    chosen = [value for test, value in zip(tests, values, strict=True) if test]
    return None if None in tests or None in chosen else chosen


def _sum(tests: list[bool | None], values: list[Any]) -> int | None:
    chosen = _chosen(tests, values)
    return None if chosen is None else sum(chosen)


def _sum_known(tests: list[bool | None], values: list[Any]) -> int:
    return sum(value for test, value in zip(tests, values, strict=True) if test and value is not None)


_AGGREGATES: dict[str, Callable[[list[bool | None], list[Any]], Any]] = {
    "exists": _exists,
    "all": _all,
    "count": lambda tests, values: None if None in tests else sum(map(bool, tests)),
    "count_known": lambda tests, values: sum(map(bool, tests)),
    "sum": _sum,
    "sum_known": _sum_known,
    "min": lambda tests, values: min(_chosen(tests, values) or [], default=None),
    "max": lambda tests, values: max(_chosen(tests, values) or [], default=None),
}

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_VALUES: dict[type[Any], Callable[[_Reading, Any, Rows], Any]] = {
    meaning.Constant: _Reading.constant,
    meaning.AsOf: _Reading.day,
    meaning.Stored: _Reading.stored,
    meaning.Age: _Reading.age,
    meaning.Not: _Reading.negation,
    meaning.AllOf: _Reading.all_of,
    meaning.AnyOf: _Reading.any_of,
    meaning.IfElse: _Reading.if_else,
    meaning.Compare: _Reading.compare,
    meaning.Among: _Reading.among,
    meaning.Known: _Reading.known,
    meaning.Arithmetic: _Reading.arithmetic,
    meaning.Quotient: _Reading.quotient,
    meaning.Rounded: _Reading.rounded,
    meaning.LookUp: _Reading.look_up,
    meaning.Aggregate: _Reading.aggregate,
}
