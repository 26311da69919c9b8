"""Going on with the job of a cycle that failed or was cancelled: a cycle is never stuck half way."""

from __future__ import annotations

import sqlalchemy as sa

from mis import jobs
from mis.db import db
from mis.errors import Conflict
from mis.jobs import Job


def last_job(kind: str, subject: str) -> Job | None:
    """The latest job of a kind about a subject (`cycle:7`)."""
    return db.session.scalar(
        sa.select(Job).where(Job.kind == kind, Job.subject == subject).order_by(Job.id.desc()).limit(1)
    )


def go_on(kind: str, subject: str) -> Job:
    """The job that is at work on the subject; one that failed or was cancelled is set going again."""
    job = last_job(kind, subject)
    assert job is not None, (kind, subject)
    if job.status in (jobs.FAILED, jobs.CANCELLED):
        jobs.resume(job)
    return job


def still_at_work(kind: str, subject: str) -> str | None:
    """The sentence that forbids to give up a job that is at work, or None."""
    job = last_job(kind, subject)
    return f"Job {job.id} is at work on it. Cancel the job first." if job is not None and job.live else None


def need_ended(kind: str, subject: str) -> None:
    """Refuse while a job of this kind is at work on the subject."""
    if sentence := still_at_work(kind, subject):
        raise Conflict(sentence)
