"""Where a person is paid: a bank account, a mobile wallet, or cash at a pay point. Changed by two people."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mis import sealed
from mis.db import Base, primary_key
from mis.states import HasLifecycle, Lifecycle, Step
from registry.models import Person

ACCOUNT_KINDS = ("iban", "bank_account", "mobile", "cash")

account_lifecycle = Lifecycle(
    "payment_account",
    noun="payment account",
    initial="proposed",
    statuses={"proposed": "Waiting for confirmation", "confirmed": "Confirmed", "closed": "Closed"},
    steps=(
        Step(
            "confirm",
            "Confirm",
            ("proposed",),
            "confirmed",
            "payments:account:confirm",
            four_eyes=True,
            stamps="confirmed_by_id",
        ),
        Step("replace", "Replace by another account", ("confirmed",), "closed", "payments:account:confirm"),
        Step(
            "close",
            "Close",
            ("proposed", "confirmed"),
            "closed",
            "payments:account:propose",
            reason="required",
        ),
    ),
)

_CONFIRMED = sa.text("status = 'confirmed'")


class PaymentAccount(HasLifecycle, Base):
    """A way to pay one person. Only a confirmed account is paid into; there is one at a time."""

    __tablename__ = "payment_account"
    __table_args__ = (
        sa.CheckConstraint(
            "kind IN ('iban', 'bank_account', 'mobile', 'cash')", name="an_account_has_a_kind"
        ),
        sa.CheckConstraint(
            "confirmed_by_id <> proposed_by_id", name="an_account_is_confirmed_by_a_second_person"
        ),
        sa.Index(
            "one_confirmed_account_per_person",
            "person_id",
            unique=True,
            sqlite_where=_CONFIRMED,
            postgresql_where=_CONFIRMED,
        ),
        sa.Index("ix_payment_account_number_blind", "number_blind"),
    )
    lifecycle = account_lifecycle

    id: Mapped[int] = primary_key()
    uid: Mapped[str] = sealed.row_uid()
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    kind: Mapped[str]
    institution: Mapped[str | None]
    number_sealed: Mapped[bytes | None]
    number_blind: Mapped[str | None]
    number_hint: Mapped[str | None]
    proposed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    confirmed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    created_at: Mapped[datetime]

    number = sealed.Sealed("number", normalise=sealed.compact)
    person: Mapped[Person] = relationship(lazy="raise")
