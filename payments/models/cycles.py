"""Payment cycles: one scheme, one month, from the first computation to the closing."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from eligibility.models import Scheme
from mis.calendar import Month
from mis.db import Base, primary_key
from mis.states import HasLifecycle, Lifecycle, Step

cycle_lifecycle = Lifecycle(
    "cycle",
    noun="payment cycle",
    initial="open",
    statuses={
        "open": "Open",
        "computing": "Being computed",
        "computed": "Computed",
        "submitted": "Waiting for approval",
        "approved": "Approved",
        "exporting": "Being exported",
        "exported": "With the provider",
        "reconciled": "Reconciled",
        "closed": "Closed",
        "aborted": "Aborted",
    },
    steps=(
        Step("compute", "Compute entitlements", ("open", "computed"), "computing", "payments:cycle:prepare"),
        Step("computed", "Finish computing", ("computing",), "computed", "payments:cycle:prepare"),
        Step("compute_failed", "Give up computing", ("computing",), "open", "payments:cycle:prepare"),
        Step(
            "submit",
            "Submit for approval",
            ("computed",),
            "submitted",
            "payments:cycle:prepare",
            submits=True,
            stamps="submitted_by_id",
        ),
        Step(
            # Also from approved: what changed since (a hold, a closed account) must be able to stop the export.
            "return",
            "Send back",
            ("submitted", "approved"),
            "computed",
            "payments:cycle:approve",
            reason="required",
            new_round=True,
        ),
        Step(
            "approve",
            "Approve",
            ("submitted",),
            "approved",
            "payments:cycle:approve",
            four_eyes=True,
            bound=True,
            stamps="approved_by_id",
        ),
        Step(
            "export", "Export instructions", ("approved",), "exporting", "payments:cycle:export", bound=True
        ),
        Step("exported", "Finish exporting", ("exporting",), "exported", "payments:cycle:export"),
        Step("export_failed", "Give up exporting", ("exporting",), "approved", "payments:cycle:export"),
        Step("reconcile", "Reconcile", ("exported", "reconciled"), "reconciled", "payments:cycle:reconcile"),
        Step("close", "Close", ("reconciled",), "closed", "payments:cycle:close", reason="optional"),
        Step(
            "abort",
            "Abort",
            ("open", "computed", "submitted"),
            "aborted",
            "payments:cycle:prepare",
            reason="required",
            danger=True,
        ),
    ),
    digest=lambda cycle: str(cycle.id),
)

_NOT_ABORTED = sa.text("status <> 'aborted'")


class Cycle(HasLifecycle, Base):
    """The payment of one scheme for one month (`month` as YYYY-MM)."""

    __tablename__ = "cycle"
    __table_args__ = (
        sa.CheckConstraint(
            "approved_by_id <> submitted_by_id", name="a_cycle_is_approved_by_a_second_person"
        ),
        sa.Index(
            "one_cycle_per_scheme_and_month",
            "scheme_id",
            "month",
            unique=True,
            sqlite_where=_NOT_ABORTED,
            postgresql_where=_NOT_ABORTED,
        ),
    )
    lifecycle = cycle_lifecycle

    id: Mapped[int] = primary_key()
    scheme_id: Mapped[int] = mapped_column(sa.ForeignKey("scheme.id"))
    month: Mapped[str]
    currency: Mapped[str]
    opened_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    submitted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    approved_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]

    scheme: Mapped[Scheme] = relationship(lazy="raise")

    @property
    def period(self) -> Month:
        """The month as a value."""
        return Month.parse(self.month)


class CycleTotal(Base):
    """A figure of a cycle at a step: how many, how much. What ties out is compared to the cent from these."""

    __tablename__ = "cycle_total"
    __table_args__ = (sa.UniqueConstraint("cycle_id", "measure"),)

    id: Mapped[int] = primary_key()
    cycle_id: Mapped[int] = mapped_column(sa.ForeignKey("cycle.id"))
    measure: Mapped[str]
    count: Mapped[int]
    total_minor: Mapped[int]
    at: Mapped[datetime]
