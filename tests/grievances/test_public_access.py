"""Anybody may lodge a grievance and ask what became of it; the pages tell nothing to whoever does not know the word."""

from __future__ import annotations

from datetime import timedelta

import pytest

from grievances import public_access
from grievances.catalogue import catalogue
from grievances.intake import ANONYMOUS, Complainant, Lodged
from mis import acting
from mis.acting import NOBODY
from mis.db import MisSession
from mis.errors import Conflict, Invalid, Missing
from registry import references
from tests.grievances.office import AT, MONDAY, OFFICE, a_person, an_area, answer


def lodge(area_id: int, *, person: str = "", category: str = "staff_conduct") -> Lodged:
    return public_access.lodge(
        category,
        "Asked me for money.",
        area_id=area_id,
        person_reference=person,
        complainant=ANONYMOUS,
        anonymous=True,
        at=AT,
        office=OFFICE,
    )


def test_the_author_learns_the_status_the_deadlines_and_the_decision(work: MisSession) -> None:
    made = lodge(an_area().id)
    with acting.acting(NOBODY):
        before = public_access.look_up(made.reference, made.word.upper(), day=MONDAY)
    assert (before.status, before.decision, before.may_appeal) == ("lodged", None, False)
    answer(made.grievance, finding="upheld", decision="The clerk was warned.")
    with acting.acting(NOBODY):
        after = public_access.look_up(made.reference, made.word, day=MONDAY)
    assert (after.status, after.decision, after.may_appeal) == ("resolved", "The clerk was warned.", True)


def test_a_wrong_word_and_a_wrong_number_are_answered_alike(work: MisSession) -> None:
    made = lodge(an_area().id)
    sentences = set()
    unknown = references.reference(references.GRIEVANCE, made.grievance.id + 1)
    for reference, word in ((made.reference, "aaaa-aaaa"), (unknown, made.word), ("nonsense", ""), ("", "x")):
        with acting.acting(NOBODY), pytest.raises(Missing) as refusal:
            public_access.look_up(reference, word, day=MONDAY)
        sentences.add(str(refusal.value))
    assert len(sentences) == 1


def test_a_person_is_linked_if_there_is_one_and_nobody_is_told(work: MisSession) -> None:
    area, person = an_area(), a_person()
    known = lodge(area.id, person=references.reference("P", person.id)).grievance
    unknown = lodge(area.id, person=references.reference("P", person.id + 999)).grievance
    assert (known.person_id, known.area_id) == (person.id, person.area_id)
    assert (unknown.person_id, unknown.area_id) == (None, area.id)
    with pytest.raises(Invalid) as refusal:
        lodge(area.id, person="P-000-000-000")
    assert refusal.value.field == "person"


def test_an_appeal_is_no_category_of_the_public_page(work: MisSession) -> None:
    with pytest.raises(Invalid):
        lodge(an_area().id, category="appeal")


def test_one_address_cannot_flood_the_page_and_others_go_on(work: MisSession) -> None:
    for _ in range(catalogue().lodgings_per_hour):
        public_access.count("lodge", "192.0.2.7", at=AT)
    with pytest.raises(Conflict, match="too often"):
        public_access.count("lodge", "192.0.2.7", at=AT)
    public_access.count("lodge", "192.0.2.8", at=AT)
    public_access.count("look_up", "192.0.2.7", at=AT)
    public_access.count("lodge", "192.0.2.7", at=AT + timedelta(minutes=61))


def test_one_with_a_name_may_leave_it_on_the_public_page(work: MisSession) -> None:
    made = public_access.lodge(
        "service_quality",
        "Closed.",
        area_id=an_area().id,
        person_reference="",
        complainant=Complainant("Awa Diallo", "+254 711 222 333"),
        anonymous=False,
        at=AT,
        office=OFFICE,
    )
    assert made.grievance.complainant_name == "Awa Diallo"
    assert made.grievance.channel == "web"
