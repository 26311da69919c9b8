"""Killed in the middle: a computation, an export, an answer, each killed with SIGKILL, end in the same totals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from mis import audit
from mis.db import db
from mis.jobs import Job, JobChunk
from payments import answers, disbursement, filing, payroll, reconciliation, scheduling, telling
from payments.models import Payment
from tests.factories.payments import AT, enrol_many, make_area, make_scheme
from tests.payments.conftest import APPROVER, Office

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (payroll, disbursement):
        monkeypatch.setattr(module, "SPAN", 5)
    monkeypatch.setattr(answers, "LINES_AT_ONCE", 5)


def killed_at(job_id: int, moment: str, workshop: Path) -> None:
    """Run a job in another process that is killed at a moment: within its second part, or at its end."""
    environment = os.environ | {
        "MIS_ENVIRONMENT": "test",
        "MIS_INSTANCE_DIR": str(workshop),
        "MIS_DATABASE_URL": db.engine.url.render_as_string(hide_password=False),
        "MIS_SECRET_KEY": "a key that only tests use",
        "MIS_SEALING_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
    }
    command = [sys.executable, "-m", "tests.payments.dying", str(job_id), moment]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def parts_done(job_id: int) -> int:
    with db.unit_of_work(read_only=True) as session:
        done = sa.select(sa.func.count()).where(JobChunk.job_id == job_id, JobChunk.status == "done")
        return session.scalar(done) or 0


def run_with_deaths(office: Office, job_id: int, workshop: Path) -> None:
    killed_at(job_id, "work", workshop)
    assert parts_done(job_id) == 1
    killed_at(job_id, "finish", workshop)
    with db.unit_of_work(read_only=True) as session:
        assert session.get_one(Job, job_id).live
    office.run(job_id)


def chain(office: Office, workshop: Path, *, run: Any) -> dict[str, Any]:
    with office.at_work():
        scheme = make_scheme()
        enrol_many(scheme, make_area(), 13)
    cycle_id = office.open(scheme)
    with office.at_work():
        job_id = payroll.begin(scheduling.get(cycle_id)).id
    run(job_id)
    office.step(cycle_id, "submit")
    office.step(cycle_id, "approve", by=APPROVER)
    with office.at_work():
        job_id = disbursement.begin(scheduling.get(cycle_id), at=AT).id
    run(job_id)
    with office.at_work() as session:
        references = session.scalars(sa.select(Payment.end_to_end_id).order_by(Payment.id)).all()
    lines = [f"{one},{('paid', 'rejected', 'accepted')[place % 3]}" for place, one in enumerate(references)]
    path = workshop / "answer-of-the-dead.csv"
    path.write_text("reference,status\n" + "\n".join([*lines, "NOBODY-1,paid"]) + "\n", encoding="utf-8")
    with office.at_work():
        job_id = answers.receive(scheduling.get(cycle_id), path, name=path.name, at=AT).job_id
    run(job_id)
    with office.at_work():
        reconciliation.reconcile(scheduling.get(cycle_id), at=AT)
        told = telling.told(scheduling.get(cycle_id))
        files = {
            name: filing.fetch(scheduling.get(cycle_id), name, to="test").read_bytes()
            for name in filing.FORMATS
        }
    with db.unit_of_work(read_only=True):
        assert not audit.verify().findings
    return told | {"content": files}


@pytest.mark.slow
def test_every_long_step_killed_in_its_middle_and_at_its_end_gives_the_same_totals(
    office: Office, workshop: Path
) -> None:
    told = chain(office, workshop, run=lambda job_id: run_with_deaths(office, job_id, workshop))
    assert told["ties_out"]
    assert told["totals"]["exported"]["count"] == told["totals"]["entitled"]["count"] == 13
    assert {state: figure["count"] for state, figure in told["states"].items()} == {
        "paid": 5, "rejected": 4, "accepted": 4,
    }  # fmt: skip
    assert told["exceptions_open"] == 1
    assert told["content"]["csv"].count(b"\r\n") == 14
