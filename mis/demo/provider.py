"""A payment provider that exists only in the demo: it pays nearly everybody, refuses a few with ISO reasons, and errs.

One line of its answer names a payment that nobody has sent: it must turn up on the list of exceptions.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from datetime import date

COLUMNS = ("end_to_end_id", "status", "amount", "currency", "reason", "provider_reference", "date")
# The account is closed; the name is not that of the account; the payee has died.
REASONS = ("AC04", "BE01", "MD07")
REFUSED_OF_A_HUNDRED = 3
STRANGER = "BNK-000000-UNKNOWN"


def answer(instructions: str, *, paid_on: date, seed: int) -> bytes:
    """The provider's answer, as CSV, to a list of instructions in our own CSV; the same list gets the same answer."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(_lines(instructions, paid_on=paid_on, seed=seed))
    return text.getvalue().encode()


def _lines(instructions: str, *, paid_on: date, seed: int) -> Iterator[dict[str, str]]:
    draw = random.Random(seed)  # noqa: S311 - the same answer each time
    sent = list(csv.DictReader(io.StringIO(instructions)))
    # Some payment is always refused, also in a small demo.
    first_refused = draw.randrange(len(sent)) if sent else 0
    for number, payment in enumerate(sent):
        refused = number == first_refused or draw.randrange(100) < REFUSED_OF_A_HUNDRED
        yield {
            "end_to_end_id": payment["end_to_end_id"],
            "status": "rejected" if refused else "paid",
            "amount": payment["amount"],
            "currency": payment["currency"],
            "reason": draw.choice(REASONS) if refused else "",
            "provider_reference": f"R{draw.randrange(10**9):09d}",
            "date": paid_on.isoformat(),
        }
    yield dict.fromkeys(COLUMNS, "") | {
        "end_to_end_id": STRANGER,
        "status": "paid",
        "amount": "150.00",
        "currency": sent[0]["currency"] if sent else "XTS",
        "date": paid_on.isoformat(),
    }
