"""The people and rules that the cases need: two pairs of eyes, and a scheme in force."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from eligibility import publishing
from eligibility.models import Scheme
from mis import acting, jobs
from mis.acting import Actor, Grant
from mis.calendar import now
from mis.db import MisSession, db
from mis.paths import config_dir

DAY = date(2026, 1, 1)


@contextmanager
def at_work(name: str) -> Iterator[MisSession]:
    """A unit of work of a made-up officer with every permission; two names are two persons."""
    with (
        acting.acting(Actor(None, name, name, "bench", (Grant(("*",), None),))),
        db.unit_of_work() as session,
    ):
        yield session


def finish(job_id: int | None) -> None:
    """Run a job to its end in this process."""
    assert job_id is not None
    job = jobs.run_now(job_id)
    assert job.status == jobs.DONE, job.error


def publish(file: str) -> Scheme:
    """Draft a shipped scheme as one person and publish it as another."""
    text = (config_dir() / "schemes" / file).read_text(encoding="utf-8")
    with at_work("drafter"):
        publishing.submit(publishing.load(text, at=now()).rule_set)
    with at_work("publisher"):
        scheme = publishing.schemes()[-1]
        publishing.publish(publishing.waiting_for(scheme, "publish"))
    return scheme
