"""The test bench: a migrated database per worker, emptied between tests, and an application as it really runs.

Tests commit for real: what a unit of work promises can only be seen on a database that keeps what was committed. On
SQLite the database is a file copied from a migrated template; on PostgreSQL (when MIS_TEST_DATABASE_URL names a server)
it is a database of its own, whose tables are emptied.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from mis import access, acting
from mis.acting import SYSTEM, Actor, Grant
from mis.app import create_app
from mis.db import MisSession, db, make_engine
from mis.migrating import upgrade
from mis.settings import Settings, load

SERVER = os.environ.get("MIS_TEST_DATABASE_URL", "")


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The instance folder of the tests."""
    return tmp_path_factory.mktemp("instance")


@pytest.fixture(scope="session")
def database_url(workshop: Path, worker_id: str) -> Iterator[str]:
    """A migrated database for this worker, dropped at the end."""
    if not SERVER:
        url = f"sqlite:///{workshop / 'mis.sqlite'}"
        upgrade(url)
        shutil.copy(workshop / "mis.sqlite", workshop / "template.sqlite")
        yield url
        return
    name = f"mis_test_{worker_id}_{os.getpid()}"
    server = make_engine(SERVER).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}"')
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    url = sa.make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    upgrade(url)
    yield url
    with server.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.dispose()


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """The name of this xdist worker, or `main` without xdist."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


@pytest.fixture(scope="session")
def test_settings(workshop: Path, database_url: str) -> Settings:
    """Settings as in a deployment, with keys of the tests."""
    return load(
        environment="test",
        instance_dir=workshop,
        database_url=database_url,
        secret_key="a key that only tests use",
        sealing_key=base64.b64encode(b"k" * 32).decode(),
        default_currency="XTS",
    )


@pytest.fixture(scope="session")
def application(test_settings: Settings) -> Iterator[Flask]:
    """The application of this worker."""
    yield create_app(test_settings)
    db.engine.dispose()


@pytest.fixture
def app(application: Flask, workshop: Path) -> Iterator[Flask]:
    """The application on an empty database."""
    yield application
    _empty(workshop)


def _empty(workshop: Path) -> None:
    if db.dialect == "sqlite":
        db.engine.dispose()
        for suffix in ("-wal", "-shm"):
            (workshop / f"mis.sqlite{suffix}").unlink(missing_ok=True)
        # Put in place as a new file: whoever still reads the old one must not see it change under his hands.
        shutil.copy(workshop / "template.sqlite", workshop / "fresh.sqlite")
        (workshop / "fresh.sqlite").replace(workshop / "mis.sqlite")
        return
    with db.engine.connect() as connection:
        tables = connection.scalars(
            sa.text(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
        ).all()
        # Append-only tables refuse to be emptied; the replica role passes their triggers by, as only a test may.
        connection.exec_driver_sql("SET session_replication_role = replica")
        used = [
            name for name in tables if connection.scalar(sa.text(f'SELECT EXISTS (SELECT 1 FROM "{name}")'))
        ]
        if used:
            connection.exec_driver_sql(f"TRUNCATE {', '.join(used)} RESTART IDENTITY CASCADE")
        connection.exec_driver_sql("SET session_replication_role = origin")
        connection.commit()


@pytest.fixture
def work(app: Flask) -> Iterator[MisSession]:
    """One unit of work of the system itself, for tests of the domain; committed when the test has passed."""
    with db.unit_of_work() as session, acting.acting(SYSTEM):
        yield session


@contextmanager
def acting_as(
    person: str, *permissions: str, area_id: int | None = None, user_id: int | None = None
) -> Iterator[Actor]:
    """Let a made-up person act with permissions (all of them by default), within the running unit of work."""
    actor = Actor(user_id, person, person, "test", (Grant(permissions or ("*",), area_id),))
    with ExitStack() as stack:
        stack.enter_context(acting.acting(actor))
        if area_id is not None and permissions:
            stack.enter_context(access.within(permissions[0]))
        yield actor
