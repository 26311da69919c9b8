"""Ages in SQL: a comparison of birth dates with a cut-off wherever that is possible, completed years otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, and_, case, cast, extract, literal, or_

from eligibility.rules import ages, meaning
from eligibility.rules.catalogue import BIRTH_DATE, BIRTH_DATE_PRECISION
from eligibility.rules.checking import Checked
from eligibility.rules.compiling.source import Row, Source
from eligibility.rules.ruleset import BirthDateReading

_Whole = ColumnElement[int]


@dataclass(frozen=True, slots=True)
class BirthDate:
    """A birth date on record; `precision` is None where the rule set reads every date as it is stored."""

    stored: ColumnElement[Any]
    precision: ColumnElement[Any] | None
    reading: BirthDateReading

    @classmethod
    def of(cls, source: Source, row: Row, checked: Checked) -> BirthDate:
        reads = checked.reading != BirthDateReading.EARLIEST and checked.catalogue.get(BIRTH_DATE_PRECISION)
        precision = source.column(BIRTH_DATE_PRECISION, row) if reads else None
        return cls(source.column(BIRTH_DATE, row), precision, checked.reading)

    def by(self, years: int, as_of: date) -> ColumnElement[bool]:
        """Whether the years are completed by the day."""
        latest = ages.cutoff(as_of, years)
        if self.precision is None:
            return self.stored <= _day(latest)
        months, whole_years = ages.month_cutoff(latest, self.reading), ages.year_cutoff(latest, self.reading)
        return self.stored <= self.by_precision(month=_day(months), year=_day(whole_years), day=_day(latest))

    def by_precision(
        self, *, month: ColumnElement[Any], year: ColumnElement[Any], day: ColumnElement[Any]
    ) -> ColumnElement[Any]:
        assert self.precision is not None
        return case({"month": month, "year": year}, value=self.precision, else_=day)


def rewritten(
    node: meaning.Compare, birth_date: Callable[[meaning.Age], BirthDate], *, as_of: date
) -> ColumnElement[bool] | None:
    """age >= 65 as birth_date <= cutoff; None where the comparison is of another kind."""
    left, right, operator = node.left, node.right, node.operator
    if isinstance(right, meaning.Age):
        left, right, operator = right, left, _TURNED[operator]  # type: ignore[assignment]
    if not isinstance(left, meaning.Age) or not isinstance(right, meaning.Constant) or left.type.scale:
        return None
    years = right.value
    if not isinstance(years, int) or not (
        years in ages.REWRITTEN_YEARS and years + 1 in ages.REWRITTEN_YEARS
    ):
        return None
    birth = birth_date(left)
    return {
        ">=": lambda: birth.by(years, as_of),
        ">": lambda: birth.by(years + 1, as_of),
        "<": lambda: ~birth.by(years, as_of),
        "<=": lambda: ~birth.by(years + 1, as_of),
        "==": lambda: and_(birth.by(years, as_of), ~birth.by(years + 1, as_of)),
        "!=": lambda: or_(~birth.by(years, as_of), birth.by(years + 1, as_of)),
    }[operator]()


_TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def completed_years(birth: BirthDate, *, as_of: date) -> _Whole:
    """The age as a number, from years, months and days: no database is asked to subtract dates."""
    year, month, day = (_part(name, birth.stored) for name in ("year", "month", "day"))
    turns = month * _number(100) + day
    if birth.precision is not None:
        middle = birth.reading == BirthDateReading.MIDDLE
        within_month = _number(15) if middle else _last_day(year, month)
        turns = birth.by_precision(
            month=month * _number(100) + within_month, year=_number(701 if middle else 1231), day=turns
        )
    still_to_come = case((turns > _number(as_of.month * 100 + as_of.day), _number(1)), else_=_number(0))
    return _number(as_of.year) - year - still_to_come


def _last_day(year: _Whole, month: _Whole) -> _Whole:
    leap = and_(
        year % _number(4) == _number(0),
        or_(year % _number(100) != _number(0), year % _number(400) == _number(0)),
    )
    february = case((leap, _number(29)), else_=_number(28))
    return case(
        (month == _number(2), february),
        (month.in_([_number(n) for n in (4, 6, 9, 11)]), _number(30)),
        else_=_number(31),
    )


def _part(name: str, stored: ColumnElement[Any]) -> _Whole:
    return cast(extract(name, stored), BigInteger)


def _number(value: int) -> _Whole:
    return literal(value, BigInteger())


def _day(value: date) -> ColumnElement[date]:
    return literal(value, Date())
