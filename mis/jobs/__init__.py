"""Work in the background: asked for by a person, cut into chunks, never lost and never done twice.

    @jobs.kind("eligibility:assess")
    class Assess(jobs.Kind):
        def plan(self, payload): return jobs.cut(select(Person.id))
        def work(self, payload, chunk): ...one INSERT … SELECT over chunk.low … chunk.high...

    job = jobs.ask("eligibility:assess", {"scheme": 4}, subject="scheme:4", permission="eligibility:run:start")

The `job` row and its chunks are the truth; the bell (Celery, by `mis.worker_bell`) only says "run job N" and may
be lost. A chunk and its mark of being done are one transaction, so a worker may be killed at any point: the
sweeper rings, the next one goes on, and the totals are the same.
"""

from mis.jobs.asking import ask, cancel, resume
from mis.jobs.bell import install
from mis.jobs.kinds import Chunk, Kind, cut, kind, kind_named, label_of, spans, total
from mis.jobs.leases import sweep
from mis.jobs.measuring import Progress, counters, progress
from mis.jobs.models import CANCELLED, DONE, ENDED, FAILED, LIVE, QUEUED, RUNNING, Job, JobChunk
from mis.jobs.running import run, run_now, wait
from mis.jobs.seeing import seen, sees_inside

__all__ = [
    "CANCELLED",
    "DONE",
    "ENDED",
    "FAILED",
    "LIVE",
    "QUEUED",
    "RUNNING",
    "Chunk",
    "Job",
    "JobChunk",
    "Kind",
    "Progress",
    "ask",
    "cancel",
    "counters",
    "cut",
    "install",
    "kind",
    "kind_named",
    "label_of",
    "progress",
    "resume",
    "run",
    "run_now",
    "seen",
    "sees_inside",
    "spans",
    "sweep",
    "total",
    "wait",
]
