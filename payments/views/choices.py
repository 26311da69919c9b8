"""What the filters of the payments offer."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from eligibility.models import Scheme
from mis.db import db
from payments.models import Cycle

OFFERED_CYCLES = 120

# Short names for charts and columns; the sentences stand with the reasons themselves.
REASONS = {
    "applied": _l("Not decided yet"),
    "not_started": _l("Begins later"),
    "exited": _l("Ended before"),
    "never_began": _l("Ended as it began"),
    "died_before": _l("Died before"),
    "suspended": _l("Suspended"),
    "other_enrolment": _l("Paid otherwise"),
    "no_amount": _l("No amount"),
    "other_currency": _l("Other currency"),
    "meanwhile": _l("Changed meanwhile"),
    "died": _l("Died in the month"),
    "held": _l("Held"),
    "no_account": _l("No account"),
}
CLASSES = {
    "matched": _l("Matched"),
    "repeated": _l("Known already"),
    "amount_mismatch": _l("Another amount"),
    "duplicate_in_file": _l("Twice in the file"),
    "unknown_reference": _l("Unknown reference"),
    "bad_state": _l("Contradicts what is known"),
    "unreadable": _l("Cannot be read"),
}

STATES = [
    ("sent", _l("Sent, no answer yet")),
    ("pending", _l("Pending")),
    ("accepted", _l("Accepted")),
    ("unknown", _l("Unknown")),
    ("paid", _l("Paid")),
    ("rejected", _l("Rejected")),
]


def scheme_choices() -> Sequence[tuple[str, str]]:
    """The schemes, by code."""
    found = db.session.execute(sa.select(Scheme.code, Scheme.name).order_by(Scheme.name))
    return [(code, name) for code, name in found]


def cycle_choices() -> Sequence[tuple[str, str]]:
    """The latest cycles, by number."""
    found = db.session.execute(
        sa.select(Cycle.id, Scheme.name, Cycle.month)
        .join(Scheme, Scheme.id == Cycle.scheme_id)
        .where(Cycle.status != "aborted")
        .order_by(Cycle.month.desc(), Scheme.name)
        .limit(OFFERED_CYCLES)
    )
    return [(str(number), f"{name} {month}") for number, name, month in found]
