"""The whole register is decided in sets, a sample of it again one by one, and every decision can be taken again."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from eligibility import assessment, explaining, publishing, spot_checks
from eligibility.models import AssessmentRun, Determination
from eligibility.rules import evaluate
from mis import audit, jobs
from mis.acting import SYSTEM, acting
from mis.calendar import now
from mis.db import MisSession, db
from mis.errors import Conflict
from registry.models import Person
from tests.conftest import acting_as
from tests.factories import eligibility as made
from tests.factories.registry import AreaFactory, PersonFactory, household_of

DAY = date(2026, 6, 1)
POOR = {"tv": False, "fridge": False, "motorcycle": False, "toilet": "none", "rooms": 1, "roof": "thatch",
        "wall": "mud", "urban": False}  # fmt: skip
RICH = POOR | {"tv": True, "fridge": True, "motorcycle": True, "rooms": 4, "roof": "concrete", "wall": "brick",
               "urban": True}  # fmt: skip


def village() -> None:
    """A few households, people without one, and somebody who died."""
    area = AreaFactory()
    for attributes in (POOR, RICH, {**POOR, "rooms": None}, {}):
        kept = {key: value for key, value in attributes.items() if value is not None}
        head = PersonFactory(area=area, elderly=True, attributes={"seeing": 3})
        child = PersonFactory(area=area, birth_date=date(2024, 2, 10))
        other = PersonFactory(area=area, man=True, birth_date=None, birth_precision=None)
        household_of(head, (child, "grandchild"), (other, "child"), attributes=kept)
    PersonFactory(area=area, born_in=True)
    PersonFactory(area=area, child=True, birth_date=date(2025, 1, 1))
    household_of(PersonFactory(area=area, elderly=True, death_date=date(2026, 5, 31)))


@pytest.fixture
def country(app: Flask) -> None:
    """A village, and the three shipped schemes in force."""
    with db.unit_of_work(), acting(SYSTEM):
        village()
        for text in (made.PENSION, made.GRANT, made.ALLOWANCE):
            made.in_force(text)


def counts(run_id: int) -> dict[str, Any]:
    with db.unit_of_work(read_only=True):
        return assessment.summary(made.run_of(run_id))


def test_everybody_who_lives_on_the_day_gets_one_determination_with_its_reasons(country: None) -> None:
    found = counts(made.assessed("OAP", DAY))
    assert (found["persons"], found["eligible"], found["not_eligible"], found["undetermined"]) == (
        14,
        5,
        5,
        4,
    )
    assert found["reasons"] == {"AGE": 5} and found["unknown"] == {"AGE": 4}
    assert found["amount_minor"] == 5 * 15_000
    assert found["checked_again"] == 14


def test_a_means_test_over_the_household_counts_its_members(country: None) -> None:
    found = counts(made.assessed("CHG", DAY))
    assert found["eligible"] == 0
    with db.unit_of_work(read_only=True) as session:
        outcomes = dict(
            session.execute(
                sa.select(Determination.outcome, sa.func.count())
                .join(Person, Person.id == Determination.person_id)
                .where(Person.birth_date >= date(2024, 1, 1))
                .group_by(Determination.outcome)
            ).all()
        )
    # The other child of the household has no birth date, so nobody can count the dependents.
    assert outcomes == {"undetermined": 5}


def test_the_records_of_a_run_lead_to_the_same_decisions(country: None) -> None:
    for code in ("OAP", "CHG", "DIS"):
        run_id = made.assessed(code, DAY)
        with db.unit_of_work(read_only=True) as session:
            for one in session.scalars(sa.select(Determination).where(Determination.run_id == run_id)):
                decision = explaining.decision_numbered(one.id)
                assert decision is not None and explaining.replay(decision).same


def test_a_run_is_written_into_the_audit_trail_and_verified(country: None) -> None:
    made.assessed("CHG", DAY)
    with db.unit_of_work(), acting(SYSTEM):
        audit.seal_pending()
    with db.unit_of_work(read_only=True):
        assert not audit.verify().findings


def test_a_difference_between_the_two_ways_of_deciding_refuses_the_run(
    country: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = evaluate

    def planted(checked: Any, facts: Any, *, as_of: date) -> Any:
        # Off by a day: who turns 65 on the day itself comes out otherwise, and an elderly person does not.
        return honest(checked, facts, as_of=as_of.replace(year=as_of.year - 30))

    monkeypatch.setattr(spot_checks, "evaluate", planted)
    with db.unit_of_work(), acting(SYSTEM):
        asked = assessment.ask(publishing.scheme_coded("OAP"), DAY, at=now())
        job_id, run_id = asked.job.id, asked.run.id
    job = jobs.run_now(job_id)
    assert job.status == jobs.FAILED and "came out otherwise" in (job.error or "")
    with db.unit_of_work(read_only=True) as session:
        run = session.get_one(AssessmentRun, run_id)
        assert run.finished_at is None
        assert assessment.last_finished(publishing.scheme_coded("OAP"), DAY) is None


def test_the_same_run_asked_for_twice_at_once_is_one_job(country: None) -> None:
    with db.unit_of_work(), acting(SYSTEM):
        pension = publishing.scheme_coded("OAP")
        first, second = (assessment.ask(pension, DAY, at=now()) for _ in range(2))
        assert (first.job.id, first.run.id) == (second.job.id, second.run.id)
        other_day = assessment.ask(pension, date(2026, 7, 1), at=now())
        assert other_day.job.id != first.job.id


def test_an_officer_assesses_the_own_areas_only(country: None) -> None:
    with db.unit_of_work(), acting(SYSTEM):
        elsewhere = AreaFactory()
        household_of(PersonFactory(area=elsewhere, elderly=True))
        area_id = elsewhere.id
    with db.unit_of_work(), acting_as("eva", "eligibility:*:*", area_id=area_id):
        asked = assessment.ask(publishing.scheme_coded("OAP"), DAY, at=now())
        job_id, run_id = asked.job.id, asked.run.id
    jobs.run_now(job_id)
    assert counts(run_id)["persons"] == 1
    with db.unit_of_work(), acting(SYSTEM):
        assert assessment.last_finished(publishing.scheme_coded("OAP"), DAY) is None
    with db.unit_of_work(), acting_as("eva", "eligibility:*:*", area_id=area_id):
        found = assessment.last_finished(publishing.scheme_coded("OAP"), DAY)
        assert found is not None and found.id == run_id


def test_an_applicant_is_decided_with_every_value_and_the_decision_can_be_taken_again(
    work: MisSession,
) -> None:
    scheme = made.in_force(made.GRANT)
    child = PersonFactory(birth_date=date(2024, 2, 10))
    household_of(PersonFactory(area_id=child.area_id), (child, "child"), attributes=POOR)
    decision = explaining.assess_person(scheme, child, DAY, at=now())
    assert (decision.outcome, decision.amount_minor) == ("eligible", 4250)
    household = work.scalars(sa.select(Person).where(Person.id == child.id)).one()
    household.birth_date = date(1990, 1, 1)
    work.flush()
    stored = explaining.decision_numbered(decision.id)
    assert stored is not None
    assert explaining.replay(stored).same
    explained = explaining.explain(scheme, child, DAY)
    assert explained.same is False and explained.found.outcome == "not_eligible"


def test_what_to_bring_is_told_for_each_requirement_that_is_not_known(work: MisSession) -> None:
    scheme = made.in_force(made.ALLOWANCE)
    person = PersonFactory(attributes={"seeing": 1, "walking": 2})
    answer = explaining.as_answer(explaining.explain(scheme, person, DAY))
    assert answer["outcome"] == "undetermined"
    (one,) = answer["bring"]
    assert one["code"] == "FUNCTIONING" and "Difficulty hearing, even with a hearing aid" in one["missing"]


def test_who_does_not_live_on_the_day_is_not_decided(work: MisSession) -> None:
    scheme = made.in_force()
    with pytest.raises(Conflict, match="does not live"):
        explaining.explain(scheme, PersonFactory(elderly=True, death_date=date(2020, 1, 1)), DAY)


def test_a_year_of_birth_is_counted_like_the_year_in_which_the_age_is_reached(country: None) -> None:
    with db.unit_of_work(), acting(SYSTEM):
        area = AreaFactory()
        for age in range(55, 75):
            head = PersonFactory(area=area, birth_date=date(1998 - age, 1, 1), birth_precision="year")
            household_of(head, since=date(1998, 7, 1))
    run_id = made.assessed("OAP", date(1998, 7, 1))
    with db.unit_of_work(read_only=True) as session:
        eligible = session.scalar(
            sa.select(sa.func.count())
            .select_from(Determination)
            .where(Determination.run_id == run_id, Determination.outcome == "eligible",
                   Determination.area_id == area.id)
        )  # fmt: skip
    assert eligible == 10
