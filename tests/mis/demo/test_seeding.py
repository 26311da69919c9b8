"""A small demo is filled as the command fills it, and what comes out is what a real office would have left behind."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from eligibility.models import Enrolment, RuleSet, Scheme
from grievances.models import Grievance
from mis import access, acting, audit, calendar
from mis.acting import SYSTEM
from mis.calendar import Month
from mis.db import db
from mis.demo import benefits, office, preparing, provider, seeding
from mis.jobs import Job
from payments import reconciliation, scheduling, totals
from payments.models import AnswerLine, Cycle
from registry.models import ImportBatch


@pytest.mark.slow
def test_the_demo_does_three_months_of_work_by_the_book(app: Flask):
    said: list[str] = []
    counts = seeding.seed(households=60, tell=lambda _seconds, sentence: said.append(sentence))
    preparing.mark_seeded(counts)
    assert len(said) == len(seeding.STEPS)
    assert preparing.state() == "seeded"
    with db.unit_of_work(read_only=True), acting.acting(SYSTEM):
        nobody_approves_own_work()
        the_figures_tie_out()
        grievances_stand_in_every_state()
        assert set(db.session.scalars(sa.select(Job.status))) == {"done"}
    with db.unit_of_work(), acting.acting(SYSTEM), access.within("audit:trail:verify"):
        assert audit.verify().is_clean


def nobody_approves_own_work() -> None:
    (batch,) = db.session.scalars(sa.select(ImportBatch)).all()
    assert batch.rows_refused > 0
    assert batch.accepted_by_id != batch.created_by_id
    assert all(one.published_by_id != one.drafted_by_id for one in db.session.scalars(sa.select(RuleSet)))
    approved = db.session.scalars(sa.select(Cycle).where(Cycle.approved_by_id.is_not(None))).all()
    assert len(approved) == 2
    assert all(cycle.approved_by_id != cycle.submitted_by_id for cycle in approved)


def the_figures_tie_out() -> None:
    this = Month.of(calendar.today())
    enrolled = db.session.scalar(
        sa.select(sa.func.count(Enrolment.id))
        .join(Scheme, Scheme.id == Enrolment.scheme_id)
        .where(Scheme.code == benefits.PENSION)
    )
    for month, status in ((this.plus(-2), "closed"), (this.plus(-1), "closed"), (this, "submitted")):
        cycle = scheduling.named(benefits.PENSION, month)
        assert cycle.status == status
        assert totals.of(cycle)["entitled"].count == enrolled
        assert all(check.holds for check in reconciliation.tie_out(cycle))
    strangers = sa.select(sa.func.count()).where(AnswerLine.end_to_end_id == provider.STRANGER)
    assert db.session.scalar(strangers.where(AnswerLine.resolved_at.is_not(None))) == 2


def grievances_stand_in_every_state() -> None:
    cases = db.session.scalars(sa.select(Grievance)).all()
    assert {case.status for case in cases} >= {"lodged", "assigned", "resolved", "appealed"}
    assert any(case.anonymous for case in cases)
    assert any(case.is_open and case.due_on < calendar.today() for case in cases)
    assert {case.remedy for case in cases} >= {"pay_again", "release_hold"}
    assert any(case.appeal_of_id is not None for case in cases)


def test_everybody_of_the_office_has_a_role_and_every_role_has_somebody():
    assignable = set(access.roles().by_code) - {"console"}
    assert {colleague.role for colleague in office.STAFF} == assignable
