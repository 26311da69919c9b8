"""Payments: the instruction that never changes, the events that happened to it, and its present state.

`live` is 1 while the payment may still reach the person, and NULL once evidence (a rejection, a return) has released
it. The unique index over (entitlement, live) makes a second live payment of one entitlement impossible, and the foreign
key over (entitlement, amount, currency) makes a payment of another amount impossible.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mis import audit
from mis.access import InArea
from mis.db import Base, Json, primary_key
from payments.models.accounts import PaymentAccount
from payments.models.cycles import Cycle
from payments.models.entitlements import Entitlement
from registry.models import Person


class PaymentBatch(Base):
    """One file to the provider: a pure function of its payments, with all that makes it the same file each time."""

    __tablename__ = "payment_batch"
    __table_args__ = (sa.UniqueConstraint("cycle_id"),)

    id: Mapped[int] = primary_key()
    cycle_id: Mapped[int] = mapped_column(sa.ForeignKey("cycle.id"))
    message_id: Mapped[str] = mapped_column(unique=True)
    frozen_at: Mapped[datetime]
    header: Mapped[dict[str, Any]] = mapped_column(Json)
    count: Mapped[int | None]
    total_minor: Mapped[int | None]
    list_digest: Mapped[str | None]
    pain001_sha256: Mapped[str | None]
    csv_sha256: Mapped[str | None]

    cycle: Mapped[Cycle] = relationship(lazy="raise")


class Payment(InArea, Base):
    """An instruction to pay one entitlement once, as it was sent."""

    __tablename__ = "payment"
    __sealed__ = True
    __sealed_columns__ = (
        "id",
        "batch_id",
        "cycle_id",
        "entitlement_id",
        "person_id",
        "account_id",
        "attempt",
        "amount_minor",
        "currency",
        "end_to_end_id",
        "payee_name",
    )
    __table_args__ = (
        sa.CheckConstraint("live = 1", name="live_is_one_or_nothing"),
        sa.CheckConstraint(
            "(live IS NULL) = (released_by_event_id IS NOT NULL)", name="only_evidence_releases_a_payment"
        ),
        sa.CheckConstraint("amount_minor > 0", name="a_payment_is_positive"),
        sa.Index("one_live_payment_per_entitlement", "entitlement_id", "live", unique=True),
        sa.UniqueConstraint("entitlement_id", "attempt"),
        sa.ForeignKeyConstraint(
            ["entitlement_id", "amount_minor", "currency"],
            ["entitlement.id", "entitlement.amount_minor", "entitlement.currency"],
            name="a_payment_has_the_amount_of_its_entitlement",
        ),
        sa.Index("ix_payment_batch_id", "batch_id"),
        sa.Index("ix_payment_person_id", "person_id"),
    )

    id: Mapped[int] = primary_key()
    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("payment_batch.id"))
    cycle_id: Mapped[int] = mapped_column(sa.ForeignKey("cycle.id"), index=True)
    entitlement_id: Mapped[int] = mapped_column(sa.ForeignKey("entitlement.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payment_account.id"))
    attempt: Mapped[int]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    end_to_end_id: Mapped[str] = mapped_column(unique=True)
    payee_name: Mapped[str]
    live: Mapped[int | None]
    released_by_event_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("payment_event.id", use_alter=True)
    )

    cycle: Mapped[Cycle] = relationship(lazy="raise")
    account: Mapped[PaymentAccount | None] = relationship(lazy="raise")
    entitlement: Mapped[Entitlement] = relationship(lazy="raise", foreign_keys=[entitlement_id])
    person: Mapped[Person] = relationship(lazy="raise")
    state: Mapped[PaymentState] = relationship(lazy="raise", back_populates="payment")


class PaymentEvent(Base):
    """Something that happened to a payment, with its evidence: sent, or answered by a line of a file. Append-only."""

    __tablename__ = "payment_event"
    __sealed__ = True

    id: Mapped[int] = primary_key()
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payment.id"), index=True)
    status: Mapped[str]
    reason: Mapped[str | None]
    provider_reference: Mapped[str | None]
    answer_file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("answer_file.id"), index=True)
    line_no: Mapped[int | None]
    at: Mapped[datetime]


class PaymentState(Base):
    """The present state of a payment: narrow, so that a million answers are cheap. Statuses only move forward."""

    __tablename__ = "payment_state"
    __table_args__ = (
        sa.CheckConstraint(
            "status IN ('sent', 'accepted', 'pending', 'paid', 'rejected', 'returned', 'unknown')",
            name="a_payment_has_a_status",
        ),
        sa.Index(
            "ix_payment_state_open",
            "status",
            sqlite_where=sa.text("status <> 'paid'"),
            postgresql_where=sa.text("status <> 'paid'"),
        ),
    )

    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payment.id"), primary_key=True)
    status: Mapped[str]
    reason: Mapped[str | None]
    provider_reference: Mapped[str | None]
    changed_at: Mapped[datetime]

    payment: Mapped[Payment] = relationship(lazy="raise", back_populates="state")


audit.append_only(PaymentEvent.__table__)
audit.immutable_columns(Payment.__table__, Payment.__sealed_columns__)
