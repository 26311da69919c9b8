"""Grievances are taken in with or without a name, about somebody or about nobody, and get their deadlines."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from grievances import intake, subjects
from grievances.deadlines import WorkingDays
from grievances.intake import ANONYMOUS, Complainant
from grievances.models import Grievance
from mis.audit import AuditEntry
from mis.calendar import public_holidays
from mis.db import MisSession
from mis.errors import Forbidden, Invalid, Missing
from tests.conftest import acting_as
from tests.grievances.office import AT, MONDAY, a_grievance, a_person, an_area, lodged


def test_a_grievance_needs_neither_name_nor_person(work: MisSession) -> None:
    grievance = lodged(an_area().id, complainant=ANONYMOUS, anonymous=True).grievance
    assert (grievance.complainant_name, grievance.person_id, grievance.status) == (None, None, "lodged")


def test_an_anonymous_grievance_with_a_name_or_telephone_is_refused(work: MisSession) -> None:
    area = an_area().id
    for complainant in (Complainant("Awa"), Complainant(phone="+254 711 222333")):
        with pytest.raises(Invalid) as refusal:
            lodged(area, complainant=complainant, anonymous=True)
        assert refusal.value.field == "anonymous"


def test_one_who_is_not_anonymous_gives_a_name(work: MisSession) -> None:
    with pytest.raises(Invalid) as refusal:
        lodged(an_area().id, complainant=ANONYMOUS)
    assert refusal.value.field == "name"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"category": "gossip"}, "category"),
        ({"category": "appeal"}, "category"),
        ({"channel": "pigeon"}, "channel"),
        ({"received_on": date(2026, 3, 3)}, "received_on"),
        ({"area_id": None}, "area"),
        ({"complainant": Complainant("Awa", "no telephone")}, "phone"),
        ({"complainant": Complainant("A" * 201)}, "name"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_field(
    work: MisSession, changes: dict[str, object], field: str
) -> None:
    area = an_area().id
    with pytest.raises(Invalid) as refusal:
        lodged(**{"area_id": area} | changes)  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert work.scalar(sa.select(sa.func.count(Grievance.id))) == 0


def test_deadlines_step_over_weekends(work: MisSession) -> None:
    # Lodged on a Thursday: two working days later is Monday, ten are the Thursday of the week after next.
    grievance = lodged(an_area().id, "payment_not_received", received_on=date(2026, 2, 26), at=AT).grievance
    assert grievance.acknowledge_by == date(2026, 3, 2)
    assert grievance.due_on == date(2026, 3, 12)


def test_deadlines_step_over_public_holidays(work: MisSession) -> None:
    # Good Friday and Easter Monday of 2026 (3 and 6 April) are holidays in Kenya.
    kenya = WorkingDays(closed=public_holidays("KE"))
    thursday = date(2026, 4, 2)
    grievance = lodged(
        an_area().id,
        "payment_not_received",
        received_on=thursday,
        at=AT.replace(month=4),
        office=kenya,
    ).grievance
    assert grievance.acknowledge_by == date(2026, 4, 8)


def test_deadlines_know_other_weekends(work: MisSession) -> None:
    friday_saturday = WorkingDays(weekend=(4, 5))
    grievance = lodged(
        an_area().id, "staff_conduct", received_on=date(2026, 2, 26), office=friday_saturday
    ).grievance
    assert grievance.acknowledge_by == date(2026, 3, 1)


def test_the_word_is_told_once_and_stored_only_as_a_hash(work: MisSession) -> None:
    made = lodged(an_area().id)
    assert len(intake.plain_word(made.word)) == 8
    assert made.word not in made.grievance.word_hash
    trail = work.scalars(sa.select(AuditEntry).where(AuditEntry.subject_type == "grievance")).all()
    assert trail
    assert not any(
        made.word in str(entry.changes) or made.grievance.word_hash in str(entry.changes) for entry in trail
    )


def test_the_telephone_number_is_sealed(work: MisSession) -> None:
    grievance = lodged(an_area().id, complainant=Complainant("Awa Diallo", "+254 711 222 333")).grievance
    assert grievance.phone == "+254711222333"
    assert grievance.phone_hint == "•••• 2333"
    assert grievance.phone_sealed is not None
    assert b"711" not in grievance.phone_sealed


def test_a_grievance_about_a_person_lies_in_the_area_of_the_person(work: MisSession) -> None:
    person, elsewhere = a_person(), an_area()
    grievance = lodged(elsewhere.id, "data_error", subject=subjects.about(person_id=person.id)).grievance
    assert (grievance.person_id, grievance.area_id) == (person.id, person.area_id)


def test_a_person_outside_the_areas_of_the_officer_is_not_found(work: MisSession) -> None:
    here, there = an_area(), an_area()
    person = a_person(area=there)
    with acting_as("enno", "grievances:case:lodge", area_id=here.id), pytest.raises(Missing):
        subjects.about(person_id=person.id)


def test_an_officer_lodges_in_his_own_areas_alone(work: MisSession) -> None:
    here, there = an_area(), an_area()
    with acting_as("enno", "grievances:case:lodge", area_id=here.id):
        lodged(here.id)
        with pytest.raises(Forbidden):
            lodged(there.id)


def test_open_cases_on_the_same_person_are_pointed_out(work: MisSession) -> None:
    person = a_person()
    first, second = a_grievance(about=person), a_grievance(about=person)
    a_grievance()
    assert intake.open_on_same_subject(second) == [first]
    assert intake.open_on_same_subject(a_grievance(about=None, person_id=None, area_id=person.area_id)) == []


def test_the_day_it_was_received_may_lie_before_the_day_it_is_written_down(work: MisSession) -> None:
    assert lodged(an_area().id, received_on=date(2026, 2, 27)).grievance.received_on < MONDAY
