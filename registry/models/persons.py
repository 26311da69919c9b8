"""Persons: names, sex, birth date with its precision, identity numbers and phones."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mis import sealed
from mis.access import InArea
from mis.db import Base, primary_key

SEXES = ("female", "male", "unknown")
PRECISIONS = ("day", "month", "year")


class Person(InArea, Base):
    """A human being in the register.

    `birth_date` is the first day of what is known: 1933-01-01 with precision `year` means “in 1933”. `attributes` holds
    the facts of the fact catalogue (`config/facts.toml`), already checked and typed. `external_key` is the number the
    source gave, unique within `source`. The reference number that people read over the phone is computed from `id`
    (`registry.references`).
    """

    __tablename__ = "person"
    __table_args__ = (
        sa.CheckConstraint("sex IN ('female', 'male', 'unknown')", name="a_sex_is_known_by_its_code"),
        sa.CheckConstraint(
            "birth_precision IN ('day', 'month', 'year')", name="a_birth_date_has_a_precision"
        ),
        sa.CheckConstraint(
            "(birth_date IS NULL) = (birth_precision IS NULL)", name="precision_goes_with_the_birth_date"
        ),
        sa.CheckConstraint("death_date >= birth_date", name="nobody_dies_before_birth"),
        sa.Index("one_person_per_external_key", "source", "external_key", unique=True),
        sa.Index("ix_person_import_row", "import_batch_id", "import_row_no"),
        sa.Index("ix_person_birth_date", "birth_date"),
        sa.Index("ix_person_search_name", "search_name"),
    )

    id: Mapped[int] = primary_key()
    given_name: Mapped[str | None]
    family_name: Mapped[str | None]
    other_names: Mapped[str | None]
    search_name: Mapped[str]
    sex: Mapped[str]
    birth_date: Mapped[date | None]
    birth_precision: Mapped[str | None]
    death_date: Mapped[date | None]
    address: Mapped[str | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source: Mapped[str | None]
    external_key: Mapped[str | None]
    import_batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"))
    import_row_no: Mapped[int | None]
    registered_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    # Of two people who edit the same record, the second is told: each UPDATE asks for the version that was read.
    __mapper_args__ = {"version_id_col": version}

    identity_numbers: Mapped[list[IdentityNumber]] = relationship(back_populates="person", lazy="raise")
    phones: Mapped[list[Phone]] = relationship(back_populates="person", lazy="raise")

    @property
    def name(self) -> str:
        """The name as it is spoken: given, other, family."""
        parts = (self.given_name, self.other_names, self.family_name)
        return " ".join(part for part in parts if part) or "(name not recorded)"


class IdentityNumber(Base):
    """A number by which a state or scheme knows the person; sealed, found by its blind index."""

    __tablename__ = "identity_number"
    __table_args__ = (
        sa.Index(
            "one_live_holder_per_identity_number",
            "kind",
            "number_blind",
            unique=True,
            sqlite_where=sa.text("live"),
            postgresql_where=sa.text("live"),
        ),
    )

    id: Mapped[int] = primary_key()
    uid: Mapped[str] = sealed.row_uid()
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    kind: Mapped[str]
    number_sealed: Mapped[bytes]
    number_blind: Mapped[str]
    number_hint: Mapped[str]
    live: Mapped[bool] = mapped_column(default=True)

    number = sealed.Sealed("number", normalise=sealed.compact)
    person: Mapped[Person] = relationship(back_populates="identity_numbers", lazy="raise")


class Phone(Base):
    """A telephone number in E.164 form; sealed, found by its blind index; several people may share one."""

    __tablename__ = "phone"
    __table_args__ = (sa.Index("ix_phone_number_blind", "number_blind"),)

    id: Mapped[int] = primary_key()
    uid: Mapped[str] = sealed.row_uid()
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    number_sealed: Mapped[bytes]
    number_blind: Mapped[str]
    number_hint: Mapped[str]
    live: Mapped[bool] = mapped_column(default=True)

    number = sealed.Sealed("number", normalise=sealed.compact)
    person: Mapped[Person] = relationship(back_populates="phones", lazy="raise")
