"""A case is acknowledged, assigned, answered, appealed and closed, by those who may, where they may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from grievances import casework, deadlines
from grievances.models import CaseNote, Grievance
from mis import access, acting
from mis.accounts import roles
from mis.accounts.models import User
from mis.db import MisSession
from mis.errors import Conflict, Forbidden, Invalid, Missing
from tests.grievances.office import AT, MONDAY, OFFICE, a_grievance, a_person, answer, lodged, staff

Office = tuple[dict[str, int], dict[str, User]]


@pytest.fixture
def office(work: MisSession) -> Office:
    return staff()


@contextmanager
def at_work(user: User, permission: str = "grievances:case:read") -> Iterator[None]:
    """Let a user act with his or her own roles, in his or her own areas."""
    with acting.acting(roles.actor_of(user, MONDAY)), access.within(permission):
        yield


def test_a_case_is_acknowledged_then_assigned_then_answered(office: Office) -> None:
    areas, people = office
    grievance = lodged(areas["XX1"]).grievance
    with at_work(people["gina"]):
        casework.acknowledge(grievance, day=MONDAY)
        casework.assign(grievance, people["hugo"], day=MONDAY)
    with at_work(people["hugo"]):
        answer(grievance)
    assert (grievance.status, grievance.acknowledged_on) == ("resolved", MONDAY)
    assert grievance.resolved_by_id == people["hugo"].id
    assert grievance.appeal_by == date(2026, 3, 30)


def test_a_case_that_was_not_acknowledged_is_neither_assigned_nor_answered(office: Office) -> None:
    areas, people = office
    grievance = lodged(areas["XX1"]).grievance
    with at_work(people["gina"]):
        with pytest.raises(Conflict, match="Acknowledge"):
            casework.assign(grievance, people["hugo"], day=MONDAY)
        with pytest.raises(Conflict, match="Acknowledge"):
            casework.resolve(
                grievance,
                finding="upheld",
                decision="Yes.",
                remedy="none",
                day=MONDAY,
                at=AT,
                office=OFFICE,
            )
    assert grievance.decision is None


def test_a_case_is_given_only_to_whoever_may_work_on_it_there(office: Office) -> None:
    areas, people = office
    grievance = lodged(areas["XX1"]).grievance
    casework.acknowledge(grievance, day=MONDAY)
    assert set(casework.workers(grievance, day=MONDAY)) == {people["gina"], people["hugo"]}
    for wrong in ("ines", "enno", "audi"):
        with pytest.raises(Invalid) as refusal:
            casework.assign(grievance, people[wrong], day=MONDAY)
        assert refusal.value.field == "user"
    assert grievance.status == "acknowledged"


def test_nobody_works_on_a_case_without_the_permission(office: Office) -> None:
    areas, people = office
    grievance = lodged(areas["XX1"]).grievance
    with at_work(people["enno"]):
        with pytest.raises(Forbidden):
            casework.acknowledge(grievance, day=MONDAY)
        with pytest.raises(Forbidden):
            casework.note(grievance, "Looked into it.", at=AT)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"finding": "perhaps"}, "finding"),
        ({"decision": "  "}, "decision"),
        ({"remedy": "apology"}, "remedy"),
        ({"finding": "not_upheld", "remedy": "pay_again"}, "remedy"),
        ({"finding": "upheld", "remedy": "pay_again"}, "remedy"),
    ],
)
def test_an_incomplete_answer_is_refused_at_its_field(
    office: Office, changes: dict[str, Any], field: str
) -> None:
    grievance = lodged(office[0]["XX1"]).grievance
    casework.acknowledge(grievance, day=MONDAY)
    with pytest.raises(Invalid) as refusal:
        answer(grievance, **changes)
    assert refusal.value.field == field
    assert grievance.status == "acknowledged"


def test_notes_are_kept_in_order_and_end_with_the_answer(office: Office, work: MisSession) -> None:
    areas, people = office
    grievance = lodged(areas["XX1"]).grievance
    with at_work(people["gina"]):
        casework.note(grievance, " Called the bank. ", at=AT)
        casework.note(grievance, "The bank called back.", at=AT + timedelta(hours=1))
        answer(grievance)
        with pytest.raises(Conflict):
            casework.note(grievance, "Too late.", at=AT)
    notes = work.scalars(sa.select(CaseNote).order_by(CaseNote.id)).all()
    assert [one.text for one in notes] == ["Called the bank.", "The bank called back."]
    assert notes[0].author_id == people["gina"].id


def test_an_appeal_is_a_case_of_its_own_with_deadlines_of_its_own(office: Office) -> None:
    first = lodged(office[0]["XX1"]).grievance
    answer(first)
    made = casework.appeal(
        first,
        "It was closed, I stood there.",
        channel="letter",
        received_on=date(2026, 3, 20),
        at=AT.replace(day=20),
        office=OFFICE,
    ).grievance
    assert (first.status, made.status, made.appeal_of_id) == ("appealed", "lodged", first.id)
    assert (made.category, made.complainant_name, made.area_id) == ("appeal", "Awa Diallo", first.area_id)
    assert made.due_on == date(2026, 4, 10)
    assert casework.appeal_against(first) is made


def test_an_appeal_is_answered_by_a_second_person(office: Office) -> None:
    areas, people = office
    first = lodged(areas["XX1"]).grievance
    with at_work(people["gina"]):
        answer(first)
    appeal = casework.appeal(
        first, "No.", channel="office", received_on=MONDAY, at=AT, office=OFFICE
    ).grievance
    with at_work(people["gina"]):
        casework.acknowledge(appeal, day=MONDAY)
        with pytest.raises(Forbidden, match="second person"):
            answer(appeal, finding="upheld")
        with pytest.raises(Conflict, match="second person"):
            casework.assign(appeal, people["gina"], day=MONDAY)
        (offer,) = [one for one in appeal.lifecycle.offers(appeal) if one.step.name == "resolve"]
        assert offer.refusal is not None
    with at_work(people["hugo"]):
        answer(appeal, finding="upheld", decision="It was closed indeed.")
    assert appeal.status == "resolved"


def test_two_accounts_of_one_person_are_one_pair_of_eyes(office: Office) -> None:
    areas, people = office
    people["gina"].staff_number = people["hugo"].staff_number = "S-1"
    first = lodged(areas["XX1"]).grievance
    with at_work(people["gina"]):
        answer(first)
    appeal = casework.appeal(
        first, "No.", channel="office", received_on=MONDAY, at=AT, office=OFFICE
    ).grievance
    with at_work(people["hugo"]), pytest.raises(Forbidden, match="second person"):
        answer(appeal)


def test_a_late_appeal_is_heard_only_with_a_reason(office: Office) -> None:
    first = lodged(office[0]["XX1"]).grievance
    answer(first)
    late: dict[str, Any] = {
        "channel": "office",
        "received_on": date(2026, 3, 31),
        "at": AT.replace(day=31),
        "office": OFFICE,
    }
    with pytest.raises(Invalid) as refusal:
        casework.appeal(first, "No.", **late)
    assert refusal.value.field == "late_because"
    made = casework.appeal(first, "No.", late_because="In hospital until 30 March.", **late).grievance
    assert made.late_because == "In hospital until 30 March."


def test_an_appeal_on_the_last_day_is_in_time(office: Office) -> None:
    first = lodged(office[0]["XX1"]).grievance
    answer(first)
    last = date(2026, 3, 30)
    made = casework.appeal(
        first, "No.", channel="office", received_on=last, at=AT.replace(day=30), office=OFFICE
    )
    assert made.grievance.late_because is None


def test_the_right_of_appeal_outlives_the_closing_of_the_file(office: Office) -> None:
    first = lodged(office[0]["XX1"]).grievance
    answer(first)
    casework.close(first)
    casework.appeal(first, "No.", channel="office", received_on=MONDAY, at=AT, office=OFFICE)
    assert first.status == "appealed"


def test_an_answer_is_appealed_once_and_an_appeal_never(office: Office) -> None:
    first = lodged(office[0]["XX1"]).grievance
    with pytest.raises(Conflict):
        casework.appeal(first, "No.", channel="office", received_on=MONDAY, at=AT, office=OFFICE)
    answer(first)
    how: dict[str, Any] = {"channel": "office", "received_on": MONDAY, "at": AT, "office": OFFICE}
    appeal = casework.appeal(first, "No.", **how).grievance
    with pytest.raises(Conflict):
        casework.appeal(first, "Again no.", **how)
    with acting.acting(acting.Actor(None, "other", "other", "test", (acting.Grant(("*",), None),))):
        answer(appeal)
    with pytest.raises(Conflict, match="courts"):
        casework.appeal(appeal, "Still no.", **how)


def test_what_is_late_is_found_and_the_last_day_is_not_late(office: Office, work: MisSession) -> None:
    person = a_person()
    waiting, known = a_grievance(about=person), a_grievance(about=person)
    casework.acknowledge(known, day=MONDAY)

    def late(day: date) -> set[Grievance]:
        found = set(work.scalars(sa.select(Grievance).where(deadlines.overdue(day))))
        assert found == {one for one in (waiting, known) if deadlines.is_overdue(one, day)}
        return found

    assert late(date(2026, 3, 4)) == set()
    assert late(date(2026, 3, 5)) == {waiting}
    assert late(date(2026, 3, 16)) == {waiting}
    assert late(date(2026, 3, 17)) == {waiting, known}
    answer(known, day=date(2026, 3, 16))
    assert late(date(2026, 3, 17)) == {waiting}


def test_what_is_due_soon_is_found(office: Office, work: MisSession) -> None:
    grievance = a_grievance()

    def soon(day: date) -> list[Grievance]:
        return list(work.scalars(sa.select(Grievance).where(deadlines.due_soon(day, office=OFFICE))))

    assert soon(date(2026, 3, 10)) == []
    assert soon(date(2026, 3, 11)) == [grievance]
    assert soon(date(2026, 3, 17)) == []


def test_officers_see_the_cases_of_their_areas_in_lists_counts_and_look_ups(
    office: Office, work: MisSession
) -> None:
    areas, people = office
    here, there = lodged(areas["XX1"]).grievance, lodged(areas["XX2"]).grievance
    work.expunge_all()
    with at_work(people["gina"]):
        assert [one.id for one in work.scalars(sa.select(Grievance))] == [here.id]
        assert work.scalar(sa.select(sa.func.count(Grievance.id))) == 1
        assert casework.get(here.id).id == here.id
        with pytest.raises(Missing):
            casework.get(there.id)


def test_sensitive_cases_are_hidden_from_whoever_may_not_know_of_them(
    office: Office, work: MisSession
) -> None:
    areas, people = office
    secret = lodged(areas["XX1"], "staff_conduct").grievance
    work.expunge_all()
    with at_work(people["enno"]):
        assert work.scalars(sa.select(Grievance)).all() == []
        assert work.scalar(sa.select(sa.func.count(Grievance.id))) == 0
        with pytest.raises(Missing):
            casework.get(secret.id)
    for knowing in ("gina", "audi"):
        with at_work(people[knowing]):
            assert casework.get(secret.id).sensitive


def test_whoever_may_not_see_sensitive_cases_may_still_take_one_in(office: Office) -> None:
    areas, people = office
    with at_work(people["enno"], "grievances:case:lodge"):
        assert lodged(areas["XX1"], "staff_conduct").grievance.sensitive


def test_the_appeal_of_a_sensitive_case_is_as_sensitive(office: Office) -> None:
    first = lodged(office[0]["XX1"], "staff_conduct").grievance
    answer(first)
    made = casework.appeal(first, "No.", channel="office", received_on=MONDAY, at=AT, office=OFFICE)
    assert made.grievance.sensitive
