"""What is stored of grievances: the case, its notes, its remedy."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from eligibility.models import Determination, Enrolment
from mis import audit, sealed
from mis.access import InArea
from mis.db import Base, Json, primary_key
from mis.states import HasLifecycle, Lifecycle, Step
from payments.models import Payment
from registry.models import Person

REMEDIES = ("none", "place_hold", "release_hold", "reassess", "pay_again")

grievance_lifecycle = Lifecycle(
    "grievance",
    noun="grievance",
    initial="lodged",
    statuses={
        "lodged": "Lodged",
        "acknowledged": "Acknowledged",
        "assigned": "Assigned",
        "resolved": "Resolved",
        "appealed": "Appealed",
        "closed": "Closed",
    },
    steps=(
        Step("acknowledge", "Acknowledge", ("lodged",), "acknowledged", "grievances:case:work"),
        Step("assign", "Assign", ("lodged", "acknowledged", "assigned"), "assigned", "grievances:case:work"),
        Step(
            "resolve",
            "Resolve",
            ("acknowledged", "assigned"),
            "resolved",
            "grievances:case:resolve",
            reason="required",
        ),
        Step(
            "appeal", "Lodge an appeal", ("resolved",), "appealed", "grievances:case:lodge", reason="required"
        ),
        Step("close", "Close", ("resolved",), "closed", "grievances:case:resolve"),
    ),
)


class Grievance(InArea, HasLifecycle, Base):
    """A complaint or an appeal, against a person's record, a decision or a payment, or about service in general.

    An anonymous one has no complainant; the reference number alone lets its author ask what became of it. An appeal is
    a grievance of its own that points at the first (`appeal_of_id`) and is resolved by another person.
    """

    __tablename__ = "grievance"
    __table_args__ = (
        sa.CheckConstraint(
            "NOT (anonymous AND complainant_name IS NOT NULL)", name="the_anonymous_have_no_name"
        ),
        sa.CheckConstraint("appeal_of_id <> id", name="a_grievance_is_not_its_own_appeal"),
        sa.CheckConstraint(
            "status NOT IN ('resolved', 'appealed', 'closed') OR decision IS NOT NULL",
            name="what_is_resolved_has_a_decision",
        ),
        sa.Index("one_appeal_per_grievance", "appeal_of_id", unique=True),
        sa.Index("ix_grievance_due_on", "status", "due_on"),
    )
    lifecycle = grievance_lifecycle

    id: Mapped[int] = primary_key()
    uid: Mapped[str] = sealed.row_uid()
    category: Mapped[str]
    channel: Mapped[str]
    description: Mapped[str]
    anonymous: Mapped[bool] = mapped_column(default=False)
    complainant_name: Mapped[str | None]
    phone_sealed: Mapped[bytes | None]
    phone_blind: Mapped[str | None]
    phone_hint: Mapped[str | None]
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    determination_id: Mapped[int | None] = mapped_column(sa.ForeignKey("determination.id"), index=True)
    enrolment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("enrolment.id"), index=True)
    payment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payment.id"), index=True)
    received_on: Mapped[date]
    acknowledge_by: Mapped[date]
    due_on: Mapped[date]
    appeal_by: Mapped[date | None]
    assigned_to_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"), index=True)
    lodged_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    resolved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    resolved_on: Mapped[date | None]
    finding: Mapped[str | None]
    decision: Mapped[str | None]
    remedy: Mapped[str | None]
    remedy_result: Mapped[dict[str, Any] | None] = mapped_column(Json)
    appeal_of_id: Mapped[int | None] = mapped_column(sa.ForeignKey("grievance.id"))
    lodged_at: Mapped[datetime]

    phone = sealed.Sealed("phone", normalise=sealed.compact)
    person: Mapped[Person | None] = relationship(lazy="raise")
    determination: Mapped[Determination | None] = relationship(lazy="raise")
    enrolment: Mapped[Enrolment | None] = relationship(lazy="raise")
    payment: Mapped[Payment | None] = relationship(lazy="raise")
    notes: Mapped[list[CaseNote]] = relationship(
        back_populates="grievance", lazy="raise", order_by="CaseNote.id"
    )
    appeal_of: Mapped[Grievance | None] = relationship(remote_side=[id], lazy="raise")


class CaseNote(Base):
    """What an officer found or did. Append-only."""

    __tablename__ = "case_note"

    id: Mapped[int] = primary_key()
    grievance_id: Mapped[int] = mapped_column(sa.ForeignKey("grievance.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    author_name: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]

    grievance: Mapped[Grievance] = relationship(back_populates="notes", lazy="raise")


audit.append_only(CaseNote.__table__)
