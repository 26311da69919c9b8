"""The worker process as it really runs: Celery, its broker in a folder, its clock, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from mis import acting, jobs
from mis.acting import SYSTEM
from mis.db import db
from mis.jobs import Job, bell
from mis.settings import Settings
from mis.worker_bell import RUN_JOB, embedded_command, make_celery
from tests.mis import job_kinds
from tests.mis.job_kinds import mark

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(app: Flask, test_settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The settings of a deployment in a folder of its own, on the database of the tests, with its bell installed."""
    made = test_settings.model_copy(update={"instance_dir": tmp_path, "environment": "embedded"})
    before = bell._settings
    celery = make_celery(made)
    jobs.install(lambda job_id: celery.send_task(RUN_JOB, [job_id]))
    job_kinds.tables.create_all(db.engine)
    with acting.acting(SYSTEM):
        yield made
    job_kinds.tables.drop_all(db.engine)
    bell._settings = before


@contextmanager
def a_worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {
        "MIS_ENVIRONMENT": "embedded",
        "MIS_INSTANCE_DIR": str(settings.instance_dir),
        "MIS_DATABASE_URL": settings.database_url,
        "MIS_SECRET_KEY": settings.secret_key,
        "MIS_SEALING_KEY": settings.sealing_key,
    }
    command = [*embedded_command(), "--include", "tests.mis.job_kinds"]
    command[command.index("--schedule") + 1] = str(settings.instance_path("clock"))
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def asked(**payload: object) -> int:
    with db.unit_of_work():
        return jobs.ask("test:count", payload, permission="test:count:start").id


def numbers(text: str = "counted") -> list[int]:
    with db.unit_of_work(read_only=True) as session:
        return sorted(session.scalars(sa.select(mark.c.number).where(mark.c.note == text)))


def status(job_id: int) -> str:
    with db.unit_of_work(read_only=True) as session:
        return session.get_one(Job, job_id).status


def until(true: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


@pytest.mark.slow
def test_a_worker_killed_with_its_message_loses_nothing(settings: Settings):
    """The embedded broker forgets what the killed worker was doing; the table of jobs does not."""
    job_id = asked(upto=40, rows=5, pause=0.3)
    with a_worker(settings) as worker:
        until(lambda: len(numbers()) >= 10)
        clocks = children(worker.pid)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    until(lambda: not any(Path(f"/proc/{clock}").exists() for clock in clocks), seconds=10)
    assert status(job_id) == "running"
    with a_worker(settings):
        until(lambda: status(job_id) == "done")
    assert numbers() == list(range(1, 41))
    assert numbers("finished") == [0]


@pytest.mark.slow
def test_a_worker_told_to_end_leaves_after_its_chunk(settings: Settings):
    job_id = asked(upto=400, rows=5, pause=0.2)
    with a_worker(settings) as worker:
        until(lambda: len(numbers()) >= 5)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(15) == 0
    assert status(job_id) == "running"
    with db.unit_of_work(read_only=True) as session:
        left = session.get_one(Job, job_id)
        assert (left.worker, left.lease_until) == (None, None)
    done = len(numbers())
    assert done % 5 == 0
    assert done < 400


def test_messages_appear_whole_and_name_the_job_only(settings: Settings):
    job_id = asked(upto=1, rows=1)
    folder = settings.instance_path("broker", "messages")
    [message] = folder.iterdir()
    assert message.name.endswith(".celery.msg")
    with make_celery(settings).connection_for_read() as connection:
        [queue] = make_celery(settings).amqp.queues.values()
        received = queue.bind(connection.default_channel).get()
        assert received is not None
        assert received.payload[:2] == [[job_id], {}]
        received.ack()
    assert list(folder.iterdir()) == []


def test_no_two_embedded_workers_have_the_same_name():
    first, second = embedded_command(), embedded_command()
    assert first[first.index("--hostname") + 1] != second[second.index("--hostname") + 1]
