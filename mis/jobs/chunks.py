"""Chunks: claimed in a commit of their own, then worked and marked done in one transaction.

The claim says who has the chunk, and counts how often it was tried. While it is worked, its row stays locked
(on SQLite the one write lock does the same): nobody can take it over from a worker who is only slow. A worker
who lost his claim before he began finds another token there, and does nothing.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from mis import calendar
from mis.db import db
from mis.jobs import bell, leases
from mis.jobs.kinds import Chunk, Counters
from mis.jobs.models import CLAIMED, DONE, WAITING, Job, JobChunk

# A chunk that was begun so often and never ended kills its workers (memory, most likely): ask a person.
TRIES = 5


class LostClaim(Exception):
    """Another worker has this chunk now; ours rolls back."""


class TooManyTries(Exception):
    """This chunk was begun several times and no worker came back from it."""


def claim(job: Job, *, token: str, serial: bool) -> Chunk | None:
    """Claim the next chunk that is free, in the open unit of work; None if there is none now.

    Free is what waits, what an expired or dead worker held, and what this run itself (`token`) left half
    done. A serial job gives out its lowest undone chunk or none.
    """
    now = calendar.now()
    if job.lease_until is None or job.lease_until - now < bell.settings().lease * 0.8:
        leases.beat(job.id)
    record = db.session.scalar(_next_free(job.id, token=token, serial=serial))
    if record is None:
        return None
    if record.attempt >= TRIES:
        raise TooManyTries(f"Chunk {record.no} of job {job.id} was tried {record.attempt} times.")
    record.status, record.token, record.worker = CLAIMED, token, leases.this_worker()
    record.lease_until, record.attempt = now + bell.settings().lease, record.attempt + 1
    return Chunk(job_id=record.job_id, no=record.no, low=record.low, high=record.high)


def _next_free(job_id: int, *, token: str, serial: bool) -> sa.Select[JobChunk]:
    of_job = JobChunk.job_id == job_id
    claimants = db.session.scalars(
        sa.select(JobChunk.worker).where(of_job, JobChunk.status == CLAIMED).distinct()
    )
    dead = leases.the_dead(claimants)
    lost = sa.or_(
        JobChunk.token == token,
        JobChunk.lease_until <= calendar.now(),
        JobChunk.worker.in_(dead),
    )
    free = sa.or_(JobChunk.status == WAITING, sa.and_(JobChunk.status == CLAIMED, lost))
    query = sa.select(JobChunk).where(of_job, JobChunk.status != DONE, free)
    if serial:
        undone = sa.select(sa.func.min(JobChunk.no)).where(of_job, JobChunk.status != DONE)
        query = query.where(JobChunk.no == undone.scalar_subquery())
    return query.order_by(JobChunk.no).limit(1).with_for_update(skip_locked=True)


def hold(chunk: Chunk, *, token: str) -> None:
    """Lock a claimed chunk for the rest of the unit of work. Raises LostClaim if another has it."""
    held = db.session.scalar(_claimed(chunk, token).with_for_update())
    if held is None:
        raise LostClaim(chunk)


def mark_done(chunk: Chunk, *, token: str, result: Counters | None) -> None:
    """Mark a chunk done in the unit of work that did it. Raises LostClaim if it is lost."""
    db.session.flush()
    values: dict[str, Any] = {
        "status": DONE,
        "done_at": calendar.now(),
        "rows": int((result or {}).get("rows", 0)),
    }
    marked = db.session.execute(
        sa.update(JobChunk)
        .where(JobChunk.job_id == chunk.job_id, JobChunk.no == chunk.no)
        .where(JobChunk.status == CLAIMED, JobChunk.token == token)
        .values(result=result, **values)
        .returning(JobChunk.no),
        execution_options={"synchronize_session": False},
    )
    if marked.first() is None:
        raise LostClaim(chunk)


def _claimed(chunk: Chunk, token: str) -> sa.Select[int]:
    return sa.select(JobChunk.no).where(
        JobChunk.job_id == chunk.job_id,
        JobChunk.no == chunk.no,
        JobChunk.status == CLAIMED,
        JobChunk.token == token,
    )


def undone(job_id: int) -> int:
    """How many chunks of a job are not done."""
    query = sa.select(sa.func.count()).where(JobChunk.job_id == job_id, JobChunk.status != DONE)
    return db.session.scalar(query) or 0


def held_by_others(job_id: int, *, token: str) -> bool:
    """Whether a living worker other than this run is within a chunk of the job."""
    now = calendar.now()
    others = sa.select(JobChunk.worker).where(
        JobChunk.job_id == job_id,
        JobChunk.status == CLAIMED,
        JobChunk.token != token,
        JobChunk.lease_until > now,
    )
    return any(not leases.is_dead(worker) for worker in db.session.scalars(others))
