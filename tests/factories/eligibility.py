"""Schemes in force, and runs over the register, for tests."""

from __future__ import annotations

from datetime import date

from eligibility import assessment, enrolment, explaining, publishing
from eligibility.models import AssessmentRun, Enrolment, RuleSet, Scheme
from mis import jobs
from mis.acting import SYSTEM, acting
from mis.calendar import now
from mis.db import db
from mis.paths import config_dir
from registry.models import Person
from tests.conftest import acting_as

PENSION, GRANT, ALLOWANCE = (
    (config_dir() / "schemes" / f"{name}.yaml").read_text(encoding="utf-8")
    for name in ("old_age_pension", "child_grant", "disability_allowance")
)


def in_force(text: str = PENSION) -> Scheme:
    """A scheme whose rules one person drafted and another published, in the running unit of work."""
    return published(text).scheme


def published(text: str = PENSION) -> RuleSet:
    """A version drafted by Ada and published by Ben."""
    with acting_as("ada"):
        rule_set = publishing.load(text, at=now()).rule_set
        publishing.submit(rule_set)
    with acting_as("ben"):
        publishing.publish(rule_set)
    return rule_set


def assessed(code: str, day: date) -> int:
    """The number of a finished run over the register; opens its own units of work."""
    with db.unit_of_work(), acting(SYSTEM):
        asked = assessment.ask(publishing.scheme_coded(code), day, at=now())
        job_id, run_id = asked.job.id, asked.run.id
    job = jobs.run_now(job_id)
    assert job.status == jobs.DONE, job.error
    return run_id


def run_of(run_id: int) -> AssessmentRun:
    """The run of a number, in the running unit of work."""
    return assessment.run_numbered(run_id)


def enrolled(scheme: Scheme, person: Person, day: date) -> Enrolment:
    """Somebody who applied, was assessed and found eligible, and is enrolled."""
    applied = enrolment.apply(scheme, person, day, at=now())
    enrolment.decide(applied, explaining.assess_person(scheme, person, day, at=now()))
    assert applied.status == "active", applied.status
    return applied
