"""Everybody whom a run found eligible is enrolled, in set-based statements; whoever is not has the reason on record.

Nobody is passed over: the eligible are enrolled now or were before, and the others' determinations say why not. Who is
enrolled and is no longer found eligible is counted, and stays in the scheme until a person decides. Whoever left the
scheme on the day of the run or later is counted too, and not brought back: the decision is older than the exit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from eligibility import assessment
from eligibility.enrolment import LIVE
from eligibility.models import AssessmentRun, Determination, Enrolment
from mis import access, acting, audit, jobs
from mis.calendar import now
from mis.db import Instant, db, freshen
from mis.errors import Conflict
from mis.jobs import Job

PERMISSION = "eligibility:enrolment:decide"
KIND = "eligibility:enrol"
_COLUMNS = ("scheme_id", "person_id", "household_id", "area_id", "determination_id", "amount_minor", "currency",
            "valid_from", "enrolled_by_id", "enrolled_at", "status", "version", "round")  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """What enrolling from a run would do now."""

    eligible: int
    to_enrol: int
    already_enrolled: int
    nothing_to_pay: int
    left_since: int
    no_longer_eligible: int


def ask(run: AssessmentRun) -> Job:
    """Ask for the enrolment of everybody whom a finished run found eligible.

    Raises Conflict if the run is not finished, or other rules hold on its day by now; Forbidden.
    """
    if run.finished_at is None:
        raise Conflict(
            f"Assessment run {run.id} is not finished.", instead="Wait until it is, or start it again."
        )
    if not run.rule_set.is_in_force(run.as_of):
        raise Conflict(
            f"Assessment run {run.id} is by version {run.rule_set.number} of the rules, which no longer holds on "
            f"{run.as_of}.",
            instead="Assess anew, and enrol from that run.",
        )
    return jobs.ask(KIND, {"run": run.id}, subject=run.scheme.code, permission=PERMISSION)


def preview(run: AssessmentRun) -> Preview:
    """What enrolling from a run would do now, counted in the areas seen here."""
    of = Determination.__table__.c
    eligible = sa.and_(of.run_id == run.id, of.outcome == "eligible", access.in_scope(of.area_id))
    live, left = _live_of(run, of.person_id), _left_since(run, of.person_id)
    row = db.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(live),
            sa.func.count().filter(sa.and_(left, ~live)),
            sa.func.count().filter(sa.and_(of.amount_minor == 0, ~live, ~left)),
        ).where(eligible)
    ).one()
    total, already, gone, nothing = (int(one) for one in row)
    no_longer = db.session.scalar(
        sa.select(sa.func.count()).where(
            of.run_id == run.id, of.outcome != "eligible", access.in_scope(of.area_id), live
        )
    )
    to_enrol = total - already - gone - nothing
    return Preview(total, to_enrol, already, nothing, gone, int(no_longer or 0))


@jobs.kind(KIND)
class Enrol(jobs.Kind):
    """Enrol the eligible of a run, range by range of their determinations."""

    label = "Enrolment of the eligible"

    def plan(self, payload: jobs.kinds.Payload) -> Iterator[tuple[int, int]]:
        """Ranges of determinations that found somebody eligible."""
        of = Determination.__table__.c
        eligible = sa.select(of.id).where(
            of.run_id == payload["run"], of.outcome == "eligible", access.in_scope(of.area_id)
        )
        return jobs.cut(eligible)

    def work(self, payload: jobs.kinds.Payload, chunk: jobs.Chunk) -> dict[str, Any]:
        """Enrol those of one range who are not in the scheme."""
        run = assessment.run_numbered(payload["run"])
        if not chunk.low:
            return {"rows": 0, "enrolled": 0}
        return enrol(run, chunk.low, chunk.high)

    def finish(self, payload: jobs.kinds.Payload, results: list[dict[str, Any]]) -> dict[str, Any]:
        """What was done, and why the others were not enrolled."""
        freshen("enrolment")
        run = assessment.run_numbered(payload["run"])
        sums, left = jobs.total(results), preview(run)
        counts = run.counts or {}
        return {
            "run": run.id,
            "as_of": run.as_of.isoformat(),
            "enrolled": sums.get("enrolled", 0),
            "already_enrolled": left.already_enrolled - sums.get("enrolled", 0),
            "nothing_to_pay": left.nothing_to_pay,
            "left_since": left.left_since,
            "not_eligible": counts.get("not_eligible", 0),
            "undetermined": counts.get("undetermined", 0),
            "reasons": counts.get("reasons", {}),
            "unknown": counts.get("unknown", {}),
            "no_longer_eligible": left.no_longer_eligible,
        }


def enrol(run: AssessmentRun, low: int, high: int) -> dict[str, Any]:
    """Enrol those found eligible by the determinations low … high of a run who are not in the scheme."""
    of = Determination.__table__.c
    found = sa.select(
        sa.literal(run.scheme_id, sa.BigInteger()), of.person_id, of.household_id, of.area_id, of.id, of.amount_minor,
        sa.literal(run.scheme.currency, sa.Text()), sa.literal(run.as_of, sa.Date()),
        sa.literal(acting.current().user_id, sa.BigInteger()), sa.literal(now(), Instant()),
        sa.literal("active", sa.Text()), sa.literal(1, sa.BigInteger()), sa.literal(1, sa.BigInteger()),
    ).where(
        of.run_id == run.id, of.id.between(low, high), of.outcome == "eligible", of.amount_minor > 0,
        access.in_scope(of.area_id), ~_live_of(run, of.person_id), ~_left_since(run, of.person_id),
    )  # fmt: skip
    insert = postgresql.insert if db.dialect == "postgresql" else sqlite.insert
    # Somebody may be enrolled at the desk in this very moment: the database keeps one, and counts what it took.
    statement = (
        insert(Enrolment).from_select(_COLUMNS, found, include_defaults=False).on_conflict_do_nothing()
    )
    where = {"scheme_id": run.scheme_id, "valid_from": run.as_of, "determination_id": [low, high]}
    with audit.bulk(
        "enrolled", table=Enrolment, where=where, subject_type="assessment_run", subject_id=run.id
    ):
        result: Any = db.session.connection().execute(
            statement, execution_options={"preserve_rowcount": True}
        )
    return {"rows": int(result.rowcount), "enrolled": int(result.rowcount)}


def _live_of(run: AssessmentRun, person: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    other = Enrolment.__table__.alias("other").c
    return sa.exists().where(
        other.scheme_id == run.scheme_id, other.person_id == person, other.status.in_(LIVE)
    )


def _left_since(run: AssessmentRun, person: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the person left the scheme on the day of the run or later; one as of a later day may bring them back."""
    other = Enrolment.__table__.alias("left").c
    return sa.exists().where(
        other.scheme_id == run.scheme_id,
        other.person_id == person,
        other.status == "exited",
        other.valid_to >= run.as_of,
    )
