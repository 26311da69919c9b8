"""What is stored about work in the background: the job, and the chunks it is cut into.

These two tables are the record of all work; the message broker only carries "run job N" and may lose it. The
tables are not audited: a job's row itself says who asked for it and who stopped it, and whatever it writes is
audited.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from mis.db import Base, primary_key

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
LIVE = (QUEUED, RUNNING)
ENDED = (DONE, FAILED, CANCELLED)

WAITING, CLAIMED = "waiting", "claimed"

_live = sa.text("status IN ('queued', 'running')")
_undone = sa.text("status <> 'done'")


class Job(Base):
    """One piece of work asked for by a person, who is its actor wherever it runs."""

    __tablename__ = "job"
    __audit__: ClassVar[bool] = (
        False  # bookkeeping: the row names its author, heartbeats would drown the trail
    )
    __table_args__ = (
        sa.CheckConstraint(f"status IN {(*LIVE, *ENDED)}", name="job_status_is_known"),
        sa.CheckConstraint(f"(status IN {ENDED}) = (finished_at IS NOT NULL)", name="ended_job_says_when"),
        # A double click makes one job.
        sa.Index(
            "one_live_job_per_subject",
            "kind",
            "subject",
            unique=True,
            sqlite_where=_live,
            postgresql_where=_live,
        ),
        sa.Index("live_jobs", "status", sqlite_where=_live, postgresql_where=_live),
    )

    id: Mapped[int] = primary_key()
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    subject: Mapped[str | None]
    status: Mapped[str] = mapped_column(default=QUEUED)

    created_by: Mapped[int | None] = mapped_column(index=True)
    actor_name: Mapped[str]
    actor_person: Mapped[str]
    permission: Mapped[str]
    areas: Mapped[list[Any] | None]
    reason: Mapped[str | None]

    created_at: Mapped[datetime]
    rung_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    resumed_at: Mapped[datetime | None]
    planned_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    worker: Mapped[str | None]
    heartbeat_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)

    cancel_requested: Mapped[bool] = mapped_column(default=False)
    cancelled_by: Mapped[str | None]
    error: Mapped[str | None]
    result: Mapped[dict[str, Any] | None]

    @property
    def live(self) -> bool:
        """Whether this job is still to be done, or being done."""
        return self.status in LIVE


class JobChunk(Base):
    """A range of numbers, both ends included, worked in one transaction with its own mark of being done."""

    __tablename__ = "job_chunk"
    __audit__: ClassVar[bool] = False  # bookkeeping, as above
    __table_args__ = (
        sa.CheckConstraint("status IN ('waiting', 'claimed', 'done')", name="chunk_status_is_known"),
        sa.CheckConstraint("(status = 'done') = (done_at IS NOT NULL)", name="done_chunk_says_when"),
        sa.CheckConstraint("status <> 'claimed' OR token IS NOT NULL", name="claimed_chunk_has_a_holder"),
        sa.Index("undone_chunks", "job_id", "no", sqlite_where=_undone, postgresql_where=_undone),
    )

    job_id: Mapped[int] = mapped_column(sa.ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    low: Mapped[int]
    high: Mapped[int]
    status: Mapped[str] = mapped_column(default=WAITING)
    token: Mapped[str | None]
    worker: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    attempt: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    rows: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any] | None]
