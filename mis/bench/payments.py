"""Payments: a cycle computed and exported, against one hand-written statement and one plain loop over a cursor."""

from __future__ import annotations

from xml.sax.saxutils import escape

import sqlalchemy as sa

from mis import settings
from mis.bench import office
from mis.bench.measuring import Result, bare_copy, measure, populate, working
from mis.calendar import Month, now
from mis.db import freshen
from payments import approval, disbursement, payroll, scheduling

MONTH = Month(2026, 1)

# Everybody is enrolled, so that as many are paid as there are persons.
_ENROL = """
INSERT INTO enrolment (scheme_id, person_id, household_id, amount_minor, currency, valid_from, enrolled_at, area_id,
                       status, version, round)
SELECT :scheme, p.id, m.household_id, 15000, 'XTS', :day, :at, p.area_id, 'active', 1, 1
FROM person p JOIN membership m ON m.person_id = p.id
"""

_BY_HAND = """
INSERT INTO bare_entitlement (cycle_id, enrolment_id, person_id, area_id, month, kind, amount_minor, currency)
SELECT 1, e.id, e.person_id, e.area_id, :month, 'regular', e.amount_minor, e.currency
FROM enrolment e JOIN person p ON p.id = e.person_id
WHERE e.status = 'active' AND e.amount_minor IS NOT NULL AND (p.death_date IS NULL OR p.death_date >= :day)
"""


def cases(persons: int) -> list[Result]:
    """Compute a cycle, then export it."""
    populate(persons)
    scheme_id = office.publish("old_age_pension.yaml").id
    with working() as session:
        enrol = sa.text(_ENROL).bindparams(
            sa.bindparam("day", type_=sa.Date()), sa.bindparam("at", type_=sa.DateTime(timezone=True))
        )
        session.connection().execute(enrol, {"scheme": scheme_id, "day": office.DAY, "at": now()})
        freshen("enrolment")
    bare_copy("entitlement")
    computed = measure(
        "compute a cycle: entitlements, reasons, totals, fingerprints",
        persons=persons,
        ours=_compute,
        baseline=_by_hand,
    )
    with office.at_work("officer"):
        approval.take(scheduling.named("OAP", MONTH), "submit")
    with office.at_work("approver"):
        approval.take(scheduling.named("OAP", MONTH), "approve")
    exported = measure(
        "export a cycle: payments, events, pain.001 and CSV, validated",
        persons=persons,
        ours=_export,
        baseline=_write_by_hand,
    )
    return [computed, exported]


def _compute() -> None:
    with office.at_work("officer"):
        cycle = scheduling.open_cycle(scheduling.scheme_named("OAP"), MONTH, at=now())
        job_id = payroll.begin(cycle).id
    office.finish(job_id)


def _by_hand() -> None:
    with working() as session:
        by_hand = sa.text(_BY_HAND).bindparams(sa.bindparam("day", type_=sa.Date()))
        session.execute(by_hand, {"month": str(MONTH), "day": MONTH.first_day})


def _export() -> None:
    with office.at_work("officer"):
        job_id = disbursement.begin(scheduling.named("OAP", MONTH), at=now()).id
    office.finish(job_id)


def _write_by_hand() -> None:
    """One line of XML for each entitlement, as a script would do it."""
    path = settings.current().instance_path("bench.xml")
    query = sa.text(
        "SELECT b.enrolment_id, b.amount_minor, p.given_name, p.family_name FROM bare_entitlement b "
        "JOIN person p ON p.id = b.person_id ORDER BY b.enrolment_id"
    ).execution_options(yield_per=5_000)
    with working() as session, path.open("w", encoding="utf-8") as file:
        for number, minor, given, family in session.execute(query):
            file.write(
                f"<CdtTrfTxInf><PmtId><EndToEndId>{number}</EndToEndId></PmtId><Amt><InstdAmt Ccy='XTS'>"
                f"{minor // 100}.{minor % 100:02d}</InstdAmt></Amt>"
                f"<Cdtr><Nm>{escape(f'{given} {family}')}</Nm></Cdtr></CdtTrfTxInf>\n"
            )
    path.unlink()
