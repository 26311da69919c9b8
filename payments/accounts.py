"""Where people are paid: an account is proposed by one person and confirmed by another; its number is sealed.

A confirmed account never changes. A new one replaces it on confirmation, except while a file that names it is being
made: the list that was approved is the list that is paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from stdnum import iban
from stdnum.exceptions import ValidationError

from mis import access, acting, sealed
from mis.db import db
from mis.errors import Conflict, Invalid, Missing
from payments import filing, scheduling
from payments.models import Cycle, Entitlement, PaymentAccount, account_lifecycle
from payments.models.accounts import ACCOUNT_KINDS
from payments.models.entitlements import CarryOver
from payments.providers.instructions import AccountKind, Instruction, check
from registry.models import Person

PROPOSE, CONFIRM, REVEAL = "payments:account:propose", "payments:account:confirm", "payments:account:reveal"


def propose(
    person: Person, *, kind: str, number: str | None, institution: str | None, at: datetime
) -> PaymentAccount:
    """Propose an account for a person; another person confirms it.

    Raises Invalid with the field for a number or institution that no provider can pay to, Conflict if the same account
    of the person is there already.
    """
    access.need(PROPOSE)
    if kind not in ACCOUNT_KINDS:
        raise Invalid(f"An account is one of: {', '.join(ACCOUNT_KINDS)}.", field="kind")
    written = sealed.compact(number or "")
    if kind == "iban":
        written = _iban(written)
    _check_payable(kind, written, institution)
    if written:
        _need_new(person, kind, written)
    account = PaymentAccount(
        person_id=person.id,
        kind=kind,
        institution=(institution or "").strip() or None,
        proposed_by_id=acting.current().user_id,
        created_at=at,
    )
    account.number = written or None
    db.session.add(account)
    db.session.flush()
    return account


def confirm(account: PaymentAccount) -> None:
    """Confirm a proposed account, as a second person; the one that was confirmed before is replaced.

    Raises Forbidden for whoever proposed it, Conflict in another state, or while a payment file is being made.
    """
    _need_no_export(account)
    account = _locked(account)
    before = confirmed_of(account.person_id)
    if before is not None and before.id != account.id and account.status == "proposed":
        account_lifecycle.take(before, "replace")
    account_lifecycle.take(account, "confirm")


def close(account: PaymentAccount, *, reason: str) -> None:
    """Close an account. Raises Invalid without a reason, Conflict if it is closed, or while a payment file is made."""
    _need_no_export(account)
    account = _locked(account)
    account_lifecycle.take(account, "close", reason=reason)


def reveal(account: PaymentAccount, *, purpose: str) -> str:
    """The full number, for a person who says what for; it is recorded who looked."""
    access.need(REVEAL)
    return sealed.reveal(account, "number", purpose=purpose)


def get(account_id: int) -> PaymentAccount:
    """The account with this number, if its person is in the areas seen here. Raises Missing."""
    account = db.session.scalar(
        sa.select(PaymentAccount)
        .join(Person, Person.id == PaymentAccount.person_id)
        .where(PaymentAccount.id == account_id)
    )
    if account is None:
        raise Missing(f"There is no payment account number {account_id}.")
    return account


def of_person(person_id: int) -> Sequence[PaymentAccount]:
    """The accounts of a person, the newest first."""
    found = sa.select(PaymentAccount).where(PaymentAccount.person_id == person_id)
    return db.session.scalars(found.order_by(PaymentAccount.id.desc())).all()


def confirmed_of(person_id: int) -> PaymentAccount | None:
    """The account that the person is paid into."""
    found = sa.select(PaymentAccount).where(
        PaymentAccount.person_id == person_id, PaymentAccount.status == "confirmed"
    )
    return db.session.scalar(found)


def _iban(number: str) -> str:
    try:
        return str(iban.validate(number))
    except ValidationError:
        raise Invalid(
            "This is not a valid IBAN: a digit is wrong or missing. Read it again from the card or the letter.",
            field="number",
        ) from None


def _check_payable(kind: str, number: str, institution: str | None) -> None:
    """What no provider can pay is refused here, so that no approved file is refused there."""
    if kind != "cash" and not number:
        raise Invalid("Write the number of the account.", field="number")
    bic, code = filing.institution_codes(institution)
    line = Instruction(
        end_to_end_id="CHECK",
        amount_minor=1,
        name="",
        account_kind=AccountKind(kind),
        account=number,
        agent_bic=bic,
        agent_clearing_code=code,
    )
    try:
        check(line)
    except Invalid as refusal:
        names = {"account": "number", "agent_bic": "institution", "agent_clearing_code": "institution"}
        sentence = refusal.sentence.replace(
            "Payment CHECK cannot be instructed", "Nothing can be paid to this account"
        )
        raise Invalid(sentence, field=names.get(refusal.field or "", refusal.field)) from None


def _need_new(person: Person, kind: str, number: str) -> None:
    same = sa.select(PaymentAccount.id).where(
        PaymentAccount.person_id == person.id,
        PaymentAccount.kind == kind,
        PaymentAccount.status != "closed",
        sealed.matching(PaymentAccount, "number", number),
    )
    if db.session.scalar(same) is not None:
        raise Conflict("This account of the person is recorded already.", field="number")


def _locked(account: PaymentAccount) -> PaymentAccount:
    query = sa.select(PaymentAccount).where(PaymentAccount.id == account.id).with_for_update()
    return db.session.scalars(query, execution_options={"populate_existing": True}).one()


_MAY_EXPORT = ("submitted", "approved", "exporting")


def _need_no_export(account: PaymentAccount) -> None:
    own = sa.select(Entitlement.cycle_id).where(Entitlement.person_id == account.person_id)
    carried = (
        sa.select(CarryOver.cycle_id)
        .join(Entitlement, Entitlement.id == CarryOver.entitlement_id)
        .where(Entitlement.person_id == account.person_id, CarryOver.cycle_id.is_not(None))
    )
    naming = sa.select(Cycle).where(
        Cycle.status.in_(_MAY_EXPORT), sa.or_(Cycle.id.in_(own), Cycle.id.in_(carried))
    )
    # Everywhere: what is due to the person may have arisen in another area.
    with access.seeing(None):
        named = db.session.scalars(naming.order_by(Cycle.id)).all()
    # Locked, then looked at: an export that begins now waits for us, and sees the account as we leave it.
    if any(scheduling.lock(cycle).status == "exporting" for cycle in named):
        raise Conflict(
            "A payment file that names this person is being made at this moment.",
            instead="Try again in some minutes.",
        )
