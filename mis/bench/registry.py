"""The registry: a list of people read, checked, accepted and registered, against bare loading of its columns."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from mis import settings
from mis.bench import office
from mis.bench.measuring import Result, measure, working
from mis.calendar import now
from registry.importing import accepting, reporting, staging

MAPPING = """
title: A benchmark's list
source: bench
unit: member
reference_date: 2026-01-01
key: { household: "{household_no}", person: "{household_no}/{member_no}" }
area:
  code: "{commune}"
  name: "Commune {commune}"
  kind: commune
  create: true
  parent: { code: B, name: Benchland, kind: country }
person:
  given_name: given_name
  family_name: family_name
  sex: { column: sex, values: { f: female, m: male }, required: true }
  birth: { column: birth_date, required: true }
  relationship: { column: relationship, required: true }
  collector: collector
"""

FIELDS = (
    "household_no", "member_no", "commune", "given_name", "family_name", "sex", "birth_date", "relationship",
    "collector",
)  # fmt: skip


def cases(persons: int) -> list[Result]:
    """One case: from the file to the register."""
    path = settings.current().instance_path(f"bench-{persons}.csv")
    try:
        _write_list(path, persons)
        return [
            measure(
                "import: read, check, accept and register a list",
                persons=persons,
                ours=lambda: _import(path),
                baseline=lambda: _load_bare(path),
            )
        ]
    finally:
        path.unlink(missing_ok=True)


def _write_list(path: Path, persons: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        for number in range(persons):
            household, member = divmod(number, 4)
            born = date.fromordinal(date(2026, 1, 1).toordinal() - number * 104729 % 34675)
            head = ("head", "primary") if member == 0 else ("child", "")
            names = (f"Given{number % 997}", f"Family{household % 1009}", "mf"[number % 2])
            writer.writerow([f"H{household:07d}", member, f"B-{household % 100:03d}", *names, born, *head])


def _import(path: Path) -> None:
    with office.at_work("reader"), path.open("rb") as file:
        begun = staging.begin(file, file_name=path.name, mapping_text=MAPPING, mapping_name="bench", at=now())
        number, job_id = begun.batch.id, begun.job_id
    office.finish(job_id)
    with office.at_work("accepter"):
        job_id = accepting.accept(reporting.batch(number)).id
    office.finish(job_id)


def _load_bare(path: Path) -> None:
    """Load the columns as they are into tables without keys or checks, by the fastest way of the database."""
    with working() as session:
        for table, columns in _BARE.items():
            session.execute(
                sa.text(f"CREATE TABLE bare_{table} ({', '.join(f'{name} text' for name in columns)})")
            )
    with working() as session:
        for table in _BARE:
            _copy(session.connection(), table, _rows(path, table))
    with working() as session:
        for table in _BARE:
            session.execute(sa.text(f"DROP TABLE bare_{table}"))


_BARE = {
    "household": ("key", "area"),
    "person": ("key", "given_name", "family_name", "sex", "birth_date"),
    "membership": ("household", "person", "relationship", "collector"),
}


def _rows(path: Path, table: str) -> Iterator[tuple[Any, ...]]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            person = f"{row['household_no']}/{row['member_no']}"
            match table:
                case "household":
                    if row["member_no"] == "0":
                        yield row["household_no"], row["commune"]
                case "person":
                    yield person, row["given_name"], row["family_name"], row["sex"], row["birth_date"]
                case _:
                    yield row["household_no"], person, row["relationship"], row["collector"]


def _copy(connection: sa.Connection, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    columns = _BARE[table]
    raw = connection.connection.dbapi_connection
    if isinstance(raw, psycopg.Connection):
        with (
            raw.cursor() as cursor,
            cursor.copy(f"COPY bare_{table} ({', '.join(columns)}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
        return
    assert raw is not None
    marks = ", ".join("?" * len(columns))
    raw.cursor().executemany(f"INSERT INTO bare_{table} VALUES ({marks})", rows)  # type: ignore[arg-type]  # noqa: S608
