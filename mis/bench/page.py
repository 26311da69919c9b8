"""The page of figures: `mis bench … --to docs/benchmarks.md` replaces the lines of what it has measured."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mis.bench.measuring import Result

HEAD = """# Benchmarks

Written by `mis bench registry|eligibility|payments --persons N --to docs/benchmarks.md`, on SQLite and (with
`MIS_DATABASE_URL`) on PostgreSQL, each on a scratch database of its own with a made-up country: four persons to
a household, a hundred communes, ages 0 to 94. Seconds were taken on a shared machine with two cores: read the
ratios.

The baseline is what a hand-written script does in the same run: bare `COPY` or `executemany` of the file's
columns (import), one `INSERT … SELECT` of the same rows into a table with the same columns, checks and indexes
(assessment, cycle), and a loop over a cursor that writes one line of XML a row, checks nothing and records
nothing (export). What ours does beyond: reasons for every refused row, foreign keys, fingerprints of each
decision for the audit trail, totals that tie out, chunks that survive a kill, and files that are validated
before they count. Peak memory is of our process, which is about 120 MB large before it starts; it holds no
table, whatever its size.

| case | database | persons | seconds | baseline | ratio | peak MB |
|---|---|---:|---:|---:|---:|---:|
"""


def write(path: Path, results: Iterable[Result]) -> None:
    """Put the results into the page; a case measured again on the same database and size replaces its line."""
    lines = {_key(line): line for line in _lines(path)}
    for result in results:
        line = (
            f"| {result.case} | {result.database} | {result.persons:,} | {result.seconds:.2f} | "
            f"{result.baseline_seconds:.2f} | {result.ratio:.1f} | {result.peak_mb or 0:.0f} |"
        )
        lines[_key(line)] = line
    path.write_text(HEAD + "\n".join(lines[key] for key in sorted(lines)) + "\n", encoding="utf-8")


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    _, _, table = path.read_text(encoding="utf-8").partition("|---|---|---:|---:|---:|---:|---:|\n")
    return [line for line in table.splitlines() if line.startswith("| ")]


def _key(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.split("|")[1:4])
