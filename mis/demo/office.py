"""The office of the Republic of Sample: who works there, in which role, and how they act while the demo is seeded.

Everybody is fictional and has the same password, which the demo prints; it is no secret and opens nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from mis import access, acting, jobs
from mis.accounts import console, roles, users
from mis.accounts.models import User
from mis.acting import Actor
from mis.db import MisSession, db
from mis.errors import Conflict

PASSWORD = "republic-of-sample"  # noqa: S105 - printed on every start, as the module says


@dataclass(frozen=True)
class Colleague:
    """Somebody who works in the office."""

    username: str
    name: str
    role: str
    area: str | None = None


ADMINISTRATOR = Colleague("rania.ibis", "Rania Ibis", "system_administrator")
DRAFTER = Colleague("celia.cedar", "Celia Cedar", "scheme_administrator")
PUBLISHER = Colleague("dario.heron", "Dario Heron", "scheme_administrator")
REGISTRAR = Colleague("imani.finch", "Imani Finch", "enrolment_officer")
SECOND_REGISTRAR = Colleague("omari.willow", "Omari Willow", "enrolment_officer")
NORTHERN_REGISTRAR = Colleague("talia.plover", "Talia Plover", "enrolment_officer", area="XX-N")
PAYER = Colleague("samir.osprey", "Samir Osprey", "payment_officer")
APPROVER = Colleague("yara.kestrel", "Yara Kestrel", "payment_approver")
CASEWORKER = Colleague("nadia.linden", "Nadia Linden", "grievance_officer")
SECOND_CASEWORKER = Colleague("yusuf.moringa", "Yusuf Moringa", "grievance_officer")
AUDITOR = Colleague("hana.egret", "Hana Egret", "auditor")

STAFF = (
    ADMINISTRATOR, DRAFTER, PUBLISHER, REGISTRAR, SECOND_REGISTRAR, NORTHERN_REGISTRAR, PAYER, APPROVER,
    CASEWORKER, SECOND_CASEWORKER, AUDITOR,
)  # fmt: skip


def hire(*, day: date, at: datetime, areas: dict[str, int]) -> int:
    """Give everybody an account, a role and the password of the demo; returns how many they are.

    The command line makes the administrator, who makes all others: nobody gives a role to himself or herself.
    """
    _take_on(ADMINISTRATOR, by=None, day=day, at=at, areas=areas)
    for colleague in STAFF[1:]:
        _take_on(colleague, by=ADMINISTRATOR, day=day, at=at, areas=areas)
    return len(STAFF)


@contextmanager
def at_work(colleague: Colleague | None, permission: str, *, day: date) -> Iterator[MisSession]:
    """One unit of work, done by a colleague (or by the command line) under a permission."""
    with db.unit_of_work() as session, acting.acting(_actor(colleague, day)), access.within(permission):
        yield session


def finish(job_id: int) -> jobs.Job:
    """Run a job in this process to its end. Raises Conflict with its own words if it fails."""
    job = jobs.run_now(job_id)
    if job.status != jobs.DONE:
        raise Conflict(job.error or f"Job {job.id} ({job.kind}) is {job.status}.")
    return job


def is_there() -> bool:
    """Whether the office has been moved into: its administrator has an account. Needs a unit of work."""
    return db.session.scalar(sa.select(User.id).where(User.username == ADMINISTRATOR.username)) is not None


def _actor(colleague: Colleague | None, day: date) -> Actor:
    user = console.user() if colleague is None else console.named(colleague.username)
    return roles.actor_of(user, day, via="console")


def _take_on(
    colleague: Colleague, *, by: Colleague | None, day: date, at: datetime, areas: dict[str, int]
) -> None:
    with at_work(by, "accounts:user:manage", day=day):
        user, _password = users.create(
            colleague.username,
            name=colleague.name,
            email=f"{colleague.username}@sample.example",
            password=PASSWORD,
            at=at,
        )
        # What is printed on every start is not worth changing at the first sign-in.
        user.must_change_password = False
        area_id = areas[colleague.area] if colleague.area else None
        roles.assign(user, colleague.role, area_id=area_id, expires_on=None, day=day)
