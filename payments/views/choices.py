"""What the filters of the payments offer."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from eligibility.models import Scheme
from mis.db import db
from payments.models import Cycle

OFFERED_CYCLES = 120

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
