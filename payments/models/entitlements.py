"""Entitlements: what is due to whom for which month; holds; and why somebody is not paid."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from eligibility.models import Enrolment
from mis.access import InArea
from mis.db import Base, primary_key
from payments.models.cycles import Cycle
from registry.models import Person


class Entitlement(InArea, Base):
    """What an enrolment gives for one month. There is one per enrolment, month and kind, whatever happens."""

    __tablename__ = "entitlement"
    __sealed__ = True
    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="an_entitlement_is_positive"),
        sa.Index("one_entitlement_per_enrolment_and_month", "enrolment_id", "month", "kind", unique=True),
        # Payments point at all three together, so that no payment can be of another amount than its entitlement.
        sa.UniqueConstraint("id", "amount_minor", "currency", name="an_entitlement_with_its_amount"),
        sa.Index("ix_entitlement_cycle_id", "cycle_id"),
        sa.Index("ix_entitlement_person_id", "person_id"),
    )

    id: Mapped[int] = primary_key()
    cycle_id: Mapped[int] = mapped_column(sa.ForeignKey("cycle.id"))
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolment.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    month: Mapped[str]
    kind: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]

    cycle: Mapped[Cycle] = relationship(lazy="raise")
    enrolment: Mapped[Enrolment] = relationship(lazy="raise")
    person: Mapped[Person] = relationship(lazy="raise")


class NotPaid(InArea, Base):
    """Why an enrolment of the scheme is not paid in a cycle: a stored reason for everybody who is left out."""

    __tablename__ = "not_paid"
    __table_args__ = (
        sa.UniqueConstraint("cycle_id", "enrolment_id"),
        sa.Index("ix_not_paid_cycle_reason", "cycle_id", "reason"),
    )

    id: Mapped[int] = primary_key()
    cycle_id: Mapped[int] = mapped_column(sa.ForeignKey("cycle.id"))
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolment.id"), index=True)
    entitlement_id: Mapped[int | None] = mapped_column(sa.ForeignKey("entitlement.id"), index=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    reason: Mapped[str]
    hold_id: Mapped[int | None] = mapped_column(sa.ForeignKey("hold.id"))

    cycle: Mapped[Cycle] = relationship(lazy="raise")
    entitlement: Mapped[Entitlement | None] = relationship(lazy="raise")
    person: Mapped[Person] = relationship(lazy="raise")


class Hold(InArea, Base):
    """No payment to this enrolment while the hold is live. The entitlement goes on and is paid once it is released."""

    __tablename__ = "hold"
    __table_args__ = (
        sa.CheckConstraint("(released_at IS NULL) = (release_reason IS NULL)", name="a_release_has_a_reason"),
        sa.Index(
            "ix_hold_live",
            "enrolment_id",
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        ),
    )

    id: Mapped[int] = primary_key()
    enrolment_id: Mapped[int] = mapped_column(sa.ForeignKey("enrolment.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    reason: Mapped[str]
    placed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    placed_at: Mapped[datetime]
    expires_on: Mapped[date | None]
    released_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    released_at: Mapped[datetime | None]
    release_reason: Mapped[str | None]

    enrolment: Mapped[Enrolment] = relationship(lazy="raise")
    person: Mapped[Person] = relationship(lazy="raise")


class CarryOver(Base):
    """An entitlement that an earlier cycle left unpaid and a later one shall pay: asked for, then taken up once."""

    __tablename__ = "carry_over"
    __table_args__ = (
        sa.Index(
            "one_open_carry_over_per_entitlement",
            "entitlement_id",
            unique=True,
            sqlite_where=sa.text("cycle_id IS NULL"),
            postgresql_where=sa.text("cycle_id IS NULL"),
        ),
        sa.Index("ix_carry_over_cycle_id", "cycle_id"),
    )

    id: Mapped[int] = primary_key()
    entitlement_id: Mapped[int] = mapped_column(sa.ForeignKey("entitlement.id"))
    reason: Mapped[str]
    asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    asked_at: Mapped[datetime]
    cycle_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cycle.id"))
