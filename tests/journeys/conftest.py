"""The office in which the journeys are made."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from mis.settings import Settings
from tests.journeys import villages


@pytest.fixture
def environment(app: Flask, test_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the tests in the environment, so that `mis` finds them in any process."""
    for name in (
        "environment",
        "instance_dir",
        "database_url",
        "secret_key",
        "sealing_key",
        "default_currency",
    ):
        monkeypatch.setenv(f"MIS_{name.upper()}", str(getattr(test_settings, name)))
    return test_settings


@pytest.fixture
def impatient(environment: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small chunks, and leases that end soon: what a killed process held is free again after a second."""
    monkeypatch.setenv("MIS_JOB_CHUNK_ROWS", "50")
    monkeypatch.setenv("MIS_JOB_LEASE_SECONDS", "1")


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    """A list of households with the columns of the survey."""
    return villages.write(tmp_path / "villages.csv")
