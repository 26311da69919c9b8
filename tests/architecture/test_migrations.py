"""Migrations form one line, numbered, ending in HEAD, and lead to the schema that the models describe."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import Script, ScriptDirectory

from mis import migrating
from mis.db import make_engine
from mis.paths import migrations_dir
from tests.architecture.sources import ROOT
from tests.conftest import SERVER


def _line() -> list[Script]:
    directory = ScriptDirectory.from_config(migrating.configuration(""))
    return list(directory.walk_revisions())[::-1]


def test_migrations_form_one_line_without_branches() -> None:
    line = _line()
    assert line[0].down_revision is None
    for before, after in itertools.pairwise(line):
        assert after.down_revision == before.revision
    assert not any(script.is_branch_point or script.is_merge_point for script in line)


def test_migrations_are_numbered_and_named_by_a_sentence() -> None:
    for number, script in enumerate(_line(), start=1):
        assert script.revision == f"{number:04}"
        assert re.fullmatch(rf"{number:04}_[a-z_0-9]+\.py", Path(script.path).name)
        assert script.doc


def test_head_names_the_newest_migration() -> None:
    # Two branches that both add a migration then clash in this file, before they clash in somebody's database.
    assert (migrations_dir() / "HEAD").read_text(encoding="utf-8").strip() == _line()[-1].revision


def _differences(url: str) -> list[str]:
    """What the database lacks or has too much; asked in a process of its own, which knows no tables made by tests."""
    question = "import sys; from mis import migrating; print(*migrating.differences(sys.argv[1]), sep='\\n')"
    asked = subprocess.run(
        [sys.executable, "-c", question, url], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return asked.stdout.split("\n")[:-1] if asked.stdout.strip() else []


@pytest.fixture
def empty_database(tmp_path: Path) -> Iterator[str]:
    """A database of its own, without tables."""
    if not SERVER:
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    name = f"mis_test_{uuid.uuid4().hex[:12]}"
    server = make_engine(SERVER).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    yield sa.make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.dispose()


def test_a_migrated_database_has_the_schema_of_the_models(database_url: str) -> None:
    assert migrating.revision_of(database_url) == migrating.newest()
    assert _differences(database_url) == []


def test_migrations_lead_down_to_nothing_and_up_again(empty_database: str) -> None:
    migrating.upgrade(empty_database)
    migrating.downgrade(empty_database, "base")
    engine = make_engine(empty_database)
    left = set(sa.inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()
    assert left == set()
    migrating.upgrade(empty_database)
    assert _differences(empty_database) == []
