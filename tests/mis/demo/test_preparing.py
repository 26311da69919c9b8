"""What may be emptied, what is in the database, and what a second start finds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from mis.accounts import console
from mis.accounts.models import RoleAssignment, User
from mis.acting import SYSTEM, acting
from mis.db import db, make_engine
from mis.demo import office, preparing
from mis.errors import Forbidden
from mis.settings import Settings, load
from tests.conftest import SERVER
from tests.mis.accounts.people import AT, DAY, make_areas, make_user


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("", True),
        ("sqlite:////somewhere/demo.sqlite", True),
        ("sqlite:////somewhere/demo/mis.sqlite", False),
        ("postgresql+psycopg:///mis", False),
        ("postgresql+psycopg://demo:demo@demo.example/mis", False),
        ("postgresql+psycopg:///mis_demo", True),
    ],
)
def test_only_the_embedded_database_and_one_named_for_a_demo_may_be_emptied(
    tmp_path: Path, url: str, may: bool
):
    settings = load(instance_dir=tmp_path, database_url=url, environment="embedded")
    assert preparing.may_reset(settings) is may
    if not may:
        with pytest.raises(Forbidden, match="not emptied"):
            preparing.reset(settings)


def test_the_demo_does_not_run_in_production(tmp_path: Path):
    with pytest.raises(Forbidden, match="production"):
        preparing.check(load(instance_dir=tmp_path, environment="production"))


def test_an_empty_database_is_told_from_a_half_filled_a_complete_and_a_foreign_one(app: Flask):
    assert preparing.state() == "empty"
    with db.unit_of_work(), acting(SYSTEM):
        somebody = make_user("a.mwangi")
    assert preparing.state() == "foreign"
    with db.unit_of_work(), acting(SYSTEM):
        db.session.get_one(type(somebody), somebody.id).username = office.ADMINISTRATOR.username
    assert preparing.state() == "interrupted"
    preparing.mark_seeded({"persons": 1})
    assert preparing.state() == "seeded"


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Settings]:
    """A database of its own, whose name says that it is for a demo."""
    if not SERVER:
        yield load(
            instance_dir=tmp_path,
            database_url=f"sqlite:///{tmp_path / 'demo.sqlite'}",
            environment="embedded",
        )
        return
    name = f"mis_demo_{os.getpid()}"
    server = make_engine(SERVER).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    url = sa.make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    yield load(instance_dir=tmp_path, database_url=url, environment="embedded")
    with server.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.dispose()


def test_a_database_that_was_emptied_can_be_brought_to_this_release_again(app: Flask, scratch: Settings):
    assert preparing.upgrade(scratch)
    assert not preparing.upgrade(scratch)
    scratch.instance_path("uploads", "left-over").touch()
    preparing.reset(scratch)
    assert not scratch.instance_path("uploads", "left-over").exists()
    assert preparing.upgrade(scratch)


def test_the_first_administrator_is_made_by_the_command_line_and_makes_all_others(app: Flask):
    with db.unit_of_work(), acting(SYSTEM):
        areas = make_areas()
    assert office.hire(day=DAY, at=AT, areas={"XX-N": areas["XX1"]}) == len(office.STAFF)
    with db.unit_of_work(read_only=True) as session:
        by = dict(
            session.execute(
                sa.select(User.username, RoleAssignment.assigned_by_id)
                .join(RoleAssignment, RoleAssignment.user_id == User.id)
                .where(User.username != "console")
            ).all()
        )
        administrator = console.existing(office.ADMINISTRATOR.username).id
    assert by.pop(office.ADMINISTRATOR.username) not in (None, administrator)
    assert set(by.values()) == {administrator}
