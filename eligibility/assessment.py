"""The whole register is assessed: everybody's determination in set-based statements, one range of households at a time.

A run is of one rule set, as of one day, in the areas of whoever asked. It is finished only when a sample of its people,
decided again one by one, comes out the same; what it counted is kept with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from eligibility import population, publishing, spot_checks
from eligibility.documents import Understood
from eligibility.models import AssessmentRun, Determination, RuleSet, Scheme
from eligibility.rules.compiling import compile_set
from mis import access, acting, audit, jobs
from mis.calendar import now
from mis.db import db, freshen
from mis.errors import Missing
from mis.jobs import Job

PERMISSION = "eligibility:assessment:run"
KIND = "eligibility:assess"
# People of a household are decided together, so ranges are cut by households; so many people are in one, about.
_PEOPLE_PER_HOUSEHOLD = 4
_DECIDED = ("run_id", "person_id", "household_id", "area_id", "outcome", "fail_mask", "unknown_mask",
            "amount_minor", "facts")  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A run that was asked for, and the job that does it."""

    run: AssessmentRun
    job: Job


def ask(scheme: Scheme, day: date, *, at: datetime) -> Asked:
    """Ask for an assessment of everybody as of a day. While the same is under way, that one is returned.

    Raises Conflict if no rules are in force on the day, Forbidden without the permission.
    """
    rule_set = publishing.in_force(scheme, day)
    areas = access.areas_of(PERMISSION)
    where = "everywhere" if areas is None else "+".join(str(area) for area in sorted(areas))
    payload = {"rule_set": rule_set.id, "as_of": day.isoformat()}
    subject = f"{scheme.code}:{day}:{where}"
    job = jobs.ask(KIND, payload, subject=subject, permission=PERMISSION)
    found = db.session.scalar(_with_rules().where(AssessmentRun.job_id == job.id))
    if found is not None:
        return Asked(found, job)
    run = AssessmentRun(
        scheme=scheme, rule_set=rule_set, as_of=day, kind="register", job_id=job.id,
        asked_by_id=acting.current().user_id, asked_at=at,
    )  # fmt: skip
    db.session.add(run)
    db.session.flush()
    return Asked(run, job)


def run_numbered(run_id: int) -> AssessmentRun:
    """A run with its scheme and rules. Raises Missing."""
    run = db.session.scalar(_with_rules().where(AssessmentRun.id == run_id))
    if run is None:
        raise Missing(f"There is no assessment run {run_id}.")
    return run


def last_finished(scheme: Scheme, day: date) -> AssessmentRun | None:
    """The last finished run over the register as of a day, by the rules in force, that covers the areas seen here."""
    rule_set = publishing.published_on(scheme, day)
    if rule_set is None:
        return None
    query = (
        _with_rules()
        .add_columns(Job.areas)
        .join(Job, Job.id == AssessmentRun.job_id)
        .where(
            AssessmentRun.rule_set_id == rule_set.id,
            AssessmentRun.as_of == day,
            AssessmentRun.kind == "register",
            AssessmentRun.finished_at.is_not(None),
        )
        .order_by(AssessmentRun.id.desc())
    )
    mine = access.seen_areas()
    for run, areas in db.session.execute(query):
        if areas is None or (mine is not None and mine <= set(areas)):
            return run  # type: ignore[no-any-return]
    return None


def summary(run: AssessmentRun) -> dict[str, Any]:
    """A run in figures: outcomes, reasons, what is not known, and how fast it was."""
    counts = run.counts or {}
    return {
        "run": run.id,
        "scheme": run.scheme.code,
        "version": run.rule_set.number,
        "as_of": run.as_of.isoformat(),
        "finished": run.finished_at is not None,
        **{name: counts.get(name, 0) for name in ("persons", "eligible", "not_eligible", "undetermined")},
        "amount_minor": counts.get("amount_minor", 0),
        "reasons": counts.get("reasons", {}),
        "unknown": counts.get("unknown", {}),
        "checked_again": counts.get("checked_again", 0),
        "seconds": counts.get("seconds"),
        "rows_per_second": counts.get("rows_per_second"),
    }


