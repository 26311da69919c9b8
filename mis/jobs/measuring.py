"""How far a job has come, and how long it will take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from mis.db import db
from mis.jobs.kinds import Counters, total
from mis.jobs.models import DONE, Job, JobChunk


@dataclass(frozen=True)
class Progress:
    """Chunks done of all chunks, rows worked, and an estimate from the pace since the job last started."""

    status: str
    done: int
    total: int
    rows: int
    seconds_left: int | None

    @property
    def fraction(self) -> float:
        """The part that is done, from 0 to 1."""
        if self.status == DONE:
            return 1.0
        return self.done / self.total if self.total else 0.0


def progress(job: Job) -> Progress:
    """How far a job has come, as committed."""
    is_done = JobChunk.status == DONE
    of_this_run = sa.and_(is_done, JobChunk.done_at >= job.resumed_at) if job.resumed_at else sa.false()
    done, chunks, rows, paced, last = db.session.execute(
        sa.select(
            sa.func.count().filter(is_done),
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(JobChunk.rows), 0),
            sa.func.count().filter(of_this_run),
            sa.func.max(JobChunk.done_at),
        ).where(JobChunk.job_id == job.id)
    ).one()
    left = None
    if job.live and paced and last is not None and job.resumed_at is not None:
        left = _seconds_left(last - job.resumed_at, paced=paced, undone=chunks - done)
    return Progress(status=job.status, done=done, total=chunks, rows=int(rows), seconds_left=left)


def _seconds_left(spent: timedelta, *, paced: int, undone: int) -> int:
    return round(spent.total_seconds() / paced * undone)


def counters(job: Job) -> Counters:
    """The sums of what the chunks done so far have counted."""
    results: list[dict[str, Any] | None] = list(
        db.session.scalars(
            sa.select(JobChunk.result).where(JobChunk.job_id == job.id, JobChunk.status == DONE)
        )
    )
    return total(result for result in results if result)
