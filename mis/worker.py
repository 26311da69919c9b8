"""The worker process: Celery hears the bell and runs the job; every few seconds it sweeps, and seals the audit trail.

Production: `celery -A mis.worker:celery_app worker` as often as needed, and one `celery -A mis.worker:celery_app beat`.
The embedded worker is one process with its own beat (`mis.worker_bell.embedded_command`).
"""

from __future__ import annotations

import logging
import mmap
import os
import threading
import time

from celery import signals
from sqlalchemy.exc import DBAPIError, NoResultFound

from mis import acting, audit, calendar, jobs
from mis import settings as configuration
from mis.app import configure
from mis.db import db, is_passing
from mis.worker_bell import RUN_JOB, make_celery, ring

log = logging.getLogger(__name__)

# So long a worker stays with one job before others get their turn; it is rung for again, and goes on.
TURN_SECONDS = 60
SWEEP_SECONDS = 15

celery_app = make_celery(configuration.load())
celery_app.conf.beat_schedule = {
    # What waits behind a long job is not worth doing three times: it expires with the next one.
    task: {"task": task, "schedule": float(SWEEP_SECONDS), "options": {"expires": SWEEP_SECONDS}}
    for task in ("mis.sweep", "mis.seal")
}

# One byte shared with the children of a prefork worker. Not a lock or an event: a signal handler writes it while the
# very thread it interrupted may be reading it.
_stopping = mmap.mmap(-1, 1)


def stopping() -> bool:
    """Whether this worker was told to end."""
    return _stopping[0] != 0


@celery_app.task(name=RUN_JOB)
def run_job(job_id: int) -> None:
    """Work on a job for one turn."""
    turn_ends = time.monotonic() + TURN_SECONDS

    def over() -> bool:
        return stopping() or time.monotonic() > turn_ends

    try:
        status = jobs.run(job_id, stop=over)
    except NoResultFound:
        log.warning("There is no job %s: the bell was rung for another database.", job_id)
        return
    if status in jobs.LIVE and over() and not stopping():
        ring(job_id)


@celery_app.task(name="mis.sweep")
def sweep() -> None:
    """Ring for what nobody works on."""
    try:
        jobs.sweep(calendar.now())
    except DBAPIError as error:
        _only_if_passing(error)


@celery_app.task(name="mis.seal")
def seal() -> None:
    """Seal what was added to the audit trail, each batch in its own unit of work."""
    rows = configuration.current().audit_seal_rows
    try:
        with acting.acting(acting.SYSTEM):
            while not stopping():
                with db.unit_of_work():
                    sealed = audit.seal_pending(limit=rows)
                if sealed < rows:
                    return
    except DBAPIError as error:
        _only_if_passing(error)


def _only_if_passing(error: DBAPIError) -> None:
    """A database that is busy with a long chunk is met again in a few seconds; anything else is an error."""
    if not is_passing(error):
        raise error
    log.info("The database is busy; trying again in %s seconds.", SWEEP_SECONDS)


@signals.worker_process_init.connect
def _prepare(**_: object) -> None:
    # In the child, and not before: a connection must not be shared by two processes.
    configure(configuration.load())


@signals.worker_ready.connect
def _take_up_what_was_left(**_: object) -> None:
    # Whatever a killed worker left behind need not wait for the clock.
    celery_app.send_task("mis.sweep")


@signals.worker_shutting_down.connect
def _stop_after_this_chunk(**_: object) -> None:
    _stopping[0] = 1


@signals.beat_embedded_init.connect
def _end_with_the_worker(**_: object) -> None:
    """The clock is a child of the worker; it must not outlive one that was killed."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, name="watch over the worker", daemon=True).start()
