"""An office for the tests of grievances: two districts, officers in them, and the steps a case goes through."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, cast

from grievances import casework, intake
from grievances.deadlines import WorkingDays
from grievances.intake import Complainant, Lodged
from grievances.models import Grievance
from mis.accounts.models import User
from registry.models import Area, Person
from tests.factories.grievances import GrievanceFactory
from tests.factories.registry import AreaFactory, PersonFactory
from tests.mis.accounts.people import make_areas, make_user

MONDAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OFFICE = WorkingDays()


def staff() -> tuple[dict[str, int], dict[str, User]]:
    """A country of two districts; two grievance officers in the first, one in the second, and others."""
    areas = make_areas()
    people = {
        "gina": make_user("gina.oduya", "grievance_officer", area_id=areas["XX1"]),
        "hugo": make_user("hugo.mensah", "grievance_officer", area_id=areas["XX1"]),
        "ines": make_user("ines.paulo", "grievance_officer", area_id=areas["XX2"]),
        "enno": make_user("enno.bah", "enrolment_officer", area_id=areas["XX1"]),
        "pia": make_user("pia.kone", "payment_officer"),
        "audi": make_user("audi.tor", "auditor"),
    }
    return areas, people


def lodged(area_id: int, category: str = "service_quality", **more: Any) -> Lodged:
    """A grievance about service in general, lodged on a Monday by a person with a name."""
    given: dict[str, Any] = {
        "channel": "office",
        "received_on": MONDAY,
        "at": AT,
        "office": OFFICE,
        "area_id": area_id,
        "complainant": Complainant("Awa Diallo"),
    }
    return intake.lodge(category, "The office was closed on market day.", **given | more)


def answer(grievance: Grievance, *, day: date = MONDAY, **more: Any) -> None:
    """Acknowledge the case if need be, and answer it, not upheld and without remedy unless `more` says otherwise."""
    if grievance.status == "lodged":
        casework.acknowledge(grievance, day=day)
    given: dict[str, Any] = {"finding": "not_upheld", "decision": "The office was open.", "remedy": "none"}
    casework.resolve(grievance, day=day, at=AT, office=OFFICE, **given | more)


def a_grievance(**traits: Any) -> Grievance:
    """A grievance of the factory."""
    return cast(Grievance, GrievanceFactory(**traits))


def a_person(**traits: Any) -> Person:
    """A person of the factory."""
    return cast(Person, PersonFactory(**traits))


def an_area(**traits: Any) -> Area:
    """An area of the factory."""
    return cast(Area, AreaFactory(**traits))
