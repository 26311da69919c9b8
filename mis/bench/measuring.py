"""Benchmarks: what the system does, against the plainest SQL that gives the same rows, on a database of its own.

Absolute seconds say little on a shared machine; the ratio to a baseline measured in the same run says how much our
promises (explanations, reasons, audit, resumption) cost. Each case is run on a scratch database that is made beside
the configured one and dropped at the end.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from mis import acting, audit, settings
from mis.acting import SYSTEM
from mis.app import configure
from mis.db import MisSession, db, make_engine
from mis.migrating import upgrade

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Result:
    """One measured case. `peak_mb` is the peak memory of this process while our side ran; None where it is not told."""

    case: str
    database: str
    persons: int
    seconds: float
    baseline_seconds: float
    ratio: float
    peak_mb: float | None


def measure(case: str, *, persons: int, ours: Callable[[], object], baseline: Callable[[], object]) -> Result:
    """Time our way and the plain way, the plain one first, so that its warm cache is ours too."""
    baseline_seconds = _timed(baseline)
    _forget_peak()
    seconds = _timed(ours)
    return Result(
        case=case,
        database=db.dialect,
        persons=persons,
        seconds=round(seconds, 3),
        baseline_seconds=round(baseline_seconds, 3),
        ratio=round(seconds / baseline_seconds, 2),
        peak_mb=_peak_mb(),
    )


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _forget_peak() -> None:
    if CLEAR.exists():
        CLEAR.write_text("5")  # Linux: begin counting the peak anew.


def _peak_mb() -> float | None:
    if not STATUS.exists():
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
    return round(int(found[1]) / 1024, 1) if found else None


@contextmanager
def scratch() -> Iterator[None]:
    """A migrated database of its own beside the configured one, dropped at the end."""
    own = settings.load()
    url = make_url(own.effective_database_url)
    name = f"mis_bench_{os.getpid()}"
    if url.get_backend_name() == "sqlite":
        path = own.instance_path(f"{name}.sqlite")
        mine = f"sqlite:///{path}"
    else:
        _on_server(own, f'CREATE DATABASE "{name}"')
        mine = url.set(database=name).render_as_string(hide_password=False)
    try:
        upgrade(mine)
        # As in a test: jobs run here, and no bell calls a worker of the real database.
        configure(settings.load(environment="test", database_url=mine))
        yield
    finally:
        db.engine.dispose()
        if url.get_backend_name() == "sqlite":
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        else:
            _on_server(own, f'DROP DATABASE "{name}" WITH (FORCE)')


def _on_server(own: settings.Settings, statement: str) -> None:
    engine = make_engine(own.effective_database_url)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@contextmanager
def working() -> Iterator[MisSession]:
    """A unit of work of the benchmark itself."""
    with acting.acting(SYSTEM), db.unit_of_work() as session, audit.unaudited("made-up rows of a benchmark"):
        yield session


def bare_copy(table: str) -> None:
    """An empty `bare_<table>` with the columns, checks and indexes of a table, without foreign keys and triggers."""
    with working() as session:
        if db.dialect == "postgresql":
            session.execute(sa.text(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)"))
            return
        made = sa.text(
            "SELECT sql FROM sqlite_master WHERE tbl_name = :table AND type IN ('table', 'index') AND sql <> ''"
        )
        for (statement,) in session.execute(made, {"table": table}).all():
            keyless = re.sub(
                r",\s*CONSTRAINT \w+ FOREIGN KEY\s*\([^)]*\) REFERENCES \w+\s*\([^)]*\)", "", statement
            )
            unnamed = re.sub(r"INDEX (\w+) ON", r"INDEX bare_\1 ON", keyless)
            bare = re.sub(rf"(TABLE|ON) {table}\b", rf"\1 bare_{table}", unnamed)
            session.connection().exec_driver_sql(bare)


def populate(persons: int) -> None:
    """A made-up country: one household for four persons in a hundred communes, ages 0 to 94, made by the database."""
    households = max(1, persons // 4)
    with working() as session:
        numbers = _numbers(max(persons, households, 101))
        values = {"persons": persons, "households": households}
        for statement in _POPULATION:
            written = statement
            for word, meaning in _WORDS[db.dialect].items():
                written = written.replace(word, meaning)
            used = {name: value for name, value in values.items() if f":{name}" in written}
            session.connection().execute(sa.text(_insert(numbers, written)), used)
        if db.dialect == "postgresql":
            for table in ("area", "household", "person", "membership"):
                newest = f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"  # noqa: S608 - our own names
                session.execute(sa.text(newest))
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("ANALYZE")


def _numbers(count: int) -> str:
    if db.dialect == "postgresql":
        return f"WITH n(i) AS (SELECT generate_series(1, {count})) "
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "  # noqa: S608


def _insert(numbers: str, statement: str) -> str:
    """The statement with its numbers before the SELECT: PostgreSQL and SQLite both take WITH there."""
    into, _, select = statement.partition("SELECT ")
    return f"{into}{numbers}SELECT {select}"


# What the two databases write differently.
_WORDS = {
    "sqlite": {
        "BORN": "date('2026-01-01', '-' || ((i * 104729) % 34675) || ' days')",
        "MOMENT": "'2026-01-01 00:00:00.000000'",
        "SINCE": "'2020-01-01'",
        "EMPTY": "'{}'",
    },
    "postgresql": {
        "BORN": "DATE '2026-01-01' - ((i::bigint * 104729) % 34675)::int",
        "MOMENT": "TIMESTAMPTZ '2026-01-01 00:00:00Z'",
        "SINCE": "DATE '2020-01-01'",
        "EMPTY": "JSONB '{}'",
    },
}

# Members of household h are the persons 4h-3 … 4h, the first of them its head. What is drawn by chance is drawn by
# multiplying with a prime, so that each run has the same country.
_POPULATION = (
    "INSERT INTO area (id, code, name, kind, level, parent_id) "
    "SELECT i, 'B' || i, 'Commune ' || i, CASE WHEN i = 101 THEN 'country' ELSE 'commune' END, "
    "CASE WHEN i = 101 THEN 0 ELSE 1 END, NULL FROM n WHERE i <= 101",
    "INSERT INTO area_closure (ancestor_id, descendant_id, depth) "
    "SELECT i, i, 0 FROM n WHERE i <= 101 UNION ALL SELECT 101, i, 1 FROM n WHERE i <= 100",
    "INSERT INTO household (id, area_id, attributes, version, registered_at, changed_at) "
    "SELECT i, 1 + (i * 7919) % 100, EMPTY, 1, MOMENT, MOMENT "
    "FROM n WHERE i <= :households",
    "INSERT INTO person (id, area_id, given_name, family_name, search_name, sex, birth_date, birth_precision, "
    "attributes, version, registered_at, changed_at) "
    "SELECT i, 1 + (((i + 3) / 4) * 7919) % 100, 'Given' || i % 997, 'Family' || i % 1009, "
    "'given' || i % 997 || ' family' || i % 1009, CASE WHEN i % 2 = 0 THEN 'female' ELSE 'male' END, "
    "BORN, 'day', EMPTY, 1, MOMENT, MOMENT FROM n WHERE i <= :persons",
    "INSERT INTO membership (id, household_id, person_id, relationship, collector, valid_from) "
    "SELECT i, (i + 3) / 4, i, CASE WHEN i % 4 = 1 THEN 'head' ELSE 'child' END, "
    "CASE WHEN i % 4 = 1 THEN 'primary' END, SINCE FROM n WHERE i <= :persons AND (i + 3) / 4 <= :households",
)
