"""The bell: how a worker hears that there is a job. It may be lost at any time; the sweeper rings again.

The application installs it (`mis.worker_bell`); without one nothing is rung, and whoever runs the sweeper, or the
command line, takes up the work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from mis.acting import Grant
from mis.db import db

Ring = Callable[[int], object]
GrantsOf = Callable[[int], tuple[Grant, ...]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """The bell of this process, how long a worker's word holds, how large a chunk is, and who may do what."""

    ring: Ring | None = None
    lease: timedelta = timedelta(seconds=60)
    chunk_rows: int = 25_000
    grants_of: GrantsOf | None = None


_settings = Settings()


def install(
    ring: Ring | None,
    *,
    lease_seconds: int = 60,
    chunk_rows: int = 25_000,
    grants_of: GrantsOf | None = None,
) -> None:
    """Use this bell from now on (None: no bell). `grants_of` tells what a user may do today (None: nobody asks)."""
    global _settings  # noqa: PLW0603 - one bell a process, like the one engine
    _settings = Settings(ring, timedelta(seconds=lease_seconds), chunk_rows, grants_of)


def settings() -> Settings:
    """What was installed."""
    return _settings


def ring(job_id: int) -> None:
    """Ring for a job. A broken bell is no reason to fail: the job is in the table and will be found there."""
    if _settings.ring is None:
        return
    try:
        _settings.ring(job_id)
    except Exception:
        log.warning(
            "The bell for job %s could not be rung; the sweeper will ring again.", job_id, exc_info=True
        )


def ring_after_commit(job_id: int) -> None:
    """Ring once the job can be seen by others."""
    db.after_commit(lambda: ring(job_id))
