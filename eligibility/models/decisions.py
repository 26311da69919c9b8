"""Determinations: what was decided of whom, under which rules, from which facts, as of which day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from eligibility.models.schemes import RuleSet, Scheme
from mis import audit
from mis.access import InArea
from mis.db import Base, Json, primary_key
from registry.models import Person

OUTCOMES = ("eligible", "not_eligible", "undetermined")


class AssessmentRun(Base):
    """One assessment of the register (or of one applicant) under one rule set, as of one day."""

    __tablename__ = "assessment_run"

    id: Mapped[int] = primary_key()
    scheme_id: Mapped[int] = mapped_column(sa.ForeignKey("scheme.id"), index=True)
    rule_set_id: Mapped[int] = mapped_column(sa.ForeignKey("rule_set.id"))
    as_of: Mapped[date]
    kind: Mapped[str]
    job_id: Mapped[int | None] = mapped_column(sa.ForeignKey("job.id"))
    asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any] | None] = mapped_column(Json)

    scheme: Mapped[Scheme] = relationship(lazy="raise")
    rule_set: Mapped[RuleSet] = relationship(lazy="raise")


class Determination(InArea, Base):
    """A decision on one person. It never changes: a new decision is a new row.

    Bit n of `fail_mask` says that clause n of the rule set is not met, bit n of `unknown_mask` that it cannot be told.
    `facts` are the values that the rules used, as they were then, so that the decision can be taken again.
    """

    __tablename__ = "determination"
    __sealed__ = True
    __table_args__ = (
        sa.CheckConstraint(
            "outcome IN ('eligible', 'not_eligible', 'undetermined')", name="a_determination_has_an_outcome"
        ),
        sa.CheckConstraint(
            "(amount_minor IS NOT NULL) = (outcome = 'eligible')", name="only_the_eligible_have_an_amount"
        ),
        sa.CheckConstraint("amount_minor >= 0", name="an_amount_is_not_negative"),
        sa.Index("one_determination_per_person_and_run", "run_id", "person_id", unique=True),
        sa.Index("ix_determination_person_id", "person_id"),
        sa.Index("ix_determination_run_outcome", "run_id", "outcome"),
    )

    id: Mapped[int] = primary_key()
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("assessment_run.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    household_id: Mapped[int | None] = mapped_column(sa.ForeignKey("household.id"))
    outcome: Mapped[str]
    fail_mask: Mapped[int]
    unknown_mask: Mapped[int]
    amount_minor: Mapped[int | None]
    facts: Mapped[dict[str, Any]] = mapped_column(Json)

    run: Mapped[AssessmentRun] = relationship(lazy="raise")
    person: Mapped[Person] = relationship(lazy="raise")


audit.append_only(Determination.__table__)
