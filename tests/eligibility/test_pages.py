"""The pages of the room as its people use them, with the roles they have."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from eligibility import explaining, publishing
from eligibility.models import AssessmentRun, Determination, Enrolment, RuleSet
from mis import jobs
from mis.acting import SYSTEM, acting
from mis.audit import AuditEntry
from mis.calendar import now
from mis.db import db
from mis.jobs import Job
from registry.models import Person
from registry.references import PERSON, reference
from tests.factories import eligibility as made
from tests.factories.registry import AreaFactory, PersonFactory, household_of
from tests.mis.accounts.browsing import Browser
from tests.mis.accounts.people import PASSWORD, make_user

DAY = date(2026, 6, 1)


@pytest.fixture
def office(app: Flask) -> dict[str, Any]:
    """Two scheme administrators, an enrolment officer and others; an elderly person, a child, one of unknown age."""
    with db.unit_of_work(), acting(SYSTEM):
        home, away = AreaFactory(code="HOME"), AreaFactory(code="AWAY")
        for name in ("ada", "ben"):
            make_user(name, "scheme_administrator")
        make_user("eva", "enrolment_officer")
        make_user("tom", "enrolment_officer", area_id=away.id)
        make_user("una", "auditor")
        make_user("pat", "payment_officer")
        elder, child = PersonFactory(area=home, elderly=True), PersonFactory(area=home, child=True)
        unknown = PersonFactory(area=home, birth_date=None, birth_precision=None)
        household_of(elder, (child, "grandchild"), (unknown, "child"))
        made.in_force(made.PENSION)
        return {"elder": elder.id, "child": child.id, "unknown": unknown.id}


def browser(app: Flask, name: str = "eva") -> Browser:
    one = Browser(app)
    one.sign_in(name, PASSWORD)
    return one


def on_record(model: type[Any]) -> Any:
    with db.unit_of_work(read_only=True) as session:
        return session.scalars(sa.select(model).order_by(model.id.desc())).first()


def work_off() -> None:
    """What the worker does."""
    with db.unit_of_work(read_only=True) as session:
        waiting = list(session.scalars(sa.select(Job.id).where(Job.status == "queued")))
    for job_id in waiting:
        jobs.run_now(job_id)


def test_the_pages_open(app: Flask, office: dict[str, Any]) -> None:
    run_id = made.assessed("OAP", DAY)
    decision, who = on_record(Determination).id, reference(PERSON, office["elder"])
    eva = browser(app)
    for path in (
        "schemes", "schemes/OAP", "schemes/OAP/versions/1", "runs", "runs/new", f"runs/{run_id}", "decisions",
        f"decisions?run={run_id}&outcome=eligible&area=HOME", "applicants", f"explain/OAP/{who}/2026-06-01",
        f"determinations/{decision}", f"determinations/{decision}/notice", "enrolments",
        "enrolments?scheme=OAP&status=active&q=awa&area=HOME",
    ):  # fmt: skip
        answer = eva.open(f"/eligibility/{path}")
        assert answer.status_code == 200, (path, answer.text[-2000:])
    assert eva.open(f"/registry/persons/{office['elder']}").text.count("/eligibility/explain/OAP/") == 1
    assert browser(app, "ada").open("/eligibility/schemes/draft?of=OAP").status_code == 200


def test_rules_are_drafted_checked_submitted_and_published_by_a_second_person(
    app: Flask, office: dict[str, Any]
) -> None:
    text = made.PENSION.replace("valid_from: 1995-01-01", "valid_from: 2027-01-01").replace(
        "150.00", "175.00"
    )
    ada, ben = browser(app, "ada"), browser(app, "ben")
    ada.open("/eligibility/schemes/draft")
    wrong = ada.send(
        "/eligibility/schemes/draft", document=text.replace("person.age >=", "person.agee >="), save="y"
    )
    assert wrong.status_code == 422 and "Line 26, column 19" in wrong.text
    assert "Did you mean person.age?" in wrong.text and "person.agee" in wrong.text
    checked = ada.send("/eligibility/schemes/draft", document=text, check="y")
    assert checked.status_code == 200 and "Nothing has been saved yet" in checked.text
    assert on_record(RuleSet).number == 1
    saved = ada.send("/eligibility/schemes/draft", document=text, save="y")
    assert saved.status_code == 302
    page = ada.open(saved.location)
    assert "Monthly pension is 175.00 XTS a month, before 150.00." in page.text
    step = f"{saved.location}/publication"
    assert ada.send(f"{saved.location}/step", step="submit", version="1").status_code == 302
    assert ada.send(step, step="publish", version="2").status_code == 403
    assert "Publish the rules of" in ben.open("/").text
    assert ben.send(step, step="publish", version="1").status_code == 409
    assert ben.send(step, step="publish", version="2").status_code == 302
    assert on_record(RuleSet).status == "published"
    assert ada.open(f"{saved.location}/edit").status_code == 409


def test_a_draft_is_edited_until_it_is_submitted(app: Flask, office: dict[str, Any]) -> None:
    ada = browser(app, "ada")
    text = made.PENSION.replace("1995-01-01", "2027-01-01")
    ada.open("/eligibility/schemes/draft")
    where = ada.send("/eligibility/schemes/draft", document=text, save="y").location
    ada.open(f"{where}/edit")
    edited = text.replace("150.00", "160.00")
    assert ada.send(f"{where}/edit", document=edited, version="7", save="y").status_code == 409
    assert ada.send(f"{where}/edit", document=edited, version="1", save="y").status_code == 302
    assert "160.00" in on_record(RuleSet).document
    again = ada.send("/eligibility/schemes/draft", document=edited, save="y")
    assert "nothing was changed" in ada.open(again.location).text


def test_the_register_is_assessed_and_the_eligible_are_enrolled_from_its_page(
    app: Flask, office: dict[str, Any]
) -> None:
    eva = browser(app)
    eva.open("/eligibility/runs/new")
    begun = eva.send("/eligibility/runs/new", scheme="OAP", on="2026-06-01")
    assert begun.status_code == 302
    assert "being assessed" in eva.open(begun.location).text
    work_off()
    page = eva.open(begun.location)
    assert "Enrol 1 persons" in page.text
    assert eva.send(f"{begun.location}/enrol").status_code == 302
    work_off()
    enrolled = on_record(Enrolment)
    assert (enrolled.status, enrolled.person_id) == ("active", office["elder"])
    assert "Would be enrolled now" in eva.open(begun.location).text


def test_an_applicant_is_decided_at_the_desk_and_gets_a_notice(app: Flask, office: dict[str, Any]) -> None:
    eva = browser(app)
    eva.open("/eligibility/applicants")
    for who, outcome, said in (
        ("elder", "active", "You are enrolled in the Old-age social pension"),
        ("child", "refused", "Not met:"),
        ("unknown", "applied", "Your application is not refused"),
    ):
        sent = eva.send(
            "/eligibility/applicants",
            scheme="OAP", person=reference(PERSON, office[who]), on="2026-06-01", decide="y",
        )  # fmt: skip
        assert sent.status_code == 302, sent.text
        one = on_record(Enrolment)
        assert one.status == outcome
        notice = eva.open(f"/eligibility/determinations/{one.determination_id}/notice").text
        assert said in notice and "Social Security Appeals Board" in notice
        eva.open("/eligibility/applicants")
    assert "Applications that are not decided" in eva.open("/").text
    twice = eva.send(
        "/eligibility/applicants",
        scheme="OAP", person=reference(PERSON, office["elder"]), on="2026-06-01", decide="y",
    )  # fmt: skip
    assert twice.status_code == 409 and "in this scheme already" in twice.text


def test_an_explanation_stores_nothing(app: Flask, office: dict[str, Any]) -> None:
    eva = browser(app)
    eva.open("/eligibility/applicants")
    sent = eva.send(
        "/eligibility/applicants",
        scheme="OAP", person=reference(PERSON, office["child"]), on="2026-06-01", look="y",
    )  # fmt: skip
    page = eva.open(sent.location).text
    assert "Not met" in page and "Only one requirement stands in the way" in page
    assert on_record(Determination) is None and on_record(AssessmentRun) is None


def test_an_enrolment_is_suspended_and_ended_with_a_reason(app: Flask, office: dict[str, Any]) -> None:
    with db.unit_of_work() as session, acting(SYSTEM):
        scheme = publishing.scheme_coded("OAP")
        one = made.enrolled(scheme, session.get_one(Person, office["elder"]), DAY)
        path, version = f"/eligibility/enrolments/{one.id}", one.version
    eva = browser(app)
    eva.open(path)
    assert eva.send(f"{path}/step", step="suspend", version=str(version)).status_code == 422
    assert (
        eva.send(f"{path}/step", step="suspend", version=str(version), reason="Checking.").status_code == 302
    )
    assert eva.send(f"{path}/step", step="suspend", version=str(version + 1), reason="x").status_code == 409
    eva.open(f"{path}/exit")
    early = eva.send(f"{path}/exit", reason="death", on="2020-01-01", version=str(version + 1))
    assert early.status_code == 422 and "cannot end before" in early.text
    gone = eva.send(f"{path}/exit", reason="death", on="2026-09-01", version=str(version + 1))
    assert gone.status_code == 302
    assert (on_record(Enrolment).status, on_record(Enrolment).exit_reason) == ("exited", "death")
    assert "The person died" in eva.open(path).text


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("eva", "/eligibility/schemes/draft"),
        ("una", "/eligibility/runs/new"),
        ("pat", "/eligibility/applicants"),
        ("ada", "/eligibility/enrolments/1/exit"),
    ],
)
def test_the_wrong_role_is_refused_and_leaves_a_trace(
    app: Flask, office: dict[str, Any], who: str, path: str
) -> None:
    assert browser(app, who).open(path).status_code == 403
    with db.unit_of_work(read_only=True) as session:
        last = session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == "refused").order_by(AuditEntry.id.desc())
        ).first()
        assert last is not None and last.actor_name == who.title()


def test_an_officer_of_another_district_sees_no_decision_and_no_enrolment(
    app: Flask, office: dict[str, Any]
) -> None:
    with db.unit_of_work() as session, acting(SYSTEM):
        scheme, person = publishing.scheme_coded("OAP"), session.get_one(Person, office["elder"])
        one = made.enrolled(scheme, person, DAY)
        enrolment_id, decision_id = one.id, one.determination_id
        who = reference(PERSON, person.id)
    tom = browser(app, "tom")
    assert tom.open(f"/eligibility/enrolments/{enrolment_id}").status_code == 404
    assert tom.open(f"/eligibility/determinations/{decision_id}").status_code == 404
    assert tom.open(f"/eligibility/explain/OAP/{who}/2026-06-01").status_code == 404
    assert "Nothing here yet" in tom.open("/eligibility/enrolments").text


def test_a_bad_address_is_told_in_a_sentence(app: Flask, office: dict[str, Any]) -> None:
    eva = browser(app)
    who = reference(PERSON, office["elder"])
    assert eva.open("/eligibility/schemes/NONE").status_code == 404
    assert eva.open("/eligibility/schemes/OAP/versions/9").status_code == 404
    assert eva.open(f"/eligibility/explain/OAP/{who}/yesterday").status_code == 422
    assert eva.open("/eligibility/explain/OAP/P-1/2026-06-01").status_code == 422
    assert eva.open(f"/eligibility/explain/OAP/{who}/1990-01-01").status_code == 409
    assert eva.open("/eligibility/decisions?reason=nonsense").status_code == 422


def test_a_decision_of_old_facts_is_shown_beside_what_is_true_today(
    app: Flask, office: dict[str, Any]
) -> None:
    with db.unit_of_work() as session, acting(SYSTEM):
        person = session.get_one(Person, office["elder"])
        explaining.assess_person(publishing.scheme_coded("OAP"), person, DAY, at=now())
        person.birth_date = date(1990, 1, 1)
    page = browser(app).open(f"/eligibility/explain/OAP/{reference(PERSON, office['elder'])}/2026-06-01").text
    assert "came out otherwise" in page
