"""People come into a scheme and leave it: in sets and one by one, each with a reason, nobody twice."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from eligibility import assessment, enrolling, enrolment, explaining, publishing
from eligibility.models import Enrolment
from mis import jobs
from mis.acting import SYSTEM, acting
from mis.calendar import now
from mis.db import MisSession, db
from mis.errors import Conflict, Invalid
from tests.conftest import acting_as
from tests.factories import eligibility as made
from tests.factories.registry import AreaFactory, PersonFactory, household_of

DAY = date(2026, 6, 1)


@pytest.fixture
def village(app: Flask) -> None:
    """Three elderly people, a younger one, somebody of unknown age; and the pension in force."""
    with db.unit_of_work(), acting(SYSTEM):
        area = AreaFactory()
        for _ in range(3):
            household_of(PersonFactory(area=area, elderly=True), (PersonFactory(area=area), "child"))
        PersonFactory(area=area, birth_date=None, birth_precision=None)
        made.in_force()


def enrol(run_id: int) -> dict[str, Any]:
    with db.unit_of_work(), acting(SYSTEM):
        job_id = enrolling.ask(assessment.run_numbered(run_id)).id
    job = jobs.run_now(job_id)
    assert job.status == jobs.DONE, job.error
    return job.result or {}


def test_everybody_found_eligible_is_enrolled_with_the_amount_and_the_others_have_a_reason(
    village: None,
) -> None:
    result = enrol(made.assessed("OAP", DAY))
    assert (result["enrolled"], result["already_enrolled"]) == (3, 0)
    assert (result["not_eligible"], result["undetermined"]) == (3, 1)
    assert (result["reasons"], result["unknown"]) == ({"AGE": 3}, {"AGE": 1})
    with db.unit_of_work(read_only=True) as session:
        for one in session.scalars(sa.select(Enrolment)):
            assert (one.status, one.amount_minor, one.currency, one.valid_from) == (
                "active",
                15_000,
                "XTS",
                DAY,
            )
            assert one.determination_id is not None


def test_enrolling_again_enrols_nobody_twice_and_says_so(village: None) -> None:
    run_id = made.assessed("OAP", DAY)
    enrol(run_id)
    again = enrol(run_id)
    assert (again["enrolled"], again["already_enrolled"]) == (0, 3)


def test_the_database_itself_keeps_one_live_enrolment(village: None) -> None:
    enrol(made.assessed("OAP", DAY))
    with pytest.raises(sa.exc.IntegrityError), db.unit_of_work() as session, acting(SYSTEM):
        one = session.scalars(sa.select(Enrolment).limit(1)).one()
        session.add(
            Enrolment(
                scheme_id=one.scheme_id, person_id=one.person_id, area_id=one.area_id, currency="XTS",
                valid_from=DAY, enrolled_at=now(),
            )
        )  # fmt: skip
        session.flush()


def test_a_run_that_is_not_finished_enrols_nobody(village: None) -> None:
    with db.unit_of_work(), acting(SYSTEM):
        asked = assessment.ask(publishing.scheme_coded("OAP"), DAY, at=now())
        with pytest.raises(Conflict, match="not finished"):
            enrolling.ask(asked.run)


def test_the_preview_counts_what_enrolling_does(village: None) -> None:
    run_id = made.assessed("OAP", DAY)
    with db.unit_of_work(read_only=True):
        before = enrolling.preview(made.run_of(run_id))
    assert (before.to_enrol, before.already_enrolled) == (3, 0) and enrol(run_id)[
        "enrolled"
    ] == before.to_enrol


def test_an_applicant_is_assessed_and_enrolled(work: MisSession) -> None:
    scheme, person = made.in_force(), PersonFactory(elderly=True)
    one = enrolment.apply_and_decide(scheme, person, DAY, at=now())
    assert (one.status, one.amount_minor) == ("active", 15_000)
    with pytest.raises(Conflict, match="in this scheme already"):
        enrolment.apply(scheme, person, DAY, at=now())


def test_an_applicant_who_does_not_meet_a_requirement_is_refused_with_its_article(work: MisSession) -> None:
    from mis.states import changes_of

    one = enrolment.apply_and_decide(made.in_force(), PersonFactory(), DAY, at=now())
    assert one.status == "refused" and one.amount_minor is None
    assert "Section 3(1)" in (changes_of(one)[-1].reason or "")


def test_an_applicant_of_whom_something_is_not_known_stays_an_applicant(work: MisSession) -> None:
    scheme = made.in_force()
    person = PersonFactory(birth_date=None, birth_precision=None)
    one = enrolment.apply_and_decide(scheme, person, DAY, at=now())
    assert one.status == "applied"
    person.birth_date, person.birth_precision = date(1950, 1, 1), "year"
    work.flush()
    assert enrolment.apply_and_decide(scheme, person, DAY, at=now()).status == "active"


def test_nobody_is_enrolled_without_a_determination(work: MisSession) -> None:
    one = enrolment.apply(made.in_force(), PersonFactory(elderly=True), DAY, at=now())
    with pytest.raises(Conflict, match="without a determination"):
        Enrolment.lifecycle.take(one, "enrol")


def test_the_determination_of_another_person_enrols_nobody(work: MisSession) -> None:
    scheme = made.in_force()
    one = enrolment.apply(scheme, PersonFactory(elderly=True), DAY, at=now())
    other = explaining.assess_person(scheme, PersonFactory(elderly=True), DAY, at=now())
    with pytest.raises(Conflict, match="another person"):
        enrolment.decide(one, other)


def test_an_enrolment_is_suspended_resumed_and_ended_with_reasons(work: MisSession) -> None:
    one = made.enrolled(made.in_force(), PersonFactory(elderly=True), DAY)
    with pytest.raises(Invalid, match="needs a reason"):
        enrolment.suspend(one, reason=" ")
    enrolment.suspend(one, reason="The account is being checked.")
    enrolment.resume(one, reason="The account is right.")
    with pytest.raises(Invalid, match="cannot end before"):
        enrolment.exit_(one, code="death", day=date(2026, 5, 31))
    enrolment.exit_(one, code="death", day=date(2026, 9, 1))
    assert (one.status, one.exit_reason, one.valid_to) == ("exited", "death", date(2026, 9, 1))
    with pytest.raises(Conflict, match="exited"):
        enrolment.exit_(one, code="moved", day=date(2026, 9, 1))


def test_whoever_left_may_come_again(work: MisSession) -> None:
    scheme, person = made.in_force(), PersonFactory(elderly=True)
    enrolment.exit_(made.enrolled(scheme, person, DAY), code="moved", day=date(2026, 9, 1))
    assert made.enrolled(scheme, person, date(2027, 1, 1)).status == "active"


def test_an_officer_enrols_in_the_own_areas_only(village: None) -> None:
    run_id = made.assessed("OAP", DAY)
    with db.unit_of_work(), acting(SYSTEM):
        area_id = AreaFactory().id
    with db.unit_of_work(), acting_as("eva", "eligibility:*:*", area_id=area_id):
        job_id = enrolling.ask(assessment.run_numbered(run_id)).id
    job = jobs.run_now(job_id)
    assert (job.result or {})["enrolled"] == 0


def test_enrolling_again_from_an_old_run_brings_nobody_back_who_left_since(village: None) -> None:
    run_id = made.assessed("OAP", DAY)
    enrol(run_id)
    with db.unit_of_work() as session, acting(SYSTEM):
        one, other = session.scalars(sa.select(Enrolment).order_by(Enrolment.id).limit(2))
        enrolment.exit_(one, code="own_request", day=date(2026, 9, 1))
        enrolment.exit_(other, code="error", day=DAY)
    with db.unit_of_work(read_only=True):
        before = enrolling.preview(made.run_of(run_id))
    assert (before.to_enrol, before.already_enrolled, before.left_since) == (0, 1, 2)
    again = enrol(run_id)
    assert (again["enrolled"], again["already_enrolled"], again["left_since"]) == (0, 1, 2)
    later = enrol(made.assessed("OAP", date(2026, 9, 2)))
    assert (later["enrolled"], later["already_enrolled"], later["left_since"]) == (2, 1, 0)


def test_a_run_by_rules_that_no_longer_hold_on_its_day_enrols_nobody(village: None) -> None:
    run_id = made.assessed("OAP", DAY)
    with db.unit_of_work():
        first = made.PENSION.partition("valid_from:")[2].split()[0]
        later = made.PENSION.replace(f"valid_from: {first}", "valid_from: 2026-05-01")
        made.published(later.replace("Old", "The old", 1))
    with db.unit_of_work(), acting(SYSTEM), pytest.raises(Conflict, match="no longer holds"):
        enrolling.ask(made.run_of(run_id))
    assert enrol(made.assessed("OAP", DAY))["enrolled"] == 3


def test_whoever_moved_is_known_to_be_enrolled_in_the_former_area(work: MisSession) -> None:
    scheme, person = made.in_force(), PersonFactory(elderly=True)
    made.enrolled(scheme, person, DAY)
    person.area_id = AreaFactory().id
    work.flush()
    everything = "eligibility:enrolment:decide"
    with acting_as("eva", everything, area_id=person.area_id), pytest.raises(Conflict, match="already"):
        enrolment.apply(scheme, person, DAY, at=now())
