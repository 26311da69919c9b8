"""Leases: who is at work, whether he still lives, and whose work must be taken up again.

A lease is renewed by a heartbeat. When it runs out, the sweeper rings and another worker joins; that is
always safe, because each chunk is held by a lock while it is worked. A worker on the same machine need not be
waited for: its process number and start time say at once that it is dead.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from mis import calendar
from mis.db import db
from mis.jobs import bell
from mis.jobs.models import CLAIMED, QUEUED, RUNNING, Job, JobChunk

log = logging.getLogger(__name__)


def this_worker() -> str:
    """The name of this process, which no other process ever has: machine, process number, start time."""
    return f"{_machine()}/{os.getpid()}/{_started(os.getpid())}"


@cache
def _machine() -> str:
    # Containers share the machine's boot but number their processes from 1, so their name space belongs to
    # the name.
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()}/{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return f"{socket.gethostname()}/-/-"


def _started(pid: int) -> str | None:
    """When a process of this machine started, in ticks since boot; None if no such process lives."""
    try:
        # The command's name, in brackets, may itself hold blanks and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def is_dead(worker: str | None) -> bool:
    """Whether a worker is known to be dead; one on another machine is never known to be."""
    if worker is None:
        return False
    machine, pid, started = worker.rsplit("/", 2)
    if machine != _machine() or machine.endswith("/-/-"):
        return False
    return _started(int(pid)) != started


def the_dead(workers: Iterable[str | None]) -> list[str]:
    """Those workers that are known to be dead."""
    return [worker for worker in dict.fromkeys(workers) if worker is not None and is_dead(worker)]


def beat(job_id: int) -> None:
    """Renew the lease of a job in the open unit of work."""
    now = calendar.now()
    # A row that is locked is being closed by its worker, who thereby shows that he lives.
    free = sa.select(Job.id).where(Job.id == job_id, Job.status == RUNNING).with_for_update(skip_locked=True)
    db.session.execute(
        sa.update(Job)
        .where(Job.id.in_(free))
        .values(worker=this_worker(), heartbeat_at=now, lease_until=now + bell.settings().lease),
        execution_options={"synchronize_session": False},
    )


@contextmanager
def beating(job_id: int) -> Iterator[None]:
    """Keep the lease of a job alive within the block.

    SQLite has one writer at a time: there the lease is renewed between chunks (`chunks.claim`), and no
    sweeper can act on an expired one during a chunk, for it cannot write either.
    """
    if db.dialect == "sqlite":
        yield
        return
    over = threading.Event()
    heart = threading.Thread(
        target=_beat_until, args=(over, job_id), name=f"heart of job {job_id}", daemon=True
    )
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


def _beat_until(over: threading.Event, job_id: int) -> None:
    while not over.wait(bell.settings().lease.total_seconds() / 3):
        try:
            with db.unit_of_work():
                beat(job_id)
        except DBAPIError:
            log.warning("The lease of job %s could not be renewed; trying again.", job_id, exc_info=True)


def lock(job_id: int) -> Job | None:
    """The job, its row locked; None if there is none, or if it is being closed in a long transaction."""
    # Whoever holds the row for a moment (a heartbeat, a sweep, a colleague who joins) is waited for; waiting for a
    # whole closing would hang a page, or a worker who could do something else.
    query = sa.select(Job).where(Job.id == job_id).with_for_update(skip_locked=True)
    for pause in (0.02, 0.05, 0.1, 0.2, 0):
        job = db.session.scalar(query, execution_options={"populate_existing": True})
        if job is not None:
            return job
        time.sleep(pause)
    return None


def sweep(at: datetime) -> list[int]:
    """Ring again for every job that nobody works on: its worker is dead or silent, or its bell was not heard.

    Opens units of work of its own, and writes only if something was found. Returns the numbers of the jobs.
    """
    with db.unit_of_work(read_only=True):
        found = _abandoned(at)
    if not found:
        return []
    with db.unit_of_work():
        # Two sweepers may have found the same: the one who writes first rings.
        rows = db.session.execute(
            sa.update(Job)
            .where(Job.id.in_(sa.select(Job.id).where(Job.id.in_(found)).with_for_update(skip_locked=True)))
            .where(sa.or_(Job.rung_at.is_(None), Job.rung_at < at))
            .values(rung_at=at)
            .returning(Job.id),
            execution_options={"synchronize_session": False},
        )
        rung = sorted(rows.scalars())
    for job_id in rung:
        bell.ring(job_id)
    return rung


def _abandoned(at: datetime) -> list[int]:
    unheard = sa.or_(Job.rung_at.is_(None), Job.rung_at <= at - bell.settings().lease)
    silent = sa.or_(Job.lease_until.is_(None), Job.lease_until <= at)
    # Rung for since the last sign of life: the bell is on its way, and gets as long as any other.
    not_rung_since = sa.or_(unheard, Job.rung_at < Job.heartbeat_at)
    query = sa.select(Job.id).where(
        sa.or_(
            sa.and_(Job.status == QUEUED, unheard),
            sa.and_(Job.status == RUNNING, silent, not_rung_since),
            sa.and_(Job.status == RUNNING, not_rung_since, Job.id.in_(_of_the_dead())),
        )
    )
    return list(db.session.scalars(query))


def _of_the_dead() -> list[int]:
    running = sa.select(Job.id, Job.worker).where(Job.status == RUNNING)
    claimed = sa.select(JobChunk.job_id, JobChunk.worker).join(Job, Job.id == JobChunk.job_id)
    claimed = claimed.where(Job.status == RUNNING, JobChunk.status == CLAIMED)
    pairs = db.session.execute(running.union_all(claimed)).all()
    dead = set(the_dead(worker for _, worker in pairs))
    return sorted({job_id for job_id, worker in pairs if worker in dead})
