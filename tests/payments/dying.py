"""python -m tests.payments.dying JOB MOMENT runs a job in small parts and kills this process with SIGKILL in it.

MOMENT is `work` (the second part is done but not committed) or `finish` (the end is done but not committed).
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import payments.views  # noqa: F401  # the kinds of background work
from mis import jobs, settings
from mis.app import configure
from mis.jobs import running
from mis.jobs.kinds import Kind, kind_named
from payments import answers, disbursement, payroll


class Dying:
    """A kind of job that does its work, and dies of it."""

    def __init__(self, kind: Kind, moment: str) -> None:
        self.kind, self.moment = kind, moment

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kind, name)

    def work(self, payload: Any, chunk: Any) -> Any:
        done = self.kind.work(payload, chunk)
        if self.moment == "work" and chunk.no == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    def finish(self, payload: Any, results: Any) -> Any:
        self.kind.finish(payload, results)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    number, moment = sys.argv[1:]
    configure(settings.load())
    payroll.SPAN = disbursement.SPAN = answers.LINES_AT_ONCE = 5
    dying: dict[str, Dying] = {}
    running.__dict__["kind_named"] = lambda name: dying.setdefault(name, Dying(kind_named(name), moment))
    jobs.run(int(number))
