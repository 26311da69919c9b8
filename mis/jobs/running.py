"""Running a job: look, plan, work chunk by chunk, finish; each its own transaction, so it may die anywhere.

Several workers may run one job at once. Each looks at the job between chunks, takes whatever is free, and
leaves when there is nothing for it; the one who finds every chunk done finishes. The job acts as the person
who asked for it, with the one permission it was asked under, in the areas held then.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from mis import access, acting, audit, calendar
from mis.acting import Actor, Grant
from mis.db import MisSession, db, is_passing
from mis.errors import Forbidden, Refusal
from mis.jobs import bell, chunks, leases
from mis.jobs.asking import cancelled_sentence
from mis.jobs.kinds import Chunk, Kind, kind_named
from mis.jobs.measuring import Progress, progress
from mis.jobs.models import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Job, JobChunk

log = logging.getLogger(__name__)

# How many colleagues are called once a job turns out to have many chunks; SQLite has one writer and needs
# none.
HELPERS = 3
# A busy or restarting database is tried again so often, with growing pauses, before the job is left to the
# sweeper.
PATIENCE = 6

Watch = Callable[[Progress], object]


@dataclass(frozen=True)
class Run:
    """One worker's part in a job. The token marks the chunks that are his."""

    job_id: int
    kind_name: str
    payload: dict[str, Any]
    actor: Actor
    permission: str
    token: str

    @property
    def kind(self) -> Kind:
        """How this work is done."""
        return kind_named(self.kind_name)


def run(job_id: int, *, stop: Callable[[], bool] = lambda: False, watch: Watch | None = None) -> str:
    """Work on a job until there is nothing left for this worker, and return the job's status then.

    `stop` is asked between chunks, and ends this worker's part; `watch` is told the progress after each
    chunk.
    """
    assert not db.is_open, "A job opens its own units of work."
    mine = _start(job_id)
    if mine is not None:
        with leases.beating(job_id), _released_if_interrupted(mine):
            while _step_or_fail(mine, stop=stop):
                if watch is not None:
                    watch(_progress(job_id))
    with db.unit_of_work(read_only=True) as session:
        return session.get_one(Job, job_id).status


def run_now(job_id: int, *, watch: Watch | None = None) -> Job:
    """Run a job in this process to its end, beside whoever else works on it, and return it."""
    while True:
        run(job_id, watch=watch)
        with db.unit_of_work(read_only=True) as session:
            job = session.get_one(Job, job_id)
        if not job.live:
            return job
        # Others hold the last chunks: they end them, or die and leave them to us.
        time.sleep(0.3)


