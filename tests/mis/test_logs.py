"""Logs tell where it crashed, and nothing of whom it was about."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from mis import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Give the process its own log back."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("production", [True, False])
def test_a_crash_leaves_no_names_in_the_log(production: bool, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(production=production)
    try:
        crash(" ".join(("Amaro", "Heron")))
    except ZeroDivisionError as error:
        structlog.get_logger().error("bug", exc_info=error)
    told = capsys.readouterr().out
    assert "in crash" in told and "ZeroDivisionError" in told
    assert "Amaro Heron" not in told


def crash(name: str) -> float:
    """Fail with a name in hand."""
    return len(name) / 0


def test_production_writes_a_line_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(production=True)
    structlog.get_logger().info("started", port=8000)
    assert json.loads(capsys.readouterr().out)["port"] == 8000
