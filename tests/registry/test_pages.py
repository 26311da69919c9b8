"""The pages of the registry, as an enrolment officer and a colleague use them."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from mis import acting, jobs
from mis.acting import SYSTEM
from mis.audit import AuditEntry
from mis.db import db
from registry import facts, identification
from registry.models import Household, ImportBatch, Person
from registry.references import reference
from registry.views import panels
from tests.factories.registry import AreaFactory, PersonFactory, household_of
from tests.mis.accounts.browsing import Browser
from tests.mis.accounts.people import PASSWORD, make_user
from tests.registry.lists import vlss, vlss_row


@pytest.fixture
def office(app: Flask) -> dict[str, Any]:
    """Two enrolment officers of the country, one of a district, an auditor; a family and a person elsewhere."""
    with db.unit_of_work(), acting.acting(SYSTEM):
        home, away = AreaFactory(code="HOME", name="Home"), AreaFactory(code="AWAY", name="Away")
        make_user("a.ba", "enrolment_officer")
        make_user("b.ba", "enrolment_officer")
        make_user("c.ba", "enrolment_officer", area_id=home.id)
        make_user("d.ba", "auditor")
        head = PersonFactory(area=home, given_name="Awa", family_name="Diallo", search_name="awa diallo")
        household = household_of(head)
        number = identification.give_number(head, "national_id", "12345678")
        stranger = PersonFactory(
            area=away, given_name="Moussa", family_name="Keita", search_name="moussa keita"
        )
        found = {"head": head.id, "household": household.id, "stranger": stranger.id, "number": number.id}
    return found | {"home": home.id}


def browser(app: Flask, name: str = "a.ba") -> Browser:
    made = Browser(app)
    made.sign_in(name, PASSWORD)
    return made


@pytest.mark.parametrize(
    "path",
    ["persons", "persons?q=awa&area=HOME&sex=female&age=18-59", "persons?sort=born&direction=desc", "persons/new",
     "households", "households?q=awa&sort=head", "households/new", "areas", "imports", "imports/new"],
)  # fmt: skip
def test_the_pages_open(app: Flask, office: dict[str, Any], path: str):
    assert browser(app).open(f"/registry/{path}").status_code == 200


def test_the_page_of_a_person_shows_no_identity_number(app: Flask, office: dict[str, Any]):
    page = browser(app).open(f"/registry/persons/{office['head']}")
    assert page.status_code == 200 and "Awa Diallo" in page.text
    assert "12345678" not in page.text and reference("P", office["head"]) in page.text


def test_a_number_is_shown_for_a_purpose_that_is_kept(app: Flask, office: dict[str, Any]):
    mine = browser(app)
    mine.open(f"/registry/persons/{office['head']}")
    path = f"/registry/persons/{office['head']}/numbers/{office['number']}/reveal"
    assert mine.send(path, purpose="").status_code == 302
    shown = mine.send(path, purpose="to call her bank")
    assert shown.status_code == 200 and "12345678" in shown.text
    with db.unit_of_work(read_only=True) as session:
        (entry,) = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "sealed.reveal"))
        assert entry.details["purpose"] == "to call her bank" and entry.actor_name.startswith("A")


def test_an_auditor_reveals_and_changes_nothing(app: Flask, office: dict[str, Any]):
    hers = browser(app, "d.ba")
    assert hers.open(f"/registry/persons/{office['head']}").status_code == 200
    for path in (f"persons/{office['head']}/numbers/{office['number']}/reveal", f"persons/{office['head']}/edit",
                 "households/new", "imports/new"):  # fmt: skip
        assert hers.send(f"/registry/{path}", purpose="x").status_code == 403
    with db.unit_of_work(read_only=True) as session:
        refused = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "refused")).all()
        assert len(refused) == 4


def test_an_officer_of_a_district_sees_her_own_people(app: Flask, office: dict[str, Any]):
    hers = browser(app, "c.ba")
    listing = hers.open("/registry/persons").text
    assert "Awa Diallo" in listing and "Moussa Keita" not in listing
    assert hers.open(f"/registry/persons/{office['stranger']}").status_code == 404
    assert "Moussa" not in hers.open("/search?q=moussa").text


def household_fields(**more: str) -> dict[str, str]:
    blank = {f"members-{n}-{name}": "" for n in range(4) for name in ("given_name", "family_name", "birth_date",
             "relationship", "identity_number", "phone", "collector")}  # fmt: skip
    first = {
        "members-0-given_name": "Fatou",
        "members-0-relationship": "head",
        "members-0-birth_date": "1950",
    }
    blank |= {f"fact_{key}": "" for key in facts.attributes_of("household")}
    sexes = {f"members-{n}-sex": "unknown" for n in range(4)}
    return blank | sexes | first | {"area_id": "Home (HOME)", "fact_rooms": "2", "fact_tv": "yes"} | more


def test_a_household_is_registered_on_one_page(app: Flask, office: dict[str, Any]):
    mine = browser(app)
    mine.open("/registry/households/new")
    answer = mine.send(
        "/registry/households/new",
        **household_fields(**{"members-2-given_name": "Ali", "members-2-relationship": "child"}),
    )
    assert answer.status_code == 302, re.findall(r'class="error[^>]*>(.*?)</', answer.text)
    page = mine.open(answer.location).text
    assert "Fatou" in page and "Ali" in page
    with db.unit_of_work(read_only=True) as session:
        household = session.scalars(sa.select(Household).order_by(Household.id.desc())).first()
        assert household is not None and household.attributes == {"rooms": 2, "tv": True}


def test_a_further_row_is_added_without_a_script_and_nothing_is_saved(app: Flask, office: dict[str, Any]):
    mine = browser(app)
    mine.open("/registry/households/new")
    page = mine.send("/registry/households/new", **household_fields(add_row="yes"))
    assert page.status_code == 200 and "members-4-given_name" in page.text and 'value="Fatou"' in page.text


def test_a_refusal_stands_at_the_field_of_the_member_and_nothing_is_kept(app: Flask, office: dict[str, Any]):
    mine = browser(app)
    mine.open("/registry/households/new")
    more = {
        "members-3-given_name": "Ali",
        "members-3-relationship": "child",
        "members-3-identity_number": "12345678",
    }
    page = mine.send("/registry/households/new", **household_fields(**more))
    assert page.status_code == 409
    assert (
        'id="members-3-identity_number-error"' in page.text and "belongs already to Awa Diallo" in page.text
    )
    with db.unit_of_work(read_only=True) as session:
        assert session.scalar(sa.select(sa.func.count(Person.id))) == 2


def test_wrong_values_are_said_at_their_fields(app: Flask, office: dict[str, Any]):
    mine = browser(app)
    mine.open("/registry/households/new")
    page = mine.send("/registry/households/new", **household_fields(fact_rooms="many", area_id="NOWHERE",
                     **{"members-0-birth_date": "long ago"}))  # fmt: skip
    assert page.status_code == 422
    for field in ("fact_rooms", "area_id", "members-0-birth_date"):
        assert f'id="{field}-error"' in page.text


def test_an_edit_of_what_somebody_else_has_changed_is_refused(app: Flask, office: dict[str, Any]):
    mine = browser(app)
    path = f"/registry/persons/{office['head']}/edit"
    mine.open(path)
    fields = {
        "given_name": "Aminata",
        "family_name": "Diallo",
        "sex": "female",
        "birth_date": "1990-05",
        "version": "1",
    }
    assert mine.send(path, **fields).status_code == 302
    stale = mine.send(path, **fields | {"given_name": "Aissatou"})
    assert stale.status_code == 409 and "Somebody else" in stale.text


def test_members_join_lead_and_leave(app: Flask, office: dict[str, Any]):
    mine = browser(app)
    home = f"/registry/households/{office['household']}"
    mine.open(home)
    joined = mine.send(f"{home}/members", person=reference("P", office["stranger"]), relationship="spouse",
                       day="2024-01-01")  # fmt: skip
    assert joined.status_code == 302
    member = f"{home}/members/{office['stranger']}"
    assert mine.open(member).status_code == 200
    assert mine.send(member, change="head", former_becomes="spouse", day="2024-02-01").status_code == 302
    assert mine.send(member, change="leave", former_becomes="", day="2024-03-01").status_code == 409
    page = mine.open(home).text
    assert page.index("Moussa Keita") < page.index("Awa Diallo")


def bring(mine: Browser, content: str) -> Any:
    mine.open("/registry/imports/new")
    return mine.send("/registry/imports/new", mapping="vlss_households.yaml", mapping_file=(io.BytesIO(b""), ""),
                     area_id="", file=(io.BytesIO(content.encode()), "list.csv"))  # fmt: skip


def work_through() -> None:
    with db.unit_of_work(read_only=True) as session:
        waiting = list(session.scalars(sa.select(jobs.Job.id).where(jobs.Job.status == "queued")))
    for job_id in waiting:
        assert jobs.run_now(job_id).status == jobs.DONE


def test_a_list_is_brought_read_and_accepted_by_a_colleague(app: Flask, office: dict[str, Any]):
    mine, colleague = browser(app), browser(app, "b.ba")
    answer = bring(mine, vlss(vlss_row(1), vlss_row(2, sex="x"), vlss_row(3)))
    assert answer.status_code == 302
    assert "hx-get" in mine.open(answer.location).text
    work_through()
    page = mine.open(answer.location).text
    assert (
        "Accept" in page
        and "needs a second person" in page
        and "A value that the mapping does not know" in page
    )
    assert mine.send(f"{answer.location}/step", step="accept", version="2").status_code in (403, 409)
    assert "Accept the list" in colleague.open("/").text
    page = colleague.open(answer.location).text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    assert colleague.send(f"{answer.location}/step", step="accept", version=version[1]).status_code == 302
    work_through()
    done = colleague.open(f"{answer.location}/progress")
    assert done.headers["HX-Refresh"] == "true"
    with db.unit_of_work(read_only=True) as session:
        assert session.scalars(sa.select(ImportBatch.status)).one() == "accepted"
        assert session.scalar(sa.select(sa.func.count(Person.id)).where(Person.source == "vlss")) == 2
    refused = colleague.send(f"{answer.location}/refused.csv")
    assert refused.mimetype == "text/csv" and "VN0002" in refused.text and "VN0001" not in refused.text
    again = bring(mine, vlss(vlss_row(1), vlss_row(2, sex="x"), vlss_row(3)))
    assert again.location == answer.location
    assert "nothing has changed" in mine.open(again.location).text


def test_a_file_that_is_no_list_is_refused_at_its_field(app: Flask, office: dict[str, Any]):
    page = bring(browser(app), "not,a,list\n1,2,3\n")
    assert page.status_code == 422 and 'id="file-error"' in page.text


def test_areas_are_loaded_and_walked_through(app: Flask, office: dict[str, Any]):
    with db.unit_of_work(), acting.acting(SYSTEM):
        make_user("s.ba", "system_administrator")
    admin = browser(app, "s.ba")
    admin.open("/registry/areas/load")
    content = b"code,name,kind,parent_code\nN1,Inner,village,N\nN,North,district,HOME\n"
    assert admin.send("/registry/areas/load", file=(io.BytesIO(content), "areas.csv")).status_code == 302
    assert "Inner" in admin.open("/registry/areas?q=inner").text
    assert "North" in browser(app).open(f"/registry/areas/{office['home']}").text
    wrong = admin.send(
        "/registry/areas/load", file=(io.BytesIO(b"code,name,kind,parent_code\nX,X,x,Y\n"), "a.csv")
    )
    assert wrong.status_code == 422 and "Row 2" in wrong.text


def test_the_dashboard_counts_only_what_one_may_see(app: Flask, office: dict[str, Any]):
    figure = re.compile(r"<dt>Persons</dt><dd><a[^>]*>(\d+)</a>")
    assert [figure.findall(browser(app, who).open("/").text) for who in ("a.ba", "c.ba")] == [["2"], ["1"]]


def test_a_reference_in_the_search_box_opens_the_record(app: Flask, office: dict[str, Any]):
    answer = browser(app).open(f"/search?q={reference('H', office['household']).lower()}")
    assert answer.status_code == 302 and answer.location == f"/registry/households/{office['household']}"


def test_other_rooms_add_panels_for_those_who_may_see_them(
    app: Flask, office: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(panels._panels, Person, [])
    panels.add_panel("registry:person:edit", lambda person: f"<p>panel of {person.given_name}</p>")
    path = f"/registry/persons/{office['head']}"
    assert "panel of Awa" in browser(app).open(path).text
    assert "panel of Awa" not in browser(app, "d.ba").open(path).text


def test_an_officer_of_a_district_sees_no_lists_of_elsewhere(app: Flask, office: dict[str, Any]):
    answer = bring(browser(app), vlss(vlss_row(1)))
    work_through()
    hers = browser(app, "c.ba")
    assert "list.csv" not in hers.open("/registry/imports").text
    assert hers.open(answer.location).status_code == 404
    assert hers.send(f"{answer.location}/refused.csv").status_code == 404
    assert "Accept the list" not in hers.open("/").text
    assert "list.csv" in browser(app, "b.ba").open("/registry/imports").text


def test_enter_registers_the_household_and_adds_no_row(app: Flask, office: dict[str, Any]):
    page = browser(app).open("/registry/households/new").text
    # A browser presses the first button of the form.
    assert page.index(">Register the household</button>") < page.index('name="add_row"')
