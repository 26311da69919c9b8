"""A small sealed table for tests of the trail, and a hand that reaches into the database behind the application."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from mis import audit
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


MODELS: list[Any] = [Ruling, Note]

for _model in MODELS:
    # The tables of tests are no part of the system's schema, which is compared with the migrations.
    Base.metadata.remove(_model.__table__)
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
