"""mis job list | show | cancel | resume: background work from the command line."""

from __future__ import annotations

from typing import Any

import click
import sqlalchemy as sa

from mis import jobs
from mis.commands import Work, command
from mis.db import db, plain
from mis.errors import Missing
from mis.jobs import Job


@click.group("job")
def group() -> None:
    """Background work: what runs, how far it has come, stop it, let it go on."""


@command(group, "list", permission="jobs:job:read", reads=True)
@click.option("--status", type=click.Choice([*jobs.LIVE, *jobs.ENDED]), help="Only jobs in this status.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def list_(status: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest jobs."""
    query = sa.select(Job).where(jobs.seen()).order_by(Job.id.desc()).limit(limit)
    if status:
        query = query.where(Job.status == status)
    return [_summary(job) for job in db.session.scalars(query)]


@command(group, "show", permission="jobs:job:read", reads=True)
@click.argument("job_id", type=int)
def show(job_id: int) -> dict[str, Any]:
    """One job with its progress, result and error."""
    job = _job(job_id)
    far = jobs.progress(job)
    return _summary(job) | {
        "chunks": {"done": far.done, "total": far.total},
        "rows": far.rows,
        "attempt": job.attempt,
        "error": job.error,
        "result": job.result if jobs.sees_inside(job) else None,
    }


@command(group, "cancel", permission="jobs:job:cancel")
@click.argument("job_id", type=int)
def cancel(job_id: int) -> dict[str, Any]:
    """Call a job off; what runs ends after its current part."""
    job = _job(job_id)
    jobs.cancel(job)
    return _summary(job) | {"cancel_requested": True}


@command(group, "resume", permission="jobs:job:cancel")
@click.argument("job_id", type=int)
def resume(job_id: int) -> Work:
    """Let a failed or cancelled job go on with what is not done, in this process."""
    job = _job(job_id)
    jobs.resume(job)
    return Work(job.id, lambda: _summary(_job(job_id)))


def _job(job_id: int) -> Job:
    job = db.session.scalar(sa.select(Job).where(Job.id == job_id, jobs.seen()))
    if job is None:
        raise Missing(f"There is no job {job_id}.", instead="See: mis job list")
    return job


def _summary(job: Job) -> dict[str, Any]:
    return {
        "job": job.id,
        "kind": job.kind,
        "subject": job.subject,
        "status": job.status,
        "by": job.actor_name,
        "asked": plain(job.created_at),
        "ended": plain(job.finished_at),
    }


commands = (group,)
