"""The payments of the demo: accounts, cycles run to their end, holds, and one cycle that waits for approval."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa

from eligibility.models import Enrolment, Scheme
from mis.calendar import Month, today
from mis.db import db
from mis.demo import office, provider
from payments import (
    accounts,
    answers,
    approval,
    disbursement,
    exceptions,
    filing,
    holds,
    payroll,
    reconciliation,
    scheduling,
    totals,
)
from payments.models import Payment, PaymentState
from registry.models import Person

PREPARE = scheduling.PREPARE
_EVERY_HOW_MANYTH = 3  # enrolled person has an account; all others are paid in cash
_WAITING_ACCOUNTS = 4
_WALLETS_FROM = 70_200_000_000


@dataclass(frozen=True)
class Paid:
    """What became of a cycle."""

    payments: int
    rejected: int


def open_accounts(scheme_code: str, *, day: date, at: datetime) -> int:
    """Propose accounts for some of the enrolled and confirm them as another person; a few stay proposed."""
    with office.at_work(office.REGISTRAR, accounts.PROPOSE, day=day):
        people = _enrolled(scheme_code)[::_EVERY_HOW_MANYTH]
        proposed = [_propose(person, number, at=at) for number, person in enumerate(people)]
    confirmed = proposed[:-_WAITING_ACCOUNTS]
    with office.at_work(office.PAYER, accounts.CONFIRM, day=day):
        for account_id in confirmed:
            accounts.confirm(accounts.get(account_id))
    return len(confirmed)


def compute(scheme_code: str, month: Month, *, day: date, at: datetime) -> None:
    """Open the cycle of a month and compute it."""
    with office.at_work(office.PAYER, PREPARE, day=day):
        scheduling.open_cycle(scheduling.scheme_named(scheme_code), month, at=at)
    with office.at_work(office.PAYER, PREPARE, day=day):
        job_id = payroll.begin(scheduling.named(scheme_code, month)).id
    office.finish(job_id)


def submit(scheme_code: str, month: Month, *, day: date) -> int:
    """Submit a computed cycle for approval; returns how many it would pay."""
    with office.at_work(office.PAYER, PREPARE, day=day):
        cycle = approval.take(scheduling.named(scheme_code, month), "submit")
        return totals.of(cycle)["payable"].count


def pay(scheme_code: str, month: Month, *, day: date, at: datetime) -> Paid:
    """Run the cycle of a month from its opening to its closing."""
    compute(scheme_code, month, day=day, at=at)
    submit(scheme_code, month, day=day)
    with office.at_work(office.APPROVER, "payments:cycle:approve", day=day):
        approval.take(scheduling.named(scheme_code, month), "approve")
    with office.at_work(office.PAYER, disbursement.EXPORT, day=day):
        job_id = disbursement.begin(scheduling.named(scheme_code, month), at=at).id
    office.finish(job_id)
    _take_answer(scheme_code, month, day=day, at=at)
    with office.at_work(office.PAYER, exceptions.RESOLVE, day=day):
        for line in db.session.scalars(exceptions.of_cycle(scheduling.named(scheme_code, month))).all():
            exceptions.resolve(line, note="The provider meant another client; it withdrew the line.", at=at)
    with office.at_work(office.PAYER, answers.RECONCILE, day=day):
        reconciliation.reconcile(scheduling.named(scheme_code, month), at=at)
    with office.at_work(office.PAYER, "payments:cycle:close", day=day):
        reconciliation.close(scheduling.named(scheme_code, month))
    with db.unit_of_work(read_only=True):
        states = reconciliation.states(scheduling.named(scheme_code, month))
    return Paid(sum(figure.count for figure in states.values()), states["rejected"].count)


def place_holds(scheme_code: str, *, count: int, day: date, at: datetime) -> int:
    """Hold the payments to a few of the enrolled, each for a reason."""
    reasons = (
        "The payee did not come to the last two pay days; a home visit is asked for.",
        "The neighbours say that the person has moved away.",
        "The date of birth is being checked with the civil register.",
    )
    with office.at_work(office.PAYER, holds.PLACE, day=day):
        scheme = scheduling.scheme_named(scheme_code)
        people = _enrolled(scheme_code)[7 : 7 + 11 * count : 11]
        for number, person in enumerate(people):
            holds.place(
                holds.enrolment_of(person.id, scheme),
                reason=reasons[number % len(reasons)],
                day=day,
                at=at,
            )
        return len(people)


def rejected(scheme_code: str, month: Month) -> list[int]:
    """The payments of a cycle that the provider has rejected. Needs a unit of work."""
    cycle = scheduling.named(scheme_code, month)
    return list(
        db.session.scalars(
            sa.select(Payment.id)
            .join(PaymentState, PaymentState.payment_id == Payment.id)
            .where(Payment.cycle_id == cycle.id, PaymentState.status == "rejected")
            .order_by(Payment.id)
        )
    )


def _take_answer(scheme_code: str, month: Month, *, day: date, at: datetime) -> None:
    with office.at_work(office.PAYER, disbursement.EXPORT, day=day):
        path = filing.fetch(scheduling.named(scheme_code, month), "csv", to="the provider of the demo")
        sent = path.read_text(encoding="utf-8")
    paid_on = min(month.last_day, today())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"answer-{scheme_code}-{month}.csv")
        file.write_bytes(provider.answer(sent, paid_on=paid_on, seed=month.number))
        with office.at_work(office.PAYER, answers.RECONCILE, day=day):
            received = answers.receive(scheduling.named(scheme_code, month), file, name=file.name, at=at)
            job_id = received.job_id
    office.finish(job_id)


def _enrolled(scheme_code: str) -> Sequence[Person]:
    return db.session.scalars(
        sa.select(Person)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .join(Scheme, Scheme.id == Enrolment.scheme_id)
        .where(Scheme.code == scheme_code, Enrolment.status == "active")
        .order_by(Person.id)
    ).all()


def _propose(person: Person, number: int, *, at: datetime) -> int:
    wallet = number % 2 == 0
    return accounts.propose(
        person,
        kind="mobile" if wallet else "bank_account",
        number=f"+{_WALLETS_FROM + number}" if wallet else f"{4_000_000 + number * 37:010d}",
        institution="Sample Wallet" if wallet else "First Bank of Sample",
        at=at,
    ).id
