"""The benefits of the demo: three schemes, rules published by two administrators, everybody assessed and enrolled."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from eligibility import assessment, enrolling, publishing
from mis.db import db
from mis.demo import office
from mis.paths import config_dir

PENSION, CHILD_GRANT, DISABILITY = "OAP", "CHG", "DIS"
SCHEMES = (PENSION, CHILD_GRANT, DISABILITY)


def publish_rules(*, day: date, at: datetime) -> list[str]:
    """Load every shipped scheme, submit it, and let the second administrator publish it; returns the codes."""
    codes = []
    for path in sorted((config_dir() / "schemes").glob("*.yaml")):
        with office.at_work(office.DRAFTER, "eligibility:ruleset:draft", day=day):
            drafted = publishing.load(path.read_text(encoding="utf-8"), at=at).rule_set
            publishing.submit(drafted)
            code = drafted.scheme.code
        with office.at_work(office.PUBLISHER, "eligibility:ruleset:publish", day=day):
            publishing.publish(publishing.waiting_for(publishing.scheme_coded(code), "publish"))
        codes.append(code)
    return codes


def assess(scheme_code: str, *, on: date, day: date, at: datetime) -> int:
    """Assess everybody under a scheme as of a day; returns the number of the run."""
    with office.at_work(office.REGISTRAR, assessment.PERMISSION, day=day):
        asked = assessment.ask(publishing.scheme_coded(scheme_code), on, at=at)
        run_id, job_id = asked.run.id, asked.job.id
    office.finish(job_id)
    return run_id


def enrol(run_id: int, *, day: date) -> dict[str, Any]:
    """Enrol everybody whom a run found eligible; returns what the job has counted."""
    with office.at_work(office.REGISTRAR, enrolling.PERMISSION, day=day):
        job_id = enrolling.ask(assessment.run_numbered(run_id)).id
    return office.finish(job_id).result or {}


def figures(run_id: int) -> dict[str, Any]:
    """What a run has counted."""
    with db.unit_of_work(read_only=True):
        return assessment.summary(assessment.run_numbered(run_id))