def wait(job_id: int, *, timeout_seconds: float, watch: Watch | None = None) -> Job:
    """Wait for the workers to end a job; it is returned as it is when the time is over."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        with db.unit_of_work(read_only=True) as session:
            job = session.get_one(Job, job_id)
            if watch is not None:
                watch(progress(job))
        if not job.live or time.monotonic() >= deadline:
            return job
        time.sleep(0.3)


def _start(job_id: int) -> Run | None:
    """Join the job, if it lives and is not being closed right now."""
    now = calendar.now()
    with db.unit_of_work():
        job = leases.lock(job_id)
        if job is None or not job.live:
            return None
        if _begins_anew(job, now):
            if not _still_allowed(job):
                job.status, job.finished_at = FAILED, now
                job.error = f"{job.actor_name} no longer holds the permission {job.permission} for this work."
                return None
            job.attempt, job.resumed_at = job.attempt + 1, now
        job.status, job.started_at = RUNNING, job.started_at or now
        job.worker, job.heartbeat_at, job.lease_until = leases.this_worker(), now, now + bell.settings().lease
        return _part_in(job)


def _begins_anew(job: Job, now: datetime) -> bool:
    """Whether nobody works on the job; one that was handed over between two turns goes on as it was."""
    if job.status == QUEUED or job.heartbeat_at is None:
        return True
    silent_since = job.lease_until or job.heartbeat_at + bell.settings().lease
    return silent_since <= now or leases.is_dead(job.worker)


def _still_allowed(job: Job) -> bool:
    """Whether the one who asked may still do this where it was asked for: jobs wait, and are resumed by others."""
    grants_of = bell.settings().grants_of
    if grants_of is None or job.created_by is None:
        return True
    with acting.acting(replace(_part_in(job).actor, grants=grants_of(job.created_by))):
        return access.holds_in(job.permission, job.areas)


def _part_in(job: Job) -> Run:
    areas = [None] if job.areas is None else job.areas
    actor = Actor(
        user_id=job.created_by,
        name=job.actor_name,
        person=job.actor_person,
        via="job",
        grants=tuple(Grant((job.permission,), area) for area in areas),
        reason=job.reason,
    )
    return Run(
        job_id=job.id,
        kind_name=job.kind,
        payload=job.payload,
        actor=actor,
        permission=job.permission,
        token=secrets.token_hex(16),
    )


@contextmanager
def _released_if_interrupted(mine: Run) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        _release(mine)
        raise


def _step_or_fail(mine: Run, *, stop: Callable[[], bool]) -> bool:
    try:
        return _step_patiently(mine, stop=stop)
    except Refusal as refusal:
        if isinstance(refusal, Forbidden):
            details = {"permission": mine.permission, "why": refusal.sentence}
            with acting.acting(mine.actor):
                audit.aside(
                    "refused", subject_type=Job.__tablename__, subject_id=mine.job_id, details=details
                )
        _fail(mine, str(refusal))
    except Exception as error:
        if is_passing(error):
            # Nobody could write the failure either: the lease runs out, and the sweeper rings.
            raise
        reference = secrets.token_hex(4)
        log.exception("Job %s (%s) failed, reference %s", mine.job_id, mine.kind_name, reference)
        _fail(
            mine, f"Internal error, reference {reference}. What was done stays done; the job can be resumed."
        )
    return False


def _step_patiently(mine: Run, *, stop: Callable[[], bool]) -> bool:
    for failures in range(PATIENCE):
        try:
            return _step(mine, stop=stop)
        except DBAPIError as error:
            if not is_passing(error):
                raise
            log.warning("Job %s waits for the database.", mine.job_id, exc_info=True)
            time.sleep(0.1 * 2**failures)
    return _step(mine, stop=stop)


def _step(mine: Run, *, stop: Callable[[], bool]) -> bool:
    """Take one step; False if there is nothing more for this worker."""
    with db.unit_of_work(read_only=True) as session:
        job = session.get_one(Job, mine.job_id)
    if job.status != RUNNING:
        return False
    if job.cancel_requested:
        _cancel(mine)
        return False
    if stop():
        _release(mine)
        return False
    if job.planned_at is None:
        _plan(mine)
        return True
    with db.unit_of_work():
        chunk = chunks.claim(job, token=mine.token, serial=mine.kind.serial)
        left = chunks.undone(job.id)
    if chunk is not None:
        _work(mine, chunk)
        return True
    # Chunks that others hold are theirs: they finish the job, or the sweeper rings again.
    return left == 0 and not _finish(mine)


@contextmanager
def _as_creator(mine: Run, *, read_only: bool = False) -> Iterator[MisSession]:
    with (
        acting.acting(mine.actor),
        db.unit_of_work(read_only=read_only) as session,
        access.within(mine.permission),
    ):
        yield session


def _plan(mine: Run) -> None:
    with _as_creator(mine, read_only=True):
        ranges = list(mine.kind.plan(mine.payload)) or [(0, 0)]
    with db.unit_of_work() as session:
        # Two may have planned at once; the first plan is the plan.
        if not _change(mine, Job.planned_at.is_(None), planned_at=calendar.now()):
            return
        session.execute(
            sa.insert(JobChunk),
            [
                {"job_id": mine.job_id, "no": no, "low": low, "high": high}
                for no, (low, high) in enumerate(ranges, 1)
            ],
        )
    if db.dialect != "sqlite" and not mine.kind.serial:
        for _ in range(min(HELPERS, len(ranges) - 1)):
            bell.ring(mine.job_id)


def _work(mine: Run, chunk: Chunk) -> None:
    try:
        with _as_creator(mine):
            chunks.hold(chunk, token=mine.token)
            result = mine.kind.work(mine.payload, chunk)
            chunks.mark_done(chunk, token=mine.token, result=result)
    except chunks.LostClaim:
        log.warning("Chunk %s of job %s was taken over by another worker.", chunk.no, chunk.job_id)


def _finish(mine: Run) -> bool:
    """Close the job, unless somebody else did or calls it off; its row stays locked until the commit."""
    with _as_creator(mine) as session:
        if not _change(mine, Job.cancel_requested.is_(False), status=DONE, finished_at=calendar.now()):
            return False
        results = session.scalars(
            sa.select(JobChunk.result).where(JobChunk.job_id == mine.job_id).order_by(JobChunk.no)
        )
        result = mine.kind.finish(mine.payload, [result or {} for result in results])
        session.flush()
        session.execute(sa.update(Job).where(Job.id == mine.job_id).values(result=result))
    return True


def _fail(mine: Run, sentence: str) -> None:
    with db.unit_of_work():
        _change(mine, status=FAILED, finished_at=calendar.now(), error=sentence)


def _cancel(mine: Run) -> None:
    with db.unit_of_work() as session:
        # The last to leave says what has been done; the others are still adding to it.
        if chunks.held_by_others(mine.job_id, token=mine.token):
            return
        sentence = cancelled_sentence(session.get_one(Job, mine.job_id))
        _change(mine, status=CANCELLED, finished_at=calendar.now(), error=sentence)


def _release(mine: Run) -> None:
    """Leave the job to whoever comes next, without waiting for the lease."""
    with db.unit_of_work():
        _change(mine, lease_until=None, worker=None, rung_at=None)


def _change(mine: Run, *conditions: sa.ColumnElement[bool], **values: Any) -> bool:
    """Change the job's row if it is still running and the conditions hold: a compare-and-set."""
    changed = db.session.execute(
        sa.update(Job)
        .where(Job.id == mine.job_id, Job.status == RUNNING, *conditions)
        .values(**values)
        .returning(Job.id),
        execution_options={"synchronize_session": False},
    )
    return changed.first() is not None


def _progress(job_id: int) -> Progress:
    with db.unit_of_work(read_only=True) as session:
        return progress(session.get_one(Job, job_id))
