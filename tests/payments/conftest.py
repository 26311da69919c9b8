"""Cycles for the tests of payments, run by two people: one prepares, another approves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from eligibility.models import Scheme
from mis import access, acting, jobs
from mis.acting import Actor, Grant
from mis.calendar import Month
from mis.db import MisSession, db
from payments import answers, approval, disbursement, payroll, scheduling
from tests.factories.payments import AT, MONTH

OFFICER = Actor(None, "officer", "officer", "test", (Grant(("*",), None),))
APPROVER = Actor(None, "approver", "approver", "test", (Grant(("*",), None),))


class Office:
    """People at work, each act in a unit of work of its own, as in a request."""

    @contextmanager
    def at_work(self, actor: Actor = OFFICER) -> Iterator[MisSession]:
        with db.unit_of_work() as session, acting.acting(actor), access.within("payments:cycle:prepare"):
            yield session

    def open(self, scheme: Scheme, month: Month = MONTH) -> int:
        with self.at_work():
            return scheduling.open_cycle(scheme, month, at=AT).id

    def compute(self, cycle_id: int) -> dict[str, Any]:
        with self.at_work():
            job_id = payroll.begin(scheduling.get(cycle_id)).id
        return self.run(job_id)

    def step(self, cycle_id: int, step: str, *, by: Actor = OFFICER, reason: str | None = None) -> None:
        with self.at_work(by):
            approval.take(scheduling.get(cycle_id), step, reason=reason)

    def export(self, cycle_id: int) -> dict[str, Any]:
        with self.at_work():
            job_id = disbursement.begin(scheduling.get(cycle_id), at=AT).id
        return self.run(job_id)

    def approved(self, scheme: Scheme, month: Month = MONTH) -> int:
        cycle_id = self.open(scheme, month)
        self.compute(cycle_id)
        self.step(cycle_id, "submit")
        self.step(cycle_id, "approve", by=APPROVER)
        return cycle_id

    def exported(self, scheme: Scheme, month: Month = MONTH) -> int:
        cycle_id = self.approved(scheme, month)
        self.export(cycle_id)
        return cycle_id

    def answer(self, cycle_id: int, path: Any, name: str = "answer.csv") -> dict[str, Any]:
        with self.at_work():
            taken = answers.receive(scheduling.get(cycle_id), path, name=name, at=AT)
            job_id = taken.job_id
        assert job_id is not None
        return self.run(job_id)

    def run(self, job_id: int) -> dict[str, Any]:
        job = jobs.run_now(job_id)
        assert job.status == jobs.DONE, job.error
        return job.result or {}


@pytest.fixture
def office(app: Flask) -> Office:
    return Office()
