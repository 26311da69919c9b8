"""The figures of a cycle, stored at each step: how many, how much; and whether each step agrees with the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from mis.db import db
from payments.models import Cycle, CycleTotal

STATES = ("sent", "pending", "accepted", "unknown", "paid", "rejected", "returned")


@dataclass(frozen=True)
class Sum:
    """How many, and how much in minor units."""

    count: int = 0
    total_minor: int = 0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.count + other.count, self.total_minor + other.total_minor)


@dataclass(frozen=True)
class Check:
    """Two figures that must be equal, to the last unit."""

    name: str
    sentence: str
    left: Sum
    right: Sum

    @property
    def holds(self) -> bool:
        """Whether they are."""
        return self.left == self.right

    @property
    def difference(self) -> Sum:
        """What is missing on the right side; below zero what is too much there."""
        return Sum(self.left.count - self.right.count, self.left.total_minor - self.right.total_minor)


Totals = Mapping[str, Sum]


def sum_of(statement: sa.Select[*tuple[Any, ...]]) -> Sum:
    """The count and sum that a statement of one row yields."""
    count, total_minor = db.session.execute(statement).one()
    return Sum(int(count), int(total_minor or 0))


def put(cycle: Cycle, measures: Totals, *, at: datetime, instead_of: str | None = None) -> None:
    """Store measures; those that begin with `instead_of` and are not among them are removed."""
    there = {
        total.measure: total
        for total in db.session.scalars(sa.select(CycleTotal).where(CycleTotal.cycle_id == cycle.id))
    }
    for measure, figure in measures.items():
        total = there.pop(measure, None)
        if total is None:
            total = CycleTotal(cycle_id=cycle.id, measure=measure)
            db.session.add(total)
        total.count, total.total_minor, total.at = figure.count, figure.total_minor, at
    for measure, total in there.items():
        if instead_of is not None and measure.startswith(instead_of):
            db.session.delete(total)
    db.session.flush()


def of(cycle: Cycle) -> dict[str, Sum]:
    """All stored figures of a cycle."""
    rows = db.session.execute(
        sa.select(CycleTotal.measure, CycleTotal.count, CycleTotal.total_minor).where(
            CycleTotal.cycle_id == cycle.id
        )
    )
    return {measure: Sum(count, total_minor) for measure, count, total_minor in rows}


def checks(totals: Totals) -> list[Check]:
    """What must tie out among the figures stored so far."""
    found = []
    none = Sum()
    if "entitled" in totals:
        due = totals["entitled"] + totals.get("carried", none)
        shared = totals["payable"] + totals["withheld"]
        found.append(Check("due", "What is due is either payable or withheld with a reason.", due, shared))
    if "instructed" in totals:
        found.append(
            Check(
                "instructed",
                "Whatever was payable was instructed, and nothing else.",
                totals["payable"],
                totals["instructed"],
            )
        )
    if "exported" in totals:
        found.append(
            Check(
                "exported",
                "The file says what was instructed.",
                totals["instructed"],
                totals["exported"],
            )
        )
    if any(f"state.{state}" in totals for state in STATES):
        answered = sum((totals.get(f"state.{state}", none) for state in STATES), start=none)
        found.append(
            Check("answered", "Every instruction stands in one state.", totals["exported"], answered)
        )
    return found
