"""What is stored of grievances: the case, its notes, its remedy; and who may see a sensitive one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, ORMExecuteState, mapped_column, relationship, with_loader_criteria

from eligibility.models import Determination, Enrolment
from mis import access, audit, sealed
from mis.access import InArea
from mis.accounts.models import User
from mis.db import Base, Json, MisSession, primary_key
from mis.states import HasLifecycle, Lifecycle, Step
from payments.models import Payment
from registry.models import Person

REMEDIES = ("none", "place_hold", "release_hold", "reassess", "pay_again")
FINDINGS = ("upheld", "partly_upheld", "not_upheld")
SENSITIVE = "grievances:case:sensitive"
# Cases that still wait for an answer.
OPEN = ("lodged", "acknowledged", "assigned")

grievance_lifecycle = Lifecycle(
    "grievance",
    noun="grievance",
    initial="lodged",
    statuses={
        "lodged": "Lodged",
        "acknowledged": "Acknowledged",
        "assigned": "Assigned",
        "resolved": "Resolved",
        "appealed": "Appealed",
        "closed": "Closed",
    },
    steps=(
        Step("acknowledge", "Acknowledge", ("lodged",), "acknowledged", "grievances:case:work"),
        Step("assign", "Assign", ("acknowledged", "assigned"), "assigned", "grievances:case:work"),
        Step(
            "resolve",
            "Resolve",
            ("acknowledged", "assigned"),
            "resolved",
            "grievances:case:resolve",
            reason="required",
            stamps="resolved_by_id",
        ),
        Step("close", "Close", ("resolved",), "closed", "grievances:case:resolve"),
        # The right of appeal outlives the closing of the file.
        Step(
            "appeal",
            "Lodge an appeal",
            ("resolved", "closed"),
            "appealed",
            "grievances:case:lodge",
            reason="required",
        ),
    ),
)


class Grievance(InArea, HasLifecycle, Base):
    """A complaint or an appeal, against a person's record, a decision or a payment, or about service in general.

    An anonymous one has no complainant; its reference with the word given at lodging (stored as a hash) lets its author
    ask what became of it. An appeal is a grievance of its own that points at the first (`appeal_of_id`) and is resolved
    by another person; `late_because` is the reason why one that came too late is heard all the same.
    """

    __tablename__ = "grievance"
    __table_args__ = (
        sa.CheckConstraint(
            "NOT (anonymous AND (complainant_name IS NOT NULL OR phone_sealed IS NOT NULL))",
            name="the_anonymous_have_no_name",
        ),
        sa.CheckConstraint("appeal_of_id <> id", name="a_grievance_is_not_its_own_appeal"),
        sa.CheckConstraint(
            "status NOT IN ('resolved', 'appealed', 'closed') OR "
            "(decision IS NOT NULL AND finding IS NOT NULL AND remedy IS NOT NULL AND appeal_by IS NOT NULL)",
            name="what_is_resolved_has_a_decision",
        ),
        sa.CheckConstraint(
            "status <> 'assigned' OR assigned_to_id IS NOT NULL", name="what_is_assigned_has_somebody"
        ),
        sa.Index("one_appeal_per_grievance", "appeal_of_id", unique=True),
        sa.Index("ix_grievance_due_on", "status", "due_on"),
    )
    lifecycle = grievance_lifecycle

    id: Mapped[int] = primary_key()
    uid: Mapped[str] = sealed.row_uid()
    category: Mapped[str]
    sensitive: Mapped[bool] = mapped_column(default=False)
    channel: Mapped[str]
    description: Mapped[str]
    anonymous: Mapped[bool] = mapped_column(default=False)
    complainant_name: Mapped[str | None]
    phone_sealed: Mapped[bytes | None]
    phone_blind: Mapped[str | None] = mapped_column(index=True)
    phone_hint: Mapped[str | None]
    word_hash: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    determination_id: Mapped[int | None] = mapped_column(sa.ForeignKey("determination.id"), index=True)
    enrolment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("enrolment.id"), index=True)
    payment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payment.id"), index=True)
    received_on: Mapped[date]
    acknowledge_by: Mapped[date]
    due_on: Mapped[date]
    acknowledged_on: Mapped[date | None]
    appeal_by: Mapped[date | None]
    late_because: Mapped[str | None]
    assigned_to_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"), index=True)
    lodged_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    resolved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    resolved_on: Mapped[date | None]
    finding: Mapped[str | None]
    decision: Mapped[str | None]
    remedy: Mapped[str | None]
    remedy_result: Mapped[dict[str, Any] | None] = mapped_column(Json)
    appeal_of_id: Mapped[int | None] = mapped_column(sa.ForeignKey("grievance.id"))
    lodged_at: Mapped[datetime]

    phone = sealed.Sealed("phone", normalise=sealed.compact)
    person: Mapped[Person | None] = relationship(lazy="raise")
    determination: Mapped[Determination | None] = relationship(lazy="raise")
    enrolment: Mapped[Enrolment | None] = relationship(lazy="raise")
    payment: Mapped[Payment | None] = relationship(lazy="raise")
    assigned_to: Mapped[User | None] = relationship(lazy="raise", foreign_keys=[assigned_to_id])
    notes: Mapped[list[CaseNote]] = relationship(
        back_populates="grievance", lazy="raise", order_by="CaseNote.id"
    )
    appeal_of: Mapped[Grievance | None] = relationship(remote_side=[id], lazy="raise")

    @property
    def is_open(self) -> bool:
        """Whether it still waits for an answer."""
        return self.status in OPEN


class CaseNote(Base):
    """What an officer found or did. Append-only."""

    __tablename__ = "case_note"

    id: Mapped[int] = primary_key()
    grievance_id: Mapped[int] = mapped_column(sa.ForeignKey("grievance.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    author_name: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]

    grievance: Mapped[Grievance] = relationship(back_populates="notes", lazy="raise")


class PublicTry(Base):
    """One use of a page that needs no sign-in, counted by its network address so that nobody floods or guesses."""

    __tablename__ = "public_try"
    __audit__ = False  # It only counts; what was lodged is audited itself. The address is kept as a code.
    __table_args__ = (sa.Index("ix_public_try_counted", "kind", "address_blind", "at"),)

    id: Mapped[int] = primary_key()
    kind: Mapped[str]
    address_blind: Mapped[str]
    at: Mapped[datetime]


audit.append_only(CaseNote.__table__)


def visible() -> sa.ColumnElement[bool]:
    """Cases that the one who acts may know of: sensitive ones only where he or she holds the permission for them."""
    areas = access.areas_of(SENSITIVE)
    if areas is None:
        return sa.true()
    hidden = Grievance.sensitive.is_(False)
    if not areas:
        return hidden
    below = sa.select(access.closure.c.descendant_id).where(access.closure.c.ancestor_id.in_(sorted(areas)))
    return sa.or_(hidden, Grievance.area_id.in_(below))


@event.listens_for(MisSession, "do_orm_execute")
def _hide_sensitive(state: ORMExecuteState) -> None:
    # In the session and not in each query: a list that forgot it would tell whom a complaint is about.
    if state.is_column_load or not (state.is_select or state.is_update or state.is_delete):
        return
    if access.areas_of(SENSITIVE) is not None:
        state.statement = state.statement.options(
            with_loader_criteria(Grievance, visible(), include_aliases=True)
        )
