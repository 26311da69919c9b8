"""Kinds of work for the tests of jobs, and the worker they kill: `python -m tests.mis.job_kinds URL JOB`."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, ClassVar

import sqlalchemy as sa

from mis import access, acting, jobs
from mis.db import db
from mis.errors import Forbidden, Invalid

tables = sa.MetaData()
# Without any constraint: what is done twice shall be seen twice.
mark = sa.Table(
    "mark",
    tables,
    sa.Column("job_id", sa.Integer),
    sa.Column("number", sa.Integer),
    sa.Column("worker", sa.Integer),
    sa.Column("note", sa.Text),
)


def note(job_id: int, number: int, text: str) -> None:
    db.session.execute(sa.insert(mark).values(job_id=job_id, number=number, worker=os.getpid(), note=text))


@jobs.kind("test:count")
class Count(jobs.Kind):
    """Marks each number from 1 to `upto`; half of a chunk before a pause, half of it after."""

    def plan(self, payload):
        return jobs.spans(1, payload["upto"], rows=payload["rows"])

    def work(self, payload, chunk):
        numbers = range(chunk.low, chunk.high + 1)
        for number in numbers:
            if number == chunk.low + len(numbers) // 2:
                time.sleep(payload.get("pause", 0))
            note(chunk.job_id, number, "counted")
        return {"rows": len(numbers), "sum": sum(numbers)}

    def finish(self, payload, results):
        note(0, 0, "finished")
        return jobs.total(results)


@jobs.kind("test:forbidden")
class Beyond(Count):
    def work(self, payload, chunk):
        raise Forbidden("This needs a second person.")


@jobs.kind("test:in_order")
class InOrder(Count):
    serial: ClassVar[bool] = True


@jobs.kind("test:stumble")
class Stumble(Count):
    """Does what `stumbling` holds for a number, after it has written that number."""

    stumbling: ClassVar[dict[int, Any]] = {}

    def work(self, payload, chunk):
        counted = super().work(payload, chunk)
        for number in range(chunk.low, chunk.high + 1):
            if number in self.stumbling:
                self.stumbling[number]()
        return counted


@jobs.kind("test:refused")
class Refused(jobs.Kind):
    def plan(self, payload):
        raise Invalid("There is nobody in this area.", field="area")


@jobs.kind("test:scribble")
class Scribble(jobs.Kind):
    """Writes where it may only look."""

    def plan(self, payload):
        note(0, 0, "planned")
        return []


@jobs.kind("test:whoami")
class WhoAmI(jobs.Kind):
    def work(self, payload, chunk):
        actor, areas = acting.current(), access.seen_areas()
        return {
            "user": actor.user_id,
            "person": actor.person,
            "via": actor.via,
            "reason": actor.reason,
            "areas": None if areas is None else sorted(areas),
            "may_pay": access.may("payments:cycle:approve"),
        }

    def finish(self, payload, results):
        return results[0]


if __name__ == "__main__":
    db.configure(sys.argv[1])
    jobs.install(None, lease_seconds=60)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(jobs.run(int(sys.argv[2])))
