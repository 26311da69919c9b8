"""What an assessment finds about one person, complete enough to be explained to that person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Shown: TypeAlias = int | Decimal | str | bool | date | None


class Outcome(StrEnum):
    """A missing fact is never a refusal."""

    ELIGIBLE = "eligible"
    NOT_ELIGIBLE = "not_eligible"
    UNDETERMINED = "undetermined"


class Finding(StrEnum):
    """What is found about one requirement."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_KNOWN = "not_known"


def outcome_of(*, fail_mask: int, unknown_mask: int) -> Outcome:
    """Not eligible if a requirement is not met, whatever else is not known."""
    if fail_mask:
        return Outcome.NOT_ELIGIBLE
    return Outcome.UNDETERMINED if unknown_mask else Outcome.ELIGIBLE


@dataclass(frozen=True, slots=True)
class UsedValue:
    """A fact as it was used; `value` is None if it is not on record. `member` is the id of a household member."""

    name: str
    label: str
    value: Shown
    unit: str | None = None
    member: object = None


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the expression and what it came to; None is not known."""

    text: str
    value: Shown


@dataclass(frozen=True, slots=True)
class Counted:
    """A figure about the household: the ids of the members that it counts, and of those who could not be told."""

    text: str
    value: Shown
    members: tuple[object, ...]
    unsure: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one expression came to its value. `steps` go from the parts to the whole."""

    expression: str
    value: Shown
    values: tuple[UsedValue, ...]
    missing: tuple[UsedValue, ...]
    counted: tuple[Counted, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ClauseFinding:
    """One requirement: its words, its article, and what was found."""

    code: str
    sentence: str
    article: str
    finding: Finding
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Determination:
    """The whole finding as of a day. `amount_minor` is None unless the outcome is eligible and the rule set pays."""

    as_of: date
    outcome: Outcome
    fail_mask: int
    unknown_mask: int
    amount_minor: int | None
    clauses: tuple[ClauseFinding, ...]
    amount: Explanation | None

    @property
    def failing(self) -> tuple[ClauseFinding, ...]:
        """The requirements that are not met: the reasons of a refusal."""
        return tuple(clause for clause in self.clauses if clause.finding == Finding.NOT_MET)

    @property
    def missing(self) -> tuple[UsedValue, ...]:
        """What to bring so that the requirements that are not known can be decided, each fact once."""
        open_ones = [c.explanation for c in self.clauses if c.finding == Finding.NOT_KNOWN]
        if self.amount is not None and self.amount.value is None:
            open_ones.append(self.amount)
        return tuple(dict.fromkeys(value for explanation in open_ones for value in explanation.missing))
