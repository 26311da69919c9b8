"""From a household survey to a reconciled payment on the command line, and the same with every long step killed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.commands import mis, mis_killed, mis_process

Run = Callable[..., Any]
DAY, MONTH = "1998-07-01", "1998-07"


def staff() -> None:
    """Second persons: the command line never approves what it has prepared."""
    for name, role in (
        ("e.second", "enrolment_officer"),
        ("s.second", "scheme_administrator"),
        ("p.second", "payment_approver"),
    ):
        mis("user", "add", name, "--name", name.title())
        mis("user", "role", "assign", name, role)


def killed_and_done(*words: object) -> Any:
    """Killed in the middle of its work, killed in the middle of its end, and then let through."""
    mis_killed("work", *words)
    mis_killed("finish", *words)
    return mis_process(*words)


def import_survey(run: Run, survey: Path) -> None:
    begun = run("import", survey, "--mapping", "vlss_households")
    assert (begun["read"], begun["accepted"], begun["refused"]) == (240, 240, {})
    done = run("import", "accept", begun["batch"], "--as", "e.second")
    assert (done["status"], done["accepted"]) == ("accepted", 240)


@pytest.mark.slow
def test_a_survey_is_imported_whether_or_not_every_step_is_killed(
    environment: object, impatient: None, survey: Path
):
    staff()
    import_survey(killed_and_done, survey)
