"""Enrolments: who is in a scheme, from when to when, by which determination, with which amount."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from eligibility.models.decisions import Determination
from eligibility.models.schemes import Scheme
from mis.access import InArea
from mis.db import Base, primary_key
from mis.states import HasLifecycle, Lifecycle, Step
from registry.models import Person

enrolment_lifecycle = Lifecycle(
    "enrolment",
    noun="enrolment",
    initial="applied",
    statuses={
        "applied": "Applied",
        "active": "Active",
        "suspended": "Suspended",
        "exited": "Exited",
        "refused": "Refused",
    },
    steps=(
        Step("enrol", "Enrol", ("applied",), "active", "eligibility:enrolment:decide"),
        Step("refuse", "Refuse", ("applied",), "refused", "eligibility:enrolment:decide", reason="required"),
        Step(
            "suspend",
            "Suspend",
            ("active",),
            "suspended",
            "eligibility:enrolment:decide",
            reason="required",
            danger=True,
        ),
        Step("resume", "Resume", ("suspended",), "active", "eligibility:enrolment:decide", reason="required"),
        Step(
            "exit",
            "Exit",
            ("active", "suspended"),
            "exited",
            "eligibility:enrolment:exit",
            reason="required",
            danger=True,
        ),
    ),
)

_LIVE = sa.text("status IN ('applied', 'active', 'suspended')")


class Enrolment(InArea, HasLifecycle, Base):
    """A person in a scheme, from `valid_from` until `valid_to` (not included), with a monthly amount.

    `exit_reason` is a code (`death`, `no_longer_eligible`, `moved`, `own_request`, `error`), the sentence stands in the
    audit trail.
    """

    __tablename__ = "enrolment"
    __table_args__ = (
        sa.CheckConstraint("valid_to >= valid_from", name="an_enrolment_does_not_end_before_it_began"),
        sa.CheckConstraint("amount_minor > 0", name="a_benefit_is_positive"),
        sa.CheckConstraint(
            "status <> 'exited' OR exit_reason IS NOT NULL", name="whoever_exits_has_a_reason"
        ),
        sa.Index(
            "one_live_enrolment_per_person_and_scheme",
            "scheme_id",
            "person_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        sa.Index("ix_enrolment_person_id", "person_id"),
        sa.Index("ix_enrolment_household_id", "household_id"),
    )
    lifecycle = enrolment_lifecycle

    id: Mapped[int] = primary_key()
    scheme_id: Mapped[int] = mapped_column(sa.ForeignKey("scheme.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    household_id: Mapped[int | None] = mapped_column(sa.ForeignKey("household.id"))
    determination_id: Mapped[int | None] = mapped_column(sa.ForeignKey("determination.id"), index=True)
    amount_minor: Mapped[int | None]
    currency: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    exit_reason: Mapped[str | None]
    enrolled_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    enrolled_at: Mapped[datetime]

    scheme: Mapped[Scheme] = relationship(lazy="raise")
    person: Mapped[Person] = relationship(lazy="raise")
    determination: Mapped[Determination | None] = relationship(lazy="raise")