@jobs.kind(KIND)
class Assess(jobs.Kind):
    """Decide everybody, range by range; then count, and decide a sample again."""

    label = "Assessment of the register"

    def plan(self, payload: jobs.kinds.Payload) -> Iterator[tuple[int, int]]:
        """Ranges of household ids, then of ids of persons without a household, these below zero."""
        people = population.people_on(date.fromisoformat(payload["as_of"])).subquery("people")
        rows = max(1, jobs.bell.settings().chunk_rows // _PEOPLE_PER_HOUSEHOLD)
        homes = sa.select(people.c.household_id).where(people.c.household_id.is_not(None)).distinct()
        yield from jobs.cut(homes, rows=rows)
        alone = sa.select(people.c.id).where(people.c.household_id.is_(None))
        for low, high in jobs.cut(alone):
            yield -high, -low

    def work(self, payload: jobs.kinds.Payload, chunk: jobs.Chunk) -> dict[str, Any]:
        """Decide one range in one statement."""
        run = db.session.scalars(_with_rules().where(AssessmentRun.job_id == chunk.job_id)).one()
        rows = decide(run, chunk.low, chunk.high) if chunk.low else 0
        # As text, for whole numbers are summed over the chunks.
        return {"rows": rows, "run": str(run.id)}

    def finish(self, payload: jobs.kinds.Payload, results: list[dict[str, Any]]) -> dict[str, Any]:
        """Count, decide the sample again, and close the run."""
        run = run_numbered(int(results[0]["run"]))
        return summary(close(run))


def decide(run: AssessmentRun, low: int, high: int) -> int:
    """Write the determinations of the households low … high; below zero, of the persons without one -high … -low."""
    understood = publishing.understood(run.rule_set)
    alone = high < 0
    persons = (-high, -low) if alone else None
    where: dict[str, Any] = {"run_id": run.id, "household_id": [low, high]}
    if alone:
        where = {"run_id": run.id, "household_id": None, "person_id": [-high, -low]}
    decided = _decided(understood, run, low, high, persons=persons)
    statement = sa.insert(Determination).from_select(_DECIDED, decided, include_defaults=False)
    with audit.bulk(
        "determined", table=Determination, where=where, subject_type="assessment_run", subject_id=run.id
    ):
        result: Any = db.session.connection().execute(
            statement, execution_options={"preserve_rowcount": True}
        )
    return int(result.rowcount)


def _decided(
    understood: Understood, run: AssessmentRun, low: int, high: int, *, persons: tuple[int, int] | None
) -> sa.Select[Any]:
    source = population.source(understood.checked, run.as_of, persons=persons)
    in_range: Any = (
        (lambda home: home.between(low, high)) if persons is None else (lambda home: home.is_(None))
    )
    rows = (
        compile_set(understood.checked, source, as_of=run.as_of, where=in_range, recorded=True)
        .add_columns(source.person.c.area_id)
        .subquery("decided")
    )
    outcome = sa.case(
        (rows.c.fail_mask != 0, "not_eligible"), (rows.c.unknown_mask != 0, "undetermined"), else_="eligible"
    )
    return sa.select(
        sa.literal(run.id, sa.BigInteger()), rows.c.person_id, rows.c.household_id, rows.c.area_id, outcome,
        rows.c.fail_mask, rows.c.unknown_mask, rows.c.amount_minor, rows.c.facts,
    ).order_by(rows.c.person_id)  # fmt: skip


def close(run: AssessmentRun) -> AssessmentRun:
    """Count a run and decide a sample of it again. Raises Conflict if anybody comes out otherwise."""
    freshen("determination")
    understood = publishing.understood(run.rule_set)
    counts = count(run, understood)
    counts["checked_again"] = spot_checks.need_agreement(run, understood)
    at = now()
    job = db.session.get_one(Job, run.job_id)
    seconds = (at - (job.started_at or run.asked_at)).total_seconds()
    counts["seconds"] = round(seconds, 2)
    counts["rows_per_second"] = round(counts["persons"] / seconds) if seconds else None
    run.counts, run.finished_at = counts, at
    db.session.flush()
    return run


def count(run: AssessmentRun, understood: Understood) -> dict[str, Any]:
    """Outcomes, reason codes and what is not known, from one grouping by the masks."""
    of = Determination
    groups = db.session.execute(
        sa.select(of.outcome, of.fail_mask, of.unknown_mask, sa.func.count(), sa.func.sum(of.amount_minor))
        .where(of.run_id == run.id)
        .group_by(of.outcome, of.fail_mask, of.unknown_mask)
    )
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    amount_minor = 0
    for outcome, fail_mask, unknown_mask, persons, amount in groups:
        outcomes[outcome] += persons
        amount_minor += int(amount or 0)
        reasons.update(dict.fromkeys(understood.reasons(fail_mask), persons))
        # What is not known of somebody who is refused anyway decides nothing.
        if outcome == "undetermined":
            unknown.update(dict.fromkeys(understood.reasons(unknown_mask), persons))
    return {
        "persons": sum(outcomes.values()),
        **{name: outcomes[name] for name in ("eligible", "not_eligible", "undetermined")},
        "amount_minor": amount_minor,
        "reasons": dict(sorted(reasons.items())),
        "unknown": dict(sorted(unknown.items())),
    }


def runs_of(scheme: Scheme) -> Sequence[AssessmentRun]:
    """The finished runs over the register, the newest first."""
    return db.session.scalars(
        _with_rules()
        .where(AssessmentRun.scheme_id == scheme.id, AssessmentRun.kind == "register")
        .order_by(AssessmentRun.id.desc())
    ).all()


def _with_rules() -> sa.Select[AssessmentRun]:
    return sa.select(AssessmentRun).options(
        joinedload(AssessmentRun.scheme), joinedload(AssessmentRun.rule_set).joinedload(RuleSet.scheme)
    )
