"""What is stored of users: accounts, role assignments, recovery codes, attempts to sign in."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mis import sealed
from mis.acting import person_of
from mis.db import Base, primary_key


class User(Base):
    """An account. `staff_number` is the human being behind it: two accounts of one person are one pair of eyes."""

    __tablename__ = "app_user"

    id: Mapped[int] = primary_key()
    uid: Mapped[str] = sealed.row_uid()
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str | None]
    staff_number: Mapped[str | None] = mapped_column(index=True)
    password_hash: Mapped[str | None]
    password_changed_at: Mapped[datetime | None]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    totp_sealed: Mapped[bytes | None]
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None]
    active: Mapped[bool] = mapped_column(default=True)
    nonce: Mapped[str] = sealed.row_uid()
    locale: Mapped[str | None]
    last_signed_in_at: Mapped[datetime | None]

    assignments: Mapped[list[RoleAssignment]] = relationship(
        back_populates="user",
        lazy="raise",
        foreign_keys="RoleAssignment.user_id",
        order_by="RoleAssignment.id",
    )

    # Flask-Login asks these of its user.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        """A user who was switched off cannot sign in."""
        return self.active

    @property
    def person(self) -> str:
        """The human being, for four eyes: the staff number, or the account itself where there is none."""
        return person_of(self.id, self.staff_number)

    def get_id(self) -> str:
        """What the session cookie holds: a nonce that changes with the password, so that old sessions end."""
        return f"{self.id}.{self.nonce}"


class RoleAssignment(Base):
    """A role held by a user, in an area and below (or the whole country), until a day (or further notice)."""

    __tablename__ = "role_assignment"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "role", "area_id", name="one_assignment_of_a_role_per_area"),
        sa.Index(
            "one_assignment_of_a_role_to_the_whole_country",
            "user_id",
            "role",
            unique=True,
            sqlite_where=sa.text("area_id IS NULL"),
            postgresql_where=sa.text("area_id IS NULL"),
        ),
    )

    id: Mapped[int] = primary_key()
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    role: Mapped[str]
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"))
    expires_on: Mapped[date | None]
    assigned_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))

    user: Mapped[User] = relationship(back_populates="assignments", foreign_keys=[user_id], lazy="raise")


class RecoveryCode(Base):
    """A code on paper that stands in for the second factor once, when the telephone is lost."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = primary_key()
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"), index=True)
    code_hash: Mapped[str]
    used_at: Mapped[datetime | None]


class SignInAttempt(Base):
    """One try to sign in, counted in the database so that no process can be asked more often than another."""

    __tablename__ = "sign_in_attempt"
    __audit__ = False  # The audit trail holds each try by its own entry; this table only counts.
    __table_args__ = (sa.Index("ix_sign_in_attempt_username_at", "username", "at"),)

    id: Mapped[int] = primary_key()
    username: Mapped[str]
    at: Mapped[datetime]
    succeeded: Mapped[bool]
    address: Mapped[str | None]
