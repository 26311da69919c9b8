"""Areas: the administrative hierarchy, and its closure that makes “here and below” one look-up."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mis.db import Base, primary_key


class Area(Base):
    """A place of the hierarchy, known by its code (a P-code where the country has them)."""

    __tablename__ = "area"
    __table_args__ = (sa.CheckConstraint("parent_id <> id", name="an_area_is_not_its_own_parent"),)

    id: Mapped[int] = primary_key()
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    level: Mapped[int]
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"), index=True)
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]

    parent: Mapped[Area | None] = relationship(remote_side=[id], lazy="raise")

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class AreaClosure(Base):
    """Every area with every area at or below it."""

    __tablename__ = "area_closure"
    __audit__ = False  # Derived from area, which is audited.

    ancestor_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), primary_key=True)
    descendant_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), primary_key=True, index=True)
    depth: Mapped[int]
