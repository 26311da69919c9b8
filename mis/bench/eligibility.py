"""Eligibility: everybody decided and stored with reasons, facts and audit, against one hand-written statement."""

from __future__ import annotations

import sqlalchemy as sa

from eligibility import assessment, publishing
from mis.bench import office
from mis.bench.measuring import Result, bare_copy, measure, populate, working
from mis.calendar import now
from mis.db import db

# The same rows by hand: of age by 65, or not, or not known, with the masks, the amount and the facts that were used.
_BY_HAND = """
INSERT INTO bare_determination
    (run_id, person_id, household_id, area_id, outcome, fail_mask, unknown_mask, amount_minor, facts)
SELECT 1, p.id, m.household_id, p.area_id,
       CASE WHEN p.birth_date > :cutoff THEN 'not_eligible' WHEN p.birth_date IS NULL THEN 'undetermined'
            ELSE 'eligible' END,
       CASE WHEN p.birth_date > :cutoff THEN 1 ELSE 0 END, CASE WHEN p.birth_date IS NULL THEN 1 ELSE 0 END,
       CASE WHEN p.birth_date <= :cutoff THEN 15000 END, JSON_OBJECT('person.birth_date', p.birth_date)
FROM person p JOIN membership m ON m.person_id = p.id
WHERE m.valid_from <= :day AND (m.valid_to IS NULL OR m.valid_to > :day)
  AND (p.death_date IS NULL OR p.death_date > :day)
"""


def cases(persons: int) -> list[Result]:
    """Assess the pension."""
    populate(persons)
    office.publish("old_age_pension.yaml")
    bare_copy("determination")
    return [
        measure(
            "assess the old-age pension: decide everybody, store reasons, facts and fingerprints",
            persons=persons,
            ours=_assess,
            baseline=_by_hand,
        )
    ]


def _assess() -> None:
    with office.at_work("officer"):
        scheme = publishing.scheme_coded("OAP")
        job_id = assessment.ask(scheme, office.DAY, at=now()).job.id
    office.finish(job_id)


def _by_hand() -> None:
    cutoff = office.DAY.replace(year=office.DAY.year - 65)
    days = [sa.bindparam(name, type_=sa.Date()) for name in ("day", "cutoff")]
    with working() as session:
        to_json = "jsonb_build_object" if db.dialect == "postgresql" else "json_object"
        by_hand = sa.text(_BY_HAND.replace("JSON_OBJECT", to_json)).bindparams(*days)
        session.execute(by_hand, {"day": office.DAY, "cutoff": cutoff})
