"""What the provider answered: files as they came, and the class in which each of their lines ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mis.db import Base, Json, primary_key
from payments.models.cycles import Cycle

MATCHES = (
    "matched",
    "amount_mismatch",
    "duplicate_in_file",
    "repeated",
    "unknown_reference",
    "bad_state",
    "unreadable",
)


class AnswerFile(Base):
    """One file of a provider. The same file is never taken twice."""

    __tablename__ = "answer_file"
    __table_args__ = (sa.UniqueConstraint("cycle_id", "sha256"),)

    id: Mapped[int] = primary_key()
    cycle_id: Mapped[int] = mapped_column(sa.ForeignKey("cycle.id"))
    sha256: Mapped[str]
    name: Mapped[str]
    path: Mapped[str]
    format: Mapped[str]
    received_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    received_at: Mapped[datetime]
    job_id: Mapped[int | None] = mapped_column(sa.ForeignKey("job.id"))
    counts: Mapped[dict[str, Any] | None] = mapped_column(Json)
    findings: Mapped[list[Any] | None] = mapped_column(Json)

    cycle: Mapped[Cycle] = relationship(lazy="raise")


class AnswerLine(Base):
    """A line of an answer file. Whatever did not match stays on the exception list until a person has resolved it.

    `status` is our word for what the provider said (`raw_status`). A line below zero speaks of the whole message.
    """

    __tablename__ = "answer_line"
    __audit__ = (
        False  # Evidence as it came; the audit trail holds the file's entry with the digest of its lines.
    )
    __table_args__ = (
        sa.Index("ix_answer_line_match", "answer_file_id", "match"),
        sa.Index("ix_answer_line_payment_id", "payment_id"),
        sa.CheckConstraint("(resolved_at IS NULL) = (resolution IS NULL)", name="a_resolution_is_said"),
    )

    answer_file_id: Mapped[int] = mapped_column(sa.ForeignKey("answer_file.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    end_to_end_id: Mapped[str | None] = mapped_column(index=True)
    status: Mapped[str | None]
    raw_status: Mapped[str | None]
    reason: Mapped[str | None]
    reason_text: Mapped[str | None]
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None]
    provider_reference: Mapped[str | None]
    problem: Mapped[str | None]
    match: Mapped[str | None]
    payment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payment.id"))
    resolved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[str | None]

    file: Mapped[AnswerFile] = relationship(lazy="raise")
