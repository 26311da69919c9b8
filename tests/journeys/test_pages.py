"""From a roster to a reconciled payment and an answered grievance, all on the pages, each step by whose work it is."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from mis import calendar, jobs
from mis.calendar import Month
from mis.db import db
from mis.demo import office, people, provider, register
from mis.demo.office import Colleague
from mis.jobs import Job
from mis.paths import config_dir
from tests.journeys.visiting import Visitor


class Office:
    """Everybody at his or her desk, and a worker who does what was asked for."""

    def __init__(self, app: Flask) -> None:
        self.app, self.desks = app, dict[str, Visitor]()
        day = calendar.today()
        register.load_areas(day=day)
        office.hire(day=day, at=calendar.now(), areas=register.area_ids())

    def at(self, colleague: Colleague) -> Visitor:
        """The desk of a colleague, signed in."""
        if colleague.username not in self.desks:
            self.desks[colleague.username] = Visitor(self.app, colleague.username, office.PASSWORD)
        return self.desks[colleague.username]

    def work(self) -> None:
        """Do all background work that waits, as the worker does."""
        while waiting := self._waiting():
            for job_id in waiting:
                assert jobs.run_now(job_id).status == jobs.DONE

    @staticmethod
    def _waiting() -> list[int]:
        with db.unit_of_work(read_only=True) as session:
            return list(session.scalars(sa.select(Job.id).where(Job.status.in_(jobs.LIVE)).order_by(Job.id)))


@pytest.fixture
def room(app: Flask) -> Office:
    return Office(app)


def month() -> Month:
    return Month.of(calendar.today())


def bring_roster(room: Office, folder: Path) -> None:
    communes = [code for code in register.area_ids() if len(code) == len("XX-N11")]
    path = folder / "roster.csv"
    people.write(path, households=80, day=month().first_day, communes=sorted(communes))
    registrar = room.at(office.REGISTRAR).open("/").follow("Lists").follow("Bring a list")
    registrar.press("Bring the list", List=(path.name, path.read_bytes()), Mapping="demo_roster.yaml")
    room.work()
    registrar.open(registrar.address)
    assert "needs a second person" in registrar.text
    second = room.at(office.SECOND_REGISTRAR).open("/").follow("Lists")
    second.open_row("roster.csv").press("Accept")
    room.work()
    second.open("/").follow("Persons")
    assert "P-000-000-1" in second.text


def publish_pension(room: Office) -> None:
    text = (config_dir() / "schemes" / "old_age_pension.yaml").read_text(encoding="utf-8")
    drafter = room.at(office.DRAFTER).open("/").follow("Schemes").follow("Draft a scheme")
    drafter.press("Save the draft", Document=text)
    drafter.press("Submit")
    assert "Publish" not in drafter.buttons()
    publisher = room.at(office.PUBLISHER).open("/").follow("Waiting for me").open(drafter.address)
    publisher.press("Publish")
    assert "Published" in publisher.text


def enrol(room: Office) -> None:
    registrar = room.at(office.REGISTRAR).open("/").follow("Assessments").follow("Assess the register")
    registrar.press("Assess", Scheme="OAP", As_of=calendar.today())
    run = registrar.address
    room.work()
    registrar.open(run).press("Enrol")
    room.work()
    registrar.open("/").follow("Enrolments")
    assert "P-000-000-" in registrar.text


def instruct(room: Office) -> str:
    """The payment officer prepares, the approver approves; returns the instructions as CSV."""
    payer = room.at(office.PAYER).open("/").follow("Cycles").follow("Open a cycle")
    payer.press("Open the cycle", Scheme="OAP", Month=str(month()))
    cycle = payer.address
    payer.press("Compute entitlements")
    room.work()
    payer.open(cycle).press("Submit for approval")
    assert "Check and approve" not in payer.links()
    approver = room.at(office.APPROVER).open("/")
    approver.follow("Waiting for me").open(cycle).follow("Check and approve").press("Approve")
    payer.open(cycle).press("Export instructions")
    room.work()
    payer.open(cycle).press("List (CSV)")
    assert payer.answer is not None
    sent = payer.answer.text
    payer.open(cycle)
    return sent


def reconcile(room: Office, sent: str) -> None:
    payer = room.at(office.PAYER)
    cycle = payer.address
    answer = provider.answer(sent, paid_on=calendar.today(), seed=1)
    payer.press("Take it in", File_from_the_provider=("answer.csv", answer))
    room.work()
    payer.open(cycle).press("Reconcile")
    assert "Resolve exceptions" in payer.text
    payer.follow("Resolve exceptions").open_row(provider.STRANGER)
    payer.press("Resolve", What_was_found_out="It belongs to another client of the bank.")
    payer.open(cycle).press("Close")
    assert "Closed" in payer.text


def complain(room: Office) -> None:
    """Somebody who was not paid complains at the enrolment office; a grievance officer answers, and it acts."""
    payer = room.at(office.PAYER).open("/").follow("Payments").press("Filter", State="rejected")
    payer.open_row("Rejected")
    payment, reference = payer.address, payer.page.findtext(".//h1").strip()
    (person,) = payer.page.xpath("//main//a[contains(@href, '/registry/persons/')]/@href")
    counter = room.at(office.CASEWORKER).open(person).follow("Lodge a grievance").follow(reference)
    counter.press(
        "Lodge the grievance",
        category="payment_not_received",
        description="I was told at the pay point that nothing has come.",
        name="Somebody at the counter",
    )
    counter.follow("Open the case")
    case = counter.address
    counter.press("Acknowledge")
    counter.open(case).follow("Assign")
    counter.press("Give the case", user=_option(counter, "user", office.SECOND_CASEWORKER.name))
    second = room.at(office.SECOND_CASEWORKER).open("/").follow("Waiting for me").open(case)
    second.follow("Resolve")
    second.press(
        "Answer and carry out the remedy",
        finding="upheld",
        decision="The payment came back. You are paid with the next one.",
        remedy="pay_again",
    )
    assert "The next cycle pays" in second.text
    second.follow("Letter")
    assert "You are paid with the next one." in second.text
    payer.open(payment)
    assert "Pay with the next cycle" not in payer.buttons(), "It is asked for once, and not twice."


def _option(visitor: Visitor, name: str, words: str) -> str:
    """The value of the choice with these words."""
    (option,) = visitor.page.xpath(
        "//select[@name=$name]/option[contains(., $words)]", name=name, words=words
    )
    return str(option.get("value"))


def audit(room: Office) -> None:
    """The auditor sees everything, finds the trail whole, and has nothing to press that changes anything."""
    auditor = room.at(office.AUDITOR)
    for place in ("Persons", "Lists", "Schemes", "Enrolments", "Cycles", "Grievances"):
        auditor.open("/").follow(place)
    auditor.open("/audit/").open("/payments/cycles/1/check", status=403)


def test_a_roster_becomes_a_reconciled_payment_and_a_grievance_is_answered(room: Office, tmp_path: Path):
    bring_roster(room, tmp_path)
    publish_pension(room)
    enrol(room)
    sent = instruct(room)
    assert len(list(csv.DictReader(io.StringIO(sent)))) > 5
    reconcile(room, sent)
    complain(room)
    audit(room)
