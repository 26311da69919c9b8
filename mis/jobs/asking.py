"""A person asks for a job, calls it off, or lets a failed one go on."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from mis import access, acting, audit, calendar
from mis.acting import Actor
from mis.db import db
from mis.errors import Conflict
from mis.jobs import bell, leases
from mis.jobs.kinds import kind_named
from mis.jobs.measuring import progress
from mis.jobs.models import CANCELLED, DONE, FAILED, LIVE, QUEUED, WAITING, Job, JobChunk


def ask(kind: str, payload: dict[str, Any], *, subject: str | None = None, permission: str) -> Job:
    """Ask for a job, in the caller's unit of work; it starts once that has committed.

    A live job of the same kind and subject is returned instead of a second one. Raises Forbidden without the
    permission, Conflict if the live one was asked for with other values or for other areas.
    """
    kind_named(kind)
    access.need(permission)
    wanted = _new(kind, json.loads(json.dumps(payload)), subject=subject, permission=permission)
    while True:
        live = _live(kind, subject)
        if live is not None:
            return _the_same(live, wanted)
        try:
            with db.session.begin_nested():
                db.session.add(wanted)
        except IntegrityError:
            # Somebody asked for the same in this very moment: look again.
            if subject is None or _live(kind, subject) is None:
                raise
        else:
            bell.ring_after_commit(wanted.id)
            return wanted


def _new(kind: str, payload: dict[str, Any], *, subject: str | None, permission: str) -> Job:
    actor, areas, now = acting.current(), access.areas_of(permission), calendar.now()
    return Job(
        kind=kind,
        payload=payload,
        subject=subject,
        status=QUEUED,
        created_by=actor.user_id,
        actor_name=actor.name,
        actor_person=actor.person,
        permission=permission,
        areas=None if areas is None else sorted(areas),
        reason=actor.reason,
        created_at=now,
        rung_at=now,
        attempt=0,
        cancel_requested=False,
    )


def _live(kind: str, subject: str | None) -> Job | None:
    if subject is None:
        return None
    return db.session.scalar(
        sa.select(Job).where(Job.kind == kind, Job.subject == subject, Job.status.in_(LIVE))
    )


def _the_same(live: Job, wanted: Job) -> Job:
    if (live.payload, live.areas) != (wanted.payload, wanted.areas):
        raise Conflict(
            f"Job {live.id}, asked for by {live.actor_name}, does the same work with other values.",
            instead="Wait until it is done, or cancel it first.",
        )
    return live


def cancel(job: Job, by: Actor | None = None) -> None:
    """Call a job off; what runs ends after its current chunk. Raises Conflict once it ends."""
    locked = _locked(job.id)
    if not locked.live:
        raise Conflict(
            f"Job {job.id} has already ended ({locked.status}).", instead="There is nothing to cancel."
        )
    locked.cancelled_by = (by or acting.current()).name
    locked.cancel_requested = True
    if locked.status == QUEUED:
        locked.status, locked.finished_at = CANCELLED, calendar.now()
        locked.error = cancelled_sentence(locked)
    db.session.flush()
    audit.record("cancelled", locked)


def cancelled_sentence(job: Job) -> str:
    """What is said of a cancelled job: who stopped it, and how far it had come."""
    so_far = progress(job)
    if not so_far.done:
        return f"Cancelled by {job.cancelled_by} before anything was done."
    far = f"{so_far.done} of {so_far.total} chunks"
    return f"Cancelled by {job.cancelled_by} after {far}; what these did stays done."


def _locked(job_id: int) -> Job:
    job = leases.lock(job_id)
    if job is None:
        raise Conflict(f"Job {job_id} is being closed at this moment.", instead="Look again in a minute.")
    return job


def resume(job: Job) -> None:
    """Let a failed or cancelled job go on with what is not done. Raises Conflict in any other state."""
    locked = _locked(job.id)
    if locked.status not in (FAILED, CANCELLED):
        raise Conflict(
            f"Job {job.id} is {locked.status}.", instead="Only a failed or cancelled job can go on."
        )
    now = calendar.now()
    try:
        with db.session.begin_nested():
            locked.status, locked.finished_at, locked.error = QUEUED, None, None
            locked.cancel_requested, locked.cancelled_by = False, None
            locked.rung_at, locked.worker, locked.lease_until = now, None, None
    except IntegrityError:
        raise Conflict(
            "The same work is under way in a later job.", instead="Wait until that one is done."
        ) from None
    # A chunk that is locked is still being worked by the failed run: it may end, and counts.
    idle = sa.select(JobChunk.no).where(JobChunk.job_id == job.id, JobChunk.status != DONE)
    db.session.execute(
        sa.update(JobChunk)
        .where(JobChunk.job_id == job.id, JobChunk.no.in_(idle.with_for_update(skip_locked=True)))
        .values(status=WAITING, token=None, worker=None, lease_until=None, attempt=0),
        execution_options={"synchronize_session": False},
    )
    audit.record("resumed", locked)
    bell.ring_after_commit(job.id)
