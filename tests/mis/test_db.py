"""One transaction per unit of work: committed once, rolled back whole, read-only where it only reads."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from mis import acting, calendar
from mis.acting import SYSTEM
from mis.db import db
from registry.models import Area


def add_area(code: str) -> None:
    db.session.add(Area(code=code, name=code, kind="region", level=0))
    db.session.flush()


def codes() -> list[str]:
    with db.unit_of_work(read_only=True) as session:
        return list(session.scalars(sa.select(Area.code).order_by(Area.code)))


def test_a_unit_of_work_commits_once_at_its_end(app: Flask) -> None:
    with acting.acting(SYSTEM), db.unit_of_work():
        add_area("A")
    assert codes() == ["A"]


def test_whatever_is_raised_rolls_everything_back(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), acting.acting(SYSTEM), db.unit_of_work():
        add_area("A")
        _ = 1 // 0
    assert codes() == []


def test_a_reading_unit_cannot_write(app: Flask) -> None:
    with (
        pytest.raises(sa.exc.DBAPIError, match="readonly|read-only"),
        acting.acting(SYSTEM),
        db.unit_of_work(read_only=True),
    ):
        add_area("A")
    with acting.acting(SYSTEM), db.unit_of_work():
        add_area("B")
    assert codes() == ["B"]


def test_what_is_asked_for_after_the_commit_is_forgotten_by_a_roll_back(app: Flask) -> None:
    rung: list[str] = []
    with acting.acting(SYSTEM), db.unit_of_work():
        db.after_commit(lambda: rung.append("first"))
        assert rung == []
    with pytest.raises(ZeroDivisionError), db.unit_of_work():
        db.after_commit(lambda: rung.append("second"))
        _ = 1 // 0
    assert rung == ["first"]


def test_no_unit_of_work_no_session(app: Flask) -> None:
    with pytest.raises(AssertionError, match="No unit of work"):
        _ = db.session


def test_a_moment_without_a_zone_is_refused(app: Flask) -> None:
    with db.unit_of_work(read_only=True) as session, pytest.raises(sa.exc.StatementError, match="time zone"):
        session.scalar(
            sa.select(sa.literal(datetime(2026, 1, 1), type_=Area.metadata.tables["job"].c.created_at.type))
        )


def test_parameters_never_reach_an_error_text(app: Flask) -> None:
    with db.unit_of_work(read_only=True) as session, pytest.raises(sa.exc.DBAPIError) as error:
        session.execute(sa.text("SELECT * FROM nowhere WHERE name = :name"), {"name": "Amaro Heron"})
    assert "Amaro Heron" not in str(error.value)


def test_months_add_up_over_the_year() -> None:
    assert str(calendar.Month.parse("2025-11").plus(3)) == "2026-02"
    assert calendar.Month.parse("2024-02").last_day.day == 29
