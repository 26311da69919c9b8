"""The notice of a decision: what was decided, on what ground, from what is on record, and how to appeal until when.

It is made from the determination alone, taken again from its own facts under its own rules, so that it says years later
what it said on the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from eligibility import explaining, publishing
from eligibility.documents import AppealPart, ClausePart, Understood
from eligibility.models import Determination
from eligibility.rules import Determination as Found
from mis.money import Money


@dataclass(frozen=True)
class Notice:
    """What the printed notice says. `failing` are the requirements that are not met, in the words of the law."""

    determination: Determination
    understood: Understood
    found: Found
    same: bool
    amount: Money | None
    failing: tuple[ClausePart, ...]
    bring: list[dict[str, Any]]
    appeal: AppealPart
    appeal_by: date


def of(determination: Determination, *, given_on: date) -> Notice:
    """The notice of a decision that is given to the person on a day; from that day the time of appeal runs."""
    understood = publishing.understood(determination.run.rule_set)
    replayed = explaining.replay(determination)
    failed = set(understood.reasons(determination.fail_mask))
    amount = determination.amount_minor
    return Notice(
        determination=determination,
        understood=understood,
        found=replayed.found,
        same=replayed.same,
        amount=None if amount is None else Money(amount, understood.scheme.currency),
        failing=tuple(clause for clause in understood.rules.clauses if clause.code in failed),
        bring=explaining.what_to_bring(replayed.found, understood),
        appeal=understood.rules.appeal,
        appeal_by=given_on + timedelta(days=understood.rules.appeal.days),
    )
