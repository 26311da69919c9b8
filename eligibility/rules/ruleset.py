"""The rule set of a scheme as its officers write it: clauses, parameters, derived facts, and what is paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = int | Decimal | str | bool | date
# Sixty clauses and the bit of an amount that is not known fit one BIGINT.
MAX_CLAUSES = 60


class BirthDateReading(StrEnum):
    """Which day is meant when only the month or the year of birth is known, which is stored as its first day."""

    EARLIEST = "earliest"
    MIDDLE = "middle"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Clause:
    """One requirement of several that must all be met. Its place in the rule set is its bit in the masks."""

    code: str
    expression: str
    sentence: str = ""
    article: str = ""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Numbers in the text and in the parameters are plain: an amount of money is written in major units (500.00).

    `derived` names expressions: "household.pmt_score", "person.x" (also m.x of a member), or a bare name, which
    belongs to the household unless its expression asks about the person. `tables` give a value to a code:
    table.score[household.region].
    """

    clauses: Sequence[Clause]
    parameters: Mapping[str, Value | Sequence[Value]] = field(default_factory=dict)
    derived: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str | int, Value]] = field(default_factory=dict)
    amount: str | None = None
    rounding: str = "half_up"
    rounding_step_minor: int = 1
    birth_date_reading: BirthDateReading | str = BirthDateReading.EARLIEST
