"""Schemes, and the versions of their rules in force from day to day."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mis import audit, temporal
from mis.db import Base, primary_key
from mis.states import HasLifecycle, Lifecycle, Step

BRANCHES = (
    "child_and_family",
    "maternity",
    "sickness",
    "unemployment",
    "employment_injury",
    "disability",
    "old_age",
    "survivors",
    "social_assistance",
)


class Scheme(Base):
    """A benefit that the law gives: its name, branch of social security, currency and legal basis."""

    __tablename__ = "scheme"
    __table_args__ = (sa.CheckConstraint("length(currency) = 3", name="a_currency_is_three_letters"),)

    id: Mapped[int] = primary_key()
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    branch: Mapped[str]
    summary: Mapped[str]
    legal_basis: Mapped[str]
    currency: Mapped[str]
    created_at: Mapped[datetime]

    rule_sets: Mapped[list[RuleSet]] = relationship(
        back_populates="scheme", lazy="raise", order_by="RuleSet.number"
    )

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


rule_set_lifecycle = Lifecycle(
    "rule_set",
    noun="rule set",
    initial="draft",
    statuses={
        "draft": "Draft",
        "submitted": "Waiting for publication",
        "published": "Published",
        "withdrawn": "Withdrawn",
    },
    steps=(
        Step(
            "submit",
            "Submit",
            ("draft",),
            "submitted",
            "eligibility:ruleset:draft",
            submits=True,
            stamps="submitted_by_id",
        ),
        Step(
            "publish",
            "Publish",
            ("submitted",),
            "published",
            "eligibility:ruleset:publish",
            four_eyes=True,
            bound=True,
            stamps="published_by_id",
        ),
        Step(
            "return",
            "Send back",
            ("submitted",),
            "draft",
            "eligibility:ruleset:publish",
            reason="required",
            new_round=True,
        ),
        Step(
            "withdraw",
            "Withdraw",
            ("draft", "submitted"),
            "withdrawn",
            "eligibility:ruleset:draft",
            reason="required",
            danger=True,
        ),
    ),
    digest=lambda rule_set: str(rule_set.digest),
)


class RuleSet(HasLifecycle, temporal.InForce, Base):
    """One version of a scheme's rules: a YAML document, in force from `valid_from` until `valid_to` (not included).

    `document` is the legal artefact; `digest` is the SHA-256 of its text and of its days in force. A published one
    cannot change (by trigger), except that its successor ends it.
    """

    __tablename__ = "rule_set"
    __table_args__ = (
        sa.UniqueConstraint("scheme_id", "number"),
        sa.CheckConstraint(
            "published_by_id <> submitted_by_id", name="rules_are_published_by_a_second_person"
        ),
        sa.CheckConstraint("valid_to > valid_from", name="rules_end_after_they_began"),
    )
    lifecycle = rule_set_lifecycle

    id: Mapped[int] = primary_key()
    scheme_id: Mapped[int] = mapped_column(sa.ForeignKey("scheme.id"))
    number: Mapped[int]
    document: Mapped[str]
    digest: Mapped[str]
    drafted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    submitted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    published_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    created_at: Mapped[datetime]

    # Nobody speaks of a version without its scheme, and a step reads the record anew.
    scheme: Mapped[Scheme] = relationship(back_populates="rule_sets", lazy="joined", innerjoin=True)


temporal.no_two_in_force(RuleSet.__table__, ("scheme_id",), only={"status": ("published",)})
audit.immutable_columns(
    RuleSet.__table__, ("scheme_id", "number", "document", "digest", "valid_from"), status="published"
)
