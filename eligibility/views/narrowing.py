"""By what lists of decisions are narrowed down: schemes, runs, requirements that are not met or not known."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from eligibility import publishing
from eligibility.models import AssessmentRun, Determination, Scheme
from mis.calendar import today
from mis.db import db


def schemes() -> list[tuple[str, str]]:
    """All schemes, by code."""
    query = sa.select(Scheme.code, Scheme.name).order_by(Scheme.code)
    return [(code, name) for code, name in db.session.execute(query)]


def recent_runs() -> list[tuple[str, str]]:
    """The last finished runs over the register."""
    recent = db.session.scalars(
        sa.select(AssessmentRun)
        .options(joinedload(AssessmentRun.scheme))
        .where(AssessmentRun.kind == "register", AssessmentRun.finished_at.is_not(None))
        .order_by(AssessmentRun.id.desc())
        .limit(50)
    )
    return [(str(one.id), f"{one.id}: {one.scheme.code}, {one.as_of}") for one in recent]


def bits(mask: str) -> list[tuple[str, str]]:
    """The requirements of the rules in force, each as the scheme, the mask and the bit that say it."""
    found = []
    for scheme in publishing.schemes():
        current = publishing.published_on(scheme, today())
        if current is not None:
            codes = publishing.understood(current).codes
            found += [
                (f"{current.id}:{mask}:{bit}", f"{scheme.code} {code}") for bit, code in enumerate(codes)
            ]
    return found


def has_bit(value: str) -> sa.ColumnElement[bool]:
    """The decisions under some rules in which this requirement is not met, or not known."""
    rule_set_id, mask, bit = value.split(":")
    column = Determination.fail_mask if mask == "fail" else Determination.unknown_mask
    of_rules = sa.select(AssessmentRun.id).where(AssessmentRun.rule_set_id == int(rule_set_id))
    return sa.and_(
        column.bitwise_and(sa.literal(1 << int(bit), sa.BigInteger())) != 0,
        Determination.run_id.in_(of_rules),
    )
