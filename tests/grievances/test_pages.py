"""The pages of the grievances, as officers and the public meet them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from grievances import subjects
from grievances.intake import Complainant, Lodged
from grievances.models import Grievance, PublicTry
from grievances.views import subject_links
from mis import acting
from mis.acting import SYSTEM
from mis.audit import AuditEntry
from mis.db import db
from registry import references
from registry.models import Area, Person
from tests.conftest import acting_as
from tests.factories.payments import enrol, make_person, make_scheme
from tests.grievances.office import AT, answer, lodged, staff
from tests.mis.accounts.browsing import Browser
from tests.mis.accounts.people import PASSWORD


@dataclass
class Office:
    """A case in each district, and the areas."""

    areas: dict[str, int]
    here: int
    there: int
    secret: int


@pytest.fixture
def office(app: Flask) -> Iterator[Office]:
    with time_machine.travel(AT, tick=False):
        with db.unit_of_work(), acting.acting(SYSTEM):
            areas, _people = staff()
            yield_me = Office(
                areas,
                lodged(areas["XX1"]).grievance.id,
                lodged(areas["XX2"]).grievance.id,
                lodged(areas["XX1"], "staff_conduct").grievance.id,
            )
        yield yield_me


@pytest.fixture
def gina(app: Flask, office: Office) -> Browser:
    return signed_in(app, "gina.oduya")


def signed_in(app: Flask, username: str) -> Browser:
    browser = Browser(app)
    assert browser.sign_in(username, PASSWORD).status_code == 303
    return browser


def stored(grievance_id: int) -> Grievance:
    with db.unit_of_work(read_only=True) as session, acting.acting(SYSTEM):
        return session.get_one(Grievance, grievance_id)


def number(grievance_id: int) -> str:
    return references.reference(references.GRIEVANCE, grievance_id)


def version(browser: Browser, path: str) -> str:
    found = re.search(r'name="version"[^>]*value="(\d+)"', browser.open(path).text)
    assert found is not None
    return found[1]


def test_the_list_shows_the_cases_of_the_own_area(gina: Browser, office: Office) -> None:
    page = gina.open("/grievances/")
    assert page.status_code == 200
    assert number(office.here) in page.text
    assert number(office.secret) in page.text
    assert number(office.there) not in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=open", True),
        ("status=closed", False),
        ("category=service_quality", True),
        ("category=other", False),
        ("overdue=no", True),
        ("overdue=yes", False),
        ("assigned=nobody", True),
        ("assigned=me", False),
        ("q=diallo", True),
        ("q=G-1", False),
        ("area=XX1", True),
        ("since=2026-03-03", False),
    ],
)
def test_the_list_is_filtered(gina: Browser, office: Office, query: str, found: bool) -> None:
    page = gina.open(f"/grievances/?{query}")
    assert page.status_code == 200
    assert (number(office.here) in page.text) is found


def test_a_case_of_another_area_is_not_found(gina: Browser, office: Office) -> None:
    assert gina.open(f"/grievances/{office.there}").status_code == 404
    assert gina.send(f"/grievances/{office.there}/acknowledge", version="1").status_code == 404


def test_sensitive_cases_do_not_exist_for_others(app: Flask, office: Office) -> None:
    clerk = signed_in(app, "enno.bah")
    assert number(office.secret) not in clerk.open("/grievances/").text
    assert clerk.open(f"/grievances/{office.secret}").status_code == 404
    assert clerk.open(f"/search?q={number(office.secret)}").status_code == 200


def test_a_case_goes_its_way_on_the_pages(app: Flask, gina: Browser, office: Office) -> None:
    path = f"/grievances/{office.here}"
    assert gina.send(f"{path}/acknowledge", version=version(gina, path)).status_code == 303
    assert gina.send(f"{path}/notes", text="Called the guard.").status_code == 303
    seen = version(gina, f"{path}/assign")
    hugo = re.search(r'value="(\d+)">Hugo Mensah', gina.open(f"{path}/assign").text)
    assert hugo is not None
    assert gina.send(f"{path}/assign", version=seen, user=hugo[1]).status_code == 303
    page = gina.open(path)
    assert "Called the guard." in page.text
    assert "Hugo Mensah" in page.text
    other = signed_in(app, "hugo.mensah")
    assert "My grievances" in other.open("/waiting").text
    sent = other.send(
        f"{path}/resolve",
        version=version(other, f"{path}/resolve"),
        finding="not_upheld",
        decision="The office was open.",
        remedy="none",
    )
    assert sent.status_code == 303
    letter = other.open(f"{path}/letter")
    assert "The office was open." in letter.text
    assert "You can appeal until" in letter.text
    appealed = other.send(
        f"{path}/appeal",
        version=version(other, f"{path}/appeal"),
        grounds="I was there.",
        channel="office",
        received_on="2026-03-02",
    )
    assert "Secret word" in appealed.text
    assert stored(office.here).status == "appealed"


def test_an_answer_without_decision_stays_on_the_page_with_its_sentence(
    gina: Browser, office: Office
) -> None:
    path = f"/grievances/{office.here}"
    gina.send(f"{path}/acknowledge", version=version(gina, path))
    page = gina.send(
        f"{path}/resolve",
        version=version(gina, f"{path}/resolve"),
        finding="upheld",
        decision="",
        remedy="none",
    )
    assert page.status_code == 422
    assert "Fill this in." in page.text
    assert stored(office.here).status == "acknowledged"


def test_a_step_in_the_wrong_status_is_a_conflict_that_says_what_to_do(gina: Browser, office: Office) -> None:
    path = f"/grievances/{office.here}"
    seen = version(gina, path)
    page = gina.send(f"{path}/close", version=seen)
    assert page.status_code == 409
    assert "From here: Acknowledge." in page.text
    assert gina.open(f"{path}/resolve").status_code == 409
    assert gina.open(f"{path}/letter").status_code == 409


def test_of_two_who_press_one_button_the_second_is_told(gina: Browser, office: Office) -> None:
    path = f"/grievances/{office.here}"
    gina.open(path)
    assert gina.send(f"{path}/acknowledge", version="7").status_code == 409
    assert gina.send(f"{path}/acknowledge").status_code == 422
    assert stored(office.here).status == "lodged"


def test_a_wrong_role_is_forbidden_and_leaves_a_trace(app: Flask, office: Office) -> None:
    auditor = signed_in(app, "audi.tor")
    assert auditor.open(f"/grievances/{office.here}").status_code == 200
    assert auditor.send(f"/grievances/{office.here}/acknowledge", version="1").status_code == 403
    with db.unit_of_work(read_only=True) as session:
        refused = sa.select(AuditEntry.actor_name).where(AuditEntry.action == "refused")
        assert session.scalars(refused).all() == ["Audi Tor"]


def test_the_appeal_of_the_own_answer_is_forbidden(gina: Browser, office: Office) -> None:
    with db.unit_of_work() as session, acting.acting(SYSTEM):
        first = session.get_one(Grievance, office.here)
        answer(first)
    path = f"/grievances/{office.here}"
    gina.send(
        f"{path}/appeal",
        version=version(gina, f"{path}/appeal"),
        grounds="No.",
        channel="office",
        received_on="2026-03-02",
    )
    with db.unit_of_work(read_only=True) as session, acting.acting(SYSTEM):
        appeal = session.scalars(sa.select(Grievance).where(Grievance.appeal_of_id == office.here)).one()
    assert "This is an appeal" in gina.open(f"/grievances/{appeal.id}").text


def test_an_officer_lodges_for_somebody_and_hands_over_a_receipt(app: Flask, office: Office) -> None:
    clerk = signed_in(app, "enno.bah")
    clerk.open("/grievances/lodge")
    fields = {
        "category": "staff_conduct",
        "area": "XX1",
        "description": "Asked for money.",
        "channel": "office",
        "received_on": "2026-03-02",
        "anonymous": "y",
    }
    page = clerk.send("/grievances/lodge", **fields)
    assert page.status_code == 200
    assert "Secret word" in page.text
    assert "Open the case" not in page.text
    wrong = clerk.send("/grievances/lodge", **fields | {"name": "Awa", "received_on": "2026-03-09"})
    assert wrong.status_code == 422
    assert "lies in the future" in wrong.text
    elsewhere = clerk.send("/grievances/lodge", **fields | {"area": "XX2"})
    assert elsewhere.status_code == 422


def test_an_address_that_names_nobody_is_answered_with_a_sentence(app: Flask, office: Office) -> None:
    clerk = signed_in(app, "enno.bah")
    assert clerk.open("/grievances/lodge?person=P-000-000-000").status_code == 422
    assert clerk.open("/grievances/lodge?payment=x").status_code == 422
    assert clerk.open("/grievances/lodge?payment=99").status_code == 404


def test_a_grievance_begins_on_the_page_of_a_person(app: Flask, office: Office) -> None:
    with db.unit_of_work() as session, acting.acting(SYSTEM):
        person = Person(
            area_id=office.areas["XX1"],
            given_name="Awa",
            search_name="awa",
            sex="female",
            registered_at=AT,
            changed_at=AT,
        )
        session.add(person)
        session.flush()
        said = references.reference(references.PERSON, person.id)
    clerk = signed_in(app, "enno.bah")
    page = clerk.open(f"/grievances/lodge?person={said}")
    assert f'value="{said}"' in page.text
    made = clerk.send(
        f"/grievances/lodge?person={said}",
        category="data_error",
        person=said,
        description="My name is Hawa.",
        channel="office",
        received_on="2026-03-02",
        name="Hawa",
    )
    assert "Secret word" in made.text
    assert "Open the case" in made.text
    page = clerk.open(f"/registry/persons/{person.id}")
    assert "/grievances/4" in page.text
    assert f"/grievances/lodge?person={said}" in page.text


def test_the_desk_shows_what_waits_and_the_figures(gina: Browser, office: Office) -> None:
    page = gina.open("/")
    assert "Grievances that nobody works on" in page.text
    assert "Open grievances by category" in page.text
    with time_machine.travel("2026-04-20T09:00:00+00:00", tick=False):
        gina.sign_in("gina.oduya", PASSWORD)
        late = gina.open("/waiting").text
        assert "Overdue" in late
        assert "Late grievances of others" not in late


def test_a_case_is_found_by_its_number(gina: Browser, office: Office) -> None:
    assert gina.open(f"/search?q={number(office.here)}").location == f"/grievances/{office.here}"


def test_the_page_for_signing_in_shows_the_way_to_complain_without_an_account(
    app: Flask, office: Office
) -> None:
    page = Browser(app).open("/sign-in")
    assert 'href="/grievances/public"' in page.text
    assert 'href="/grievances/public/status"' in page.text


def test_anybody_lodges_and_looks_up_without_signing_in(app: Flask, office: Office) -> None:
    anybody = Browser(app)
    assert anybody.open("/grievances/public").status_code == 200
    fields = {"category": "staff_conduct", "area": "XX1", "description": "Asked me for money."}
    unnamed = anybody.send("/grievances/public", **fields)
    assert unnamed.status_code == 422
    made = anybody.send("/grievances/public", anonymous="y", **fields)
    assert made.status_code == 200
    said = dict(re.findall(r"<dt>(Number|Secret word)</dt><dd>([^<]+)</dd>", made.text))
    anybody.open("/grievances/public/status")
    shown = anybody.send("/grievances/public/status", reference=said["Number"], word=said["Secret word"])
    assert shown.status_code == 200
    assert "Asked me for money." not in shown.text
    wrong = anybody.send("/grievances/public/status", reference=said["Number"], word="aaaa-bbbb")
    assert wrong.status_code == 404
    assert "no grievance with this number and this word" in wrong.text


def test_a_use_of_the_public_page_is_counted_even_when_it_is_refused(app: Flask, office: Office) -> None:
    anybody = Browser(app)
    anybody.open("/grievances/public/status")
    for _ in range(20):
        assert (
            anybody.send("/grievances/public/status", reference="G-000-000-158", word="x").status_code == 404
        )
    assert anybody.send("/grievances/public/status", reference="G-000-000-158", word="x").status_code == 409
    with db.unit_of_work(read_only=True) as session:
        assert session.scalar(sa.select(sa.func.count(PublicTry.id))) == 20


def answered(area_id: int) -> Lodged:
    with db.unit_of_work(), acting.acting(SYSTEM):
        made = lodged(area_id)
        answer(made.grievance)
    return made


def appeal_on_the_web(app: Flask, made: Lodged) -> TestResponse:
    anybody = Browser(app)
    anybody.open("/grievances/public/appeal")
    said = {"reference": made.reference, "word": made.word, "grounds": "No."}
    return anybody.send("/grievances/public/appeal", **said)


def test_the_author_appeals_on_the_web(app: Flask, office: Office) -> None:
    made = answered(office.areas["XX1"])
    assert appeal_on_the_web(app, made).status_code == 200
    assert stored(made.grievance.id).status == "appealed"


def test_a_late_author_is_sent_to_an_office(app: Flask, office: Office) -> None:
    made = answered(office.areas["XX1"])
    with time_machine.travel("2026-04-20T09:00:00+00:00", tick=False):
        late = appeal_on_the_web(app, made)
    assert late.status_code == 409
    assert "go to the nearest office" in late.text
    assert stored(made.grievance.id).status == "resolved"


def test_a_case_leads_to_what_it_is_about_and_to_what_its_remedy_did(
    app: Flask, gina: Browser, office: Office
) -> None:
    with db.unit_of_work() as session, acting.acting(SYSTEM):
        area = session.get_one(Area, office.areas["XX1"])
        enrolment = enrol(make_scheme(), make_person(area))
        about = subjects.about(enrolment_id=enrolment.id)
        made = lodged(area.id, "wrong_inclusion", subject=about).grievance
        answer(made, finding="upheld", decision="They left.", remedy="place_hold")
    page = gina.open(f"/grievances/{made.id}")
    assert f'href="/eligibility/enrolments/{enrolment.id}"' in page.text
    assert 'href="/payments/holds/1"' in page.text
    assert gina.open("/payments/holds/1").status_code == 200
    asked = gina.open(f"/grievances/lodge?person={references.reference('P', enrolment.person_id)}")
    assert f"enrolment={enrolment.id}" in asked.text


def test_somebody_who_may_not_read_payments_and_enrolments_sees_their_numbers_alone(
    app: Flask, office: Office
) -> None:
    with db.unit_of_work() as session, acting.acting(SYSTEM):
        area = session.get_one(Area, office.areas["XX1"])
        enrolment = enrol(make_scheme(), make_person(area))
    permissions = ("grievances:case:lodge", "grievances:case:read")
    with app.test_request_context(), db.unit_of_work(read_only=True), acting_as("clerk", *permissions):
        (_person, shown) = subject_links.of_subject(subjects.about(enrolment_id=enrolment.id))[:2]
        assert shown[1:] == (f"number {enrolment.id}", None)
        assert subject_links.latest_of(enrolment.person_id) == []


def test_the_telephone_number_is_shown_to_who_says_what_for_and_the_trail_keeps_it(
    app: Flask, gina: Browser, office: Office
) -> None:
    with db.unit_of_work(), acting.acting(SYSTEM):
        caller = Complainant("Awa Diallo", "+254 711 222 333")
        made = lodged(office.areas["XX1"], complainant=caller).grievance
    path = f"/grievances/{made.id}"
    assert "+254711222333" not in gina.open(path).text
    assert gina.send(f"{path}/phone", purpose=" ").status_code == 422
    assert "+254711222333" in gina.send(f"{path}/phone", purpose="Ask when he went to the bank.").text
    assert signed_in(app, "audi.tor").send(f"{path}/phone", purpose="Curious.").status_code == 403
    with db.unit_of_work(read_only=True) as session:
        looked = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "sealed.reveal")).one()
    assert looked.details["purpose"] == "Ask when he went to the bank."
