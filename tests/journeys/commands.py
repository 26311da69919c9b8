"""The `mis` command as it is typed: within this process, or as a process of its own that may be killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from mis.cli import main

ROOT = Path(__file__).resolve().parents[2]
_WAIT = 120


def mis(*words: object, expect: int = 0) -> Any:
    """What a command answers with --json."""
    answer = CliRunner().invoke(main, [*map(str, words), "--json"], catch_exceptions=False)
    assert answer.exit_code == expect, f"mis {' '.join(map(str, words))}: {answer.output}"
    return json.loads(answer.stdout)


def mis_process(*words: object) -> Any:
    """The same in a process of its own, as in a terminal."""
    command = [sys.executable, "-c", "from mis.cli import main; main()", *map(str, words), "--json"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_WAIT, check=False)
    assert answer.returncode == 0, f"mis {' '.join(map(str, words))}: {answer.stdout}{answer.stderr}"
    return json.loads(answer.stdout)


def mis_killed(moment: str, *words: object) -> None:
    """The same, killed with SIGKILL at a moment (see dying.py)."""
    command = [sys.executable, "-m", "tests.journeys.dying", moment, *map(str, words), "--json"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_WAIT, check=False)
    assert answer.returncode == -signal.SIGKILL, (
        f"mis {' '.join(map(str, words))} was not killed: {answer.returncode} {answer.stdout}{answer.stderr}"
    )
