"""Lists from elsewhere, for tests: brought, read and accepted as people would, each step its own unit of work."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from mis import access, acting, jobs
from mis.acting import Actor, Grant
from mis.db import db
from registry.importing import accepting, mapping, reporting, staging
from registry.models import ImportBatch

AT = datetime(2024, 1, 2, 9, 0, tzinfo=UTC)
ANNA, BOB = (Actor(None, name, name, "test", (Grant(("*",), None),)) for name in ("anna", "bob"))

VLSS_HEADER = (
    "household_no,head_sex,head_age_years,head_schooling_years,head_is_farmer,urban,household_size,"
    "ln_total_expenditure,ln_medical_expenditure,ln_food_expenditure,ln_health_expenditure_12m,commune_no"
)
FEBRL_HEADER = (
    "rec_id,given_name,surname,"
    "street_number,address_1,address_2,suburb,postcode,state,date_of_birth,soc_sec_id"
)

MEMBERS = """
title: Members
source: members
unit: member
reference_date: 2023-06-30
key: { household: "{house}", person: "{house}-{line}" }
area: { code: "D{district}", create: true }
person:
  given_name: { column: name, required: true }
  relationship: { column: relation, values: { "1": head, "2": spouse, "3": child } }
  birth: born
  facts: { seeing: { column: sight, missing: ["9"] } }
household:
  facts: { rooms: rooms }
phones: [phone]
"""
MEMBERS_HEADER = "house,line,name,relation,born,sight,rooms,district,phone"


def vlss(*lines: str) -> str:
    """A list as the shipped household mapping reads it."""
    return "\n".join((VLSS_HEADER, *lines)) + "\n"


def vlss_row(no: int, *, age: int = 68, commune: int = 1, sex: str = "female") -> str:
    """One household of such a list."""
    return f"VN{no:04},{sex},{age},4.0,no,yes,6,10.13649,11.23321,8.639339,11.23321,{commune}"


def bring(
    content: str | bytes,
    mapping_text: str = "vlss_households.yaml",
    *,
    by: Actor = ANNA,
    area_id: int | None = None,
) -> dict[str, Any]:
    """Bring a file and let it be read; the summary, with `again`."""
    text = mapping.shipped().get(mapping_text, mapping_text)
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    with acting.acting(by), db.unit_of_work(), access.within(staging.PERMISSION):
        begun = staging.begin(
            file, file_name="list.csv", mapping_text=text, mapping_name="mapping.yaml", at=AT, area_id=area_id
        )
        number, job_id = begun.batch.id, begun.job_id
    if job_id is not None:
        job = jobs.run_now(job_id)
        assert job.status == jobs.DONE, job.error
    return summary(number) | {"again": begun.again}


def accept(number: int, *, by: Actor = BOB) -> dict[str, Any]:
    """Let a second person accept a batch, and register it; the summary."""
    with acting.acting(by), db.unit_of_work() as session, access.within(accepting.PERMISSION):
        job_id = accepting.accept(session.get_one(ImportBatch, number)).id
    job = jobs.run_now(job_id)
    assert job.status == jobs.DONE, job.error
    return summary(number)


def summary(number: int) -> dict[str, Any]:
    """What became of a batch."""
    with db.unit_of_work(read_only=True):
        return reporting.summary(reporting.batch(number))
