"""Small tables for tests of the ground, and a hand that reaches into the database behind the application."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from mis import audit, sealed, temporal
from mis.db import Base, db, primary_key


class Ruling(Base):
    """A decision as the rooms have them: its content sealed, its status not."""

    __tablename__ = "test_ruling"
    __sealed__ = True
    __sealed_columns__ = ("run", "person", "outcome")

    id: Mapped[int] = primary_key()
    run: Mapped[int]
    person: Mapped[int]
    outcome: Mapped[str]
    status: Mapped[str]


class Note(Base):
    """An ordinary audited record."""

    __tablename__ = "test_note"

    id: Mapped[int] = primary_key()
    text: Mapped[str | None]
    weight: Mapped[int | None]
    password_hash: Mapped[str | None]


class Card(Base):
    """A record with a sealed number."""

    __tablename__ = "test_card"

    id: Mapped[int] = primary_key()
    uid: Mapped[str] = sealed.row_uid()
    number_sealed: Mapped[bytes | None]
    number_blind: Mapped[str | None] = mapped_column(index=True)
    number_hint: Mapped[str | None]

    number = sealed.Sealed("number", normalise=sealed.compact)


class Version(temporal.InForce, Base):
    """A version of something, of which one at most is in force."""

    __tablename__ = "test_version"
    __table_args__ = (temporal.ends_after_it_starts(),)

    id: Mapped[int] = primary_key()
    code: Mapped[str]
    status: Mapped[str]


MODELS: list[Any] = [Ruling, Note, Card, Version]

for _model in MODELS:
    # The tables of tests are no part of the system's schema, which is compared with the migrations.
    Base.metadata.remove(_model.__table__)
temporal.no_two_in_force(Version.__table__, ["code"], only={"status": ["published"]})
audit.immutable_columns(Ruling.__table__, Ruling.__sealed_columns__)


def rulings(run: int, count: int, *, first: int = 1) -> list[dict[str, Any]]:
    """Rows for a set-based insert."""
    return [
        {"run": run, "person": person, "outcome": "eligible", "status": "new"}
        for person in range(first, first + count)
    ]


def tamper(statement: str, **values: Any) -> int:
    """Run a statement as somebody with a database shell and the rights to switch triggers off; returns rows changed."""
    if db.dialect == "postgresql":
        with db.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            return connection.execute(sa.text(statement), values).rowcount
    assert db.engine.url.database
    with closing(sqlite3.connect(db.engine.url.database, timeout=30)) as shell, shell:
        triggers = shell.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            shell.execute(f'DROP TRIGGER "{name}"')
        changed = shell.execute(statement, values).rowcount
        for _, sql in triggers:
            shell.execute(sql)
        return changed
