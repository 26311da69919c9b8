"""Benchmarks measure on a database of their own, leave nothing behind, and keep their page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mis.bench import page
from mis.bench.measuring import Result
from mis.bench_cli import command

COLUMNS = {"case", "database", "persons", "seconds", "baseline_seconds", "ratio", "peak_mb"}


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An instance folder of its own."""
    monkeypatch.setenv("MIS_INSTANCE_DIR", str(tmp_path))
    monkeypatch.delenv("MIS_DATABASE_URL", raising=False)
    return tmp_path


@pytest.mark.parametrize("room", ["registry", "eligibility", "payments"])
def test_each_room_is_measured_and_its_database_dropped(room: str, beside: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mis.cli", "bench", room, "--persons", "1000", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    results = json.loads(done.stdout)
    assert results and all(result.keys() == COLUMNS and result["ratio"] > 0 for result in results)
    assert not list(beside.glob("mis_bench_*"))


def test_a_case_measured_again_replaces_its_line(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    first = Result("assess", "sqlite", 1000, 2.0, 1.0, 2.0, 120.0)
    page.write(path, [first, Result("assess", "postgresql", 1000, 3.0, 1.0, 3.0, 120.0)])
    page.write(path, [Result("assess", "sqlite", 1000, 1.5, 1.0, 1.5, None)])
    lines = [line for line in path.read_text().splitlines() if line.startswith("| assess")]
    assert lines == [
        "| assess | postgresql | 1,000 | 3.00 | 1.00 | 3.0 | 120 |",
        "| assess | sqlite | 1,000 | 1.50 | 1.00 | 1.5 | 0 |",
    ]


def test_too_few_persons_are_refused() -> None:
    answer = CliRunner().invoke(command, ["registry", "--persons", "3"])
    assert answer.exit_code == 2
    assert "1000" in answer.output
