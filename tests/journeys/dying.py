"""`mis` with a death in it: python -m tests.journeys.dying MOMENT … runs a command and kills it with SIGKILL.

MOMENT is `work` (after the work of a chunk, before it is committed; the second chunk if there is one) or `finish`
(after the work of the end, before it is committed). Nothing is caught, flushed or closed: the process is gone.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import sqlalchemy as sa

from mis.cli import main
from mis.db import db
from mis.jobs import JobChunk, running
from mis.jobs.kinds import Kind, kind_named


class Dying:
    """A kind of job that does its work, and dies of it."""

    def __init__(self, kind: Kind, moment: str) -> None:
        self.kind, self.moment, self.worked = kind, moment, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kind, name)

    def work(self, payload: Any, chunk: Any) -> Any:
        done = self.kind.work(payload, chunk)
        self.worked += 1
        if self.moment == "work" and (self.worked == 2 or chunk.no > 1 or _is_alone(chunk)):
            die()
        return done

    def finish(self, payload: Any, results: Any) -> Any:
        finished = self.kind.finish(payload, results)
        if self.moment == "finish":
            die()
        return finished


def _is_alone(chunk: Any) -> bool:
    count = sa.select(sa.func.count()).where(JobChunk.job_id == chunk.job_id)
    return db.session.scalar(count) == 1


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    moment, *words = sys.argv[1:]
    dying: dict[str, Dying] = {}
    running.__dict__["kind_named"] = lambda name: dying.setdefault(name, Dying(kind_named(name), moment))
    main(words)
