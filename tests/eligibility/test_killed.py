"""Whoever kills the process in the middle of an assessment or an enrolment changes no total."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from eligibility import assessment, enrolling, publishing
from eligibility.models import Determination, Enrolment
from mis import jobs
from mis.acting import SYSTEM, acting
from mis.calendar import now
from mis.db import db
from tests.factories import eligibility as made
from tests.factories.registry import AreaFactory, PersonFactory, household_of

DAY = date(2026, 6, 1)


@pytest.fixture
def country(app: Flask) -> Iterator[None]:
    """Twelve households of an elderly person and a younger one, decided one household at a time."""
    with db.unit_of_work(), acting(SYSTEM):
        area = AreaFactory()
        for _ in range(12):
            household_of(PersonFactory(area=area, elderly=True), (PersonFactory(area=area), "child"))
        made.in_force()
    jobs.install(None, chunk_rows=4)
    yield
    jobs.install(None)


def run_and_die(job_id: int, module: Any, name: str, *, after: int) -> None:
    """Run a job in a process of its own that is killed after so many ranges, before the last is committed."""
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        work, done = getattr(module, name), []

        def dying(*arguments: Any) -> Any:
            result = work(*arguments)
            done.append(result)
            if len(done) == after:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(module, name, dying)
        jobs.run(job_id)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def rows(model: type[Any]) -> int:
    with db.unit_of_work(read_only=True) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_an_assessment_and_an_enrolment_that_were_killed_come_to_the_same_totals(country: None) -> None:
    with db.unit_of_work(), acting(SYSTEM):
        asked = assessment.ask(publishing.scheme_coded("OAP"), DAY, at=now())
        job_id, run_id = asked.job.id, asked.run.id
    run_and_die(job_id, assessment, "decide", after=5)
    assert 0 < rows(Determination) < 24
    run_and_die(job_id, assessment, "close", after=1)
    job = jobs.run_now(job_id)
    assert job.status == jobs.DONE, job.error
    result = job.result or {}
    assert (result["persons"], result["eligible"], result["reasons"]) == (24, 12, {"AGE": 12})
    assert rows(Determination) == 24
    with db.unit_of_work(), acting(SYSTEM):
        enrolment_id = enrolling.ask(assessment.run_numbered(run_id)).id
    run_and_die(enrolment_id, enrolling, "enrol", after=2)
    ended = jobs.run_now(enrolment_id)
    assert (ended.result or {})["enrolled"] == 12 and rows(Enrolment) == 12
