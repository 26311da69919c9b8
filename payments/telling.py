"""A cycle as an answer: its status, figures and tie-out, for programs and for the pages."""

from __future__ import annotations

from typing import Any

from mis.money import Money
from payments import exceptions, filing, reconciliation, totals
from payments.leaving_out import SENTENCES
from payments.models import Cycle
from payments.totals import Check, Sum

_NOT_PAID = "not_paid."


def told(cycle: Cycle) -> dict[str, Any]:
    """All that is known of a cycle, in figures; amounts as text with their decimals, and in minor units."""
    figures = totals.of(cycle)
    batch, compared = filing.batch_of(cycle), reconciliation.tie_out(cycle)
    return {
        "scheme": cycle.scheme.code,
        "month": cycle.month,
        "status": cycle.status,
        "currency": cycle.currency,
        "totals": {
            name: amount(figure, cycle.currency)
            for name, figure in sorted(figures.items())
            if "." not in name
        },
        "not_paid": {
            reason: {**amount(figure, cycle.currency), "why": SENTENCES.get(reason, reason)}
            for reason, figure in left_out(figures).items()
        },
        "states": {
            state: amount(figure, cycle.currency) for state, figure in reconciliation.states(cycle).items()
        },
        "exceptions_open": exceptions.open_count(cycle),
        "ties_out": all(check.holds for check in compared),
        "tie_out": [tied(check, cycle.currency) for check in compared],
        "message_id": batch.message_id if batch else None,
        "files": {
            "pain001": batch.pain001_sha256 if batch else None,
            "csv": batch.csv_sha256 if batch else None,
        },
    }


def left_out(figures: totals.Totals) -> dict[str, Sum]:
    """The stored reasons for not paying with their figures, the most frequent first."""
    found = {
        name.removeprefix(_NOT_PAID): figure for name, figure in figures.items() if name.startswith(_NOT_PAID)
    }
    return dict(sorted(found.items(), key=lambda pair: (-pair[1].count, pair[0])))


def amount(figure: Sum, currency: str) -> dict[str, Any]:
    """A figure as an answer."""
    money = Money(figure.total_minor, currency)
    return {"count": figure.count, "amount": money.to_decimal_text(), "amount_minor": figure.total_minor}


def tied(check: Check, currency: str) -> dict[str, Any]:
    """A comparison as an answer."""
    return {
        "check": check.name,
        "holds": check.holds,
        "left": amount(check.left, currency),
        "right": amount(check.right, currency),
        "sentence": check.sentence,
    }
