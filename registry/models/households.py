"""Households, and who belongs to them from when to when."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mis.access import InArea
from mis.db import Base, primary_key
from registry.models.persons import Person

RELATIONSHIPS = (
    "head",
    "spouse",
    "child",
    "parent",
    "grandchild",
    "sibling",
    "other_relative",
    "not_related",
)
COLLECTORS = ("primary", "alternate")


class Household(InArea, Base):
    """People who live and eat together. `attributes` holds the facts of the catalogue about housing and means."""

    __tablename__ = "household"
    __table_args__ = (
        sa.Index("one_household_per_external_key", "source", "external_key", unique=True),
        sa.Index("ix_household_import_row", "import_batch_id", "import_row_no"),
    )

    id: Mapped[int] = primary_key()
    address: Mapped[str | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source: Mapped[str | None]
    external_key: Mapped[str | None]
    import_batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"))
    import_row_no: Mapped[int | None]
    registered_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    memberships: Mapped[list[Membership]] = relationship(back_populates="household", lazy="raise")


class Membership(Base):
    """A person in a household from a day on (`valid_from`) until a day (`valid_to`, not included), or still."""

    __tablename__ = "membership"
    __table_args__ = (
        sa.CheckConstraint("valid_to > valid_from", name="a_membership_ends_after_it_began"),
        sa.CheckConstraint(
            "collector IN ('primary', 'alternate')", name="a_collector_is_primary_or_alternate"
        ),
        sa.Index(
            "one_household_per_person_at_a_time",
            "person_id",
            unique=True,
            sqlite_where=sa.text("valid_to IS NULL"),
            postgresql_where=sa.text("valid_to IS NULL"),
        ),
        sa.Index(
            "one_head_per_household",
            "household_id",
            unique=True,
            sqlite_where=sa.text("valid_to IS NULL AND relationship = 'head'"),
            postgresql_where=sa.text("valid_to IS NULL AND relationship = 'head'"),
        ),
        sa.Index(
            "one_primary_collector_per_household",
            "household_id",
            unique=True,
            sqlite_where=sa.text("valid_to IS NULL AND collector = 'primary'"),
            postgresql_where=sa.text("valid_to IS NULL AND collector = 'primary'"),
        ),
        sa.Index("ix_membership_household_id", "household_id"),
    )

    id: Mapped[int] = primary_key()
    household_id: Mapped[int] = mapped_column(sa.ForeignKey("household.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    relationship_to_head: Mapped[str] = mapped_column("relationship")
    collector: Mapped[str | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    household: Mapped[Household] = relationship(back_populates="memberships", lazy="raise")
    person: Mapped[Person] = relationship(lazy="raise")
