"""Jobs: asked for once, done once, whoever is killed in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from mis import acting, audit, calendar, jobs
from mis.acting import Actor, Grant
from mis.audit import AuditEntry
from mis.db import Base, db, make_engine
from mis.errors import Conflict, Forbidden, Invalid
from mis.jobs import Chunk, Job, JobChunk, bell, chunks, leases, running
from tests.mis import job_kinds
from tests.mis.job_kinds import Stumble, mark

ROOT = Path(__file__).resolve().parents[2]
AMA = Actor(user_id=7, name="Ama Mensah", person="ama", via="web", grants=(Grant(("test:*:*",), None),))
MAY = "test:count:start"
TABLES = [
    Base.metadata.tables[name]
    for name in ("job", "job_chunk", "audit_entry", "audit_unsealed", "area", "area_closure")
]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A database with the tables of jobs alone: a file, or a schema of its own in PostgreSQL."""
    server = os.environ.get("MIS_TEST_DATABASE_URL", "")
    if not server.startswith("postgresql"):
        yield f"sqlite:///{tmp_path / 'jobs.sqlite'}"
        return
    schema = f"jobs_{uuid.uuid4().hex[:12]}"
    engine = make_engine(server)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    engine.dispose()


@pytest.fixture
def rung() -> list[int]:
    """The bells rung so far."""
    return []


@pytest.fixture(autouse=True)
def ground(url: str, rung: list[int]) -> Iterator[None]:
    before_bell, before_engine = bell._settings, db._engine
    db._engine = make_engine(url)
    Base.metadata.create_all(db.engine, tables=TABLES)
    job_kinds.tables.create_all(db.engine)
    jobs.install(rung.append, lease_seconds=60)
    audit.configure((b"k" * 32,))
    Stumble.stumbling.clear()
    with acting.acting(AMA):
        yield
    db.engine.dispose()
    db._engine, bell._settings = before_engine, before_bell


def asked(kind: str = "test:count", *, upto: int = 20, rows: int = 5, **more: object) -> int:
    with db.unit_of_work():
        return jobs.ask(kind, {"upto": upto, "rows": rows, **more}, permission=MAY).id


def job(job_id: int) -> Job:
    with db.unit_of_work(read_only=True) as session:
        return session.get_one(Job, job_id)


def progress(job_id: int) -> jobs.Progress:
    with db.unit_of_work(read_only=True) as session:
        return jobs.progress(session.get_one(Job, job_id))


def numbers(text: str = "counted") -> list[int]:
    """The numbers marked, in the order of writing (as far as a table has one)."""
    with db.unit_of_work(read_only=True) as session:
        return list(session.scalars(sa.select(mark.c.number).where(mark.c.note == text)))


def change(statement: sa.Update) -> None:
    with db.unit_of_work() as session:
        session.execute(statement, execution_options={"synchronize_session": False})


@contextmanager
def workers(count: int, url: str, job_id: int) -> Iterator[list[subprocess.Popen[str]]]:
    """So many processes, which begin their work together."""
    command = [sys.executable, "-m", "tests.mis.job_kinds", url, str(job_id)]
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(count)
        ]
        for process in started:
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        yield started


def until(true, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.02)


# ── Asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_job_is_worked_in_chunks_and_finished_once():
    job_id = asked(upto=23, rows=5)
    assert jobs.run(job_id) == "done"
    ended = job(job_id)
    assert sorted(numbers()) == list(range(1, 24))
    assert numbers("finished") == [0]
    assert ended.result == {"rows": 23, "sum": sum(range(1, 24))}
    assert ended.finished_at is not None
    assert ended.error is None
    assert progress(job_id) == jobs.Progress(status="done", done=5, total=5, rows=23, seconds_left=None)
    with db.unit_of_work(read_only=True):
        assert jobs.counters(ended) == ended.result


def test_an_ended_job_is_not_run_again():
    job_id = asked()
    jobs.run(job_id)
    assert jobs.run(job_id) == "done"
    assert len(numbers()) == 20


def test_a_job_without_ranges_has_one_chunk():
    with db.unit_of_work():
        job_id = jobs.ask("test:whoami", {}, permission=MAY).id
    assert jobs.run(job_id) == "done"
    assert progress(job_id).total == 1


def test_the_bell_rings_once_the_job_can_be_seen(rung):
    with db.unit_of_work():
        job_id = jobs.ask("test:whoami", {}, permission=MAY).id
        assert rung == []
    assert rung == [job_id]


def test_a_refused_request_leaves_no_job_and_rings_no_bell(rung):
    def ask_and_refuse() -> None:
        with db.unit_of_work():
            jobs.ask("test:whoami", {}, permission=MAY)
            refuse()

    with pytest.raises(Invalid):
        ask_and_refuse()
    with db.unit_of_work(read_only=True) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Job)) == 0
    assert rung == []


def test_a_broken_bell_does_not_refuse_the_work(caplog):
    def broken(_job_id: int) -> None:
        raise ConnectionError("no broker")

    jobs.install(broken)
    assert job(asked()).status == "queued"
    assert "sweeper will ring again" in caplog.text


def test_nobody_asks_without_the_permission():
    with pytest.raises(Forbidden), db.unit_of_work():
        jobs.ask("test:whoami", {}, permission="payments:cycle:approve")


def test_a_double_click_makes_one_job(rung):
    ids = []
    for _ in range(2):
        with db.unit_of_work():
            ids.append(jobs.ask("test:whoami", {"n": 1}, subject="cycle:12", permission=MAY).id)
    assert ids[0] == ids[1]
    assert rung == [ids[0]]


def test_two_who_ask_at_the_same_moment_get_one_job():
    ids: list[int] = []
    together = threading.Barrier(4)

    def ask() -> None:
        with acting.acting(AMA):
            together.wait()
            with db.unit_of_work():
                ids.append(jobs.ask("test:whoami", {}, subject="cycle:12", permission=MAY).id)
                time.sleep(0.05)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_the_same_work_with_other_values_is_refused_while_the_first_is_live():
    with db.unit_of_work():
        first = jobs.ask("test:whoami", {"day": "2026-01-01"}, subject="scheme:4", permission=MAY).id
    with pytest.raises(Conflict, match="Ama Mensah"), db.unit_of_work():
        jobs.ask("test:whoami", {"day": "2026-02-01"}, subject="scheme:4", permission=MAY)
    jobs.run(first)
    with db.unit_of_work():
        assert jobs.ask("test:whoami", {"day": "2026-02-01"}, subject="scheme:4", permission=MAY).id != first


# ── As whom ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_job_acts_as_the_person_who_asked_and_sees_his_areas_only():
    officer = Actor(
        user_id=9,
        name="Kofi",
        person="kofi",
        via="web",
        grants=(Grant(("test:*:*",), 3), Grant(("test:count:*",), 5), Grant(("payments:*:*",), None)),
        reason="Spring round",
    )
    with acting.acting(officer), db.unit_of_work():
        job_id = jobs.ask("test:whoami", {}, permission=MAY).id
    jobs.run(job_id)
    assert job(job_id).result == {
        "user": 9,
        "person": "kofi",
        "via": "job",
        "reason": "Spring round",
        "areas": [3, 5],
        "may_pay": False,
    }


def test_a_job_asked_for_the_whole_country_sees_all_of_it():
    with db.unit_of_work():
        job_id = jobs.ask("test:whoami", {}, permission=MAY).id
    jobs.run(job_id)
    assert (job(job_id).result or {})["areas"] is None


@pytest.mark.parametrize(
    ("today", "may"),
    [
        ((Grant(("test:*:*",), 3), Grant((MAY,), 5)), True),
        ((Grant((MAY,), None),), True),
        ((Grant((MAY,), 3),), False),
        ((Grant(("test:other:start",), None),), False),
        ((), False),
    ],
)
def test_what_was_asked_for_is_not_done_once_the_right_to_it_is_lost(today: tuple[Grant, ...], may: bool):
    with db.unit_of_work() as session, audit.unaudited("the country before the test"):
        tables = Base.metadata.tables
        session.execute(
            sa.insert(tables["area"]),
            [{"id": area, "code": str(area), "name": "-", "kind": "-", "level": 0} for area in (3, 5)],
        )
        session.execute(
            sa.insert(tables["area_closure"]),
            [{"ancestor_id": area, "descendant_id": area, "depth": 0} for area in (3, 5)],
        )
    officer = Actor(9, "Kofi", "kofi", "web", (Grant((MAY,), 3), Grant((MAY,), 5)))
    with acting.acting(officer):
        job_id = asked()
    jobs.install(None, grants_of=lambda user_id: today if user_id == 9 else ())
    assert jobs.run(job_id) == (jobs.DONE if may else jobs.FAILED)
    assert may or (job(job_id).error or "").startswith("Kofi no longer holds")
    assert bool(numbers()) == may


def test_a_job_that_is_forbidden_something_leaves_an_entry():
    job_id = asked("test:forbidden")
    assert jobs.run(job_id) == jobs.FAILED
    with db.unit_of_work(read_only=True) as session:
        entry = session.scalars(sa.select(AuditEntry)).one()
    assert (entry.action, entry.actor_name, entry.via, entry.subject_id) == (
        "refused",
        "Ama Mensah",
        "job",
        str(job_id),
    )


def test_who_calls_a_job_off_and_who_lets_it_go_on_is_written_down():
    job_id = asked()
    with db.unit_of_work() as session:
        jobs.cancel(session.get_one(Job, job_id))
    with acting.acting(Actor(8, "Efua", "efua", "web")), db.unit_of_work() as session:
        jobs.resume(session.get_one(Job, job_id))
    with db.unit_of_work(read_only=True) as session:
        said = [(one.action, one.actor_name) for one in session.scalars(sa.select(AuditEntry))]
    assert said == [("cancelled", "Ama Mensah"), ("resumed", "Efua")]


# ── Killed, shared, late ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_workers_killed_in_the_middle_of_chunks_change_no_total(url, rung):
    job_id = asked(upto=120, rows=10, pause=0.1)
    for round_ in (1, 2, 3):
        with workers(1, url, job_id) as [worker]:
            until(lambda enough=round_ * 2: progress(job_id).done >= enough)
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        assert job(job_id).status == "running"
        until(lambda: jobs.sweep(calendar.now()) == [job_id])  # at once: a dead neighbour is known to be dead
    assert jobs.run(job_id) == "done"
    assert sorted(numbers()) == list(range(1, 121))
    assert numbers("finished") == [0]
    ended = job(job_id)
    assert ended.result == {"rows": 120, "sum": sum(range(1, 121))}
    assert ended.attempt == 4
    assert rung[:4] == [job_id] * 4  # asked for, and swept up three times


@pytest.mark.slow
def test_two_workers_share_the_chunks_and_do_nothing_twice(url):
    job_id = asked(upto=200, rows=5, pause=0.02)
    with workers(2, url, job_id) as [one, two]:
        assert [one.wait(60), two.wait(60)] == [0, 0]
    assert jobs.run(job_id) == "done"
    assert sorted(numbers()) == list(range(1, 201))
    assert numbers("finished") == [0]
    if db.dialect == "postgresql":
        with db.unit_of_work(read_only=True) as session:
            at_work = set(session.scalars(sa.select(mark.c.worker).where(mark.c.note == "counted")))
        assert len(at_work) == 2


@pytest.mark.slow
def test_a_serial_job_keeps_its_order_with_two_workers(url):
    job_id = asked("test:in_order", upto=60, rows=3, pause=0.01)
    with workers(2, url, job_id) as [one, two]:
        assert [one.wait(60), two.wait(60)] == [0, 0]
    assert jobs.run_now(job_id).status == "done"
    assert numbers() == list(range(1, 61))
    with db.unit_of_work(read_only=True) as session:
        done = session.scalars(sa.select(JobChunk.no).order_by(JobChunk.done_at, JobChunk.no))
        assert list(done) == list(range(1, 21))


def started_and_claimed(job_id: int) -> tuple[running.Run, Chunk]:
    """A worker that has planned, claimed its first chunk, and then sleeps."""
    mine = running._start(job_id)
    assert mine is not None
    running._plan(mine)
    with db.unit_of_work():
        chunk = chunks.claim(db.session.get_one(Job, job_id), token=mine.token, serial=False)
    assert chunk is not None
    return mine, chunk


def test_the_late_commit_of_a_worker_whose_lease_ran_out_is_refused(caplog):
    job_id = asked(upto=10, rows=5)
    mine, chunk = started_and_claimed(job_id)
    change(sa.update(JobChunk).where(JobChunk.no == chunk.no).values(lease_until=calendar.now()))
    assert jobs.run(job_id) == "done"
    running._work(mine, chunk)
    assert sorted(numbers()) == list(range(1, 11))
    assert "taken over by another worker" in caplog.text


def test_a_chunk_lost_before_the_commit_is_rolled_back():
    job_id = asked(upto=10, rows=5)
    mine, chunk = started_and_claimed(job_id)

    def lose_it_and_commit() -> None:
        with db.unit_of_work() as session:
            job_kinds.note(job_id, 1, "counted")
            session.execute(sa.update(JobChunk).where(JobChunk.no == chunk.no).values(token="another's"))
            chunks.mark_done(chunk, token=mine.token, result=None)

    with pytest.raises(chunks.LostClaim):
        lose_it_and_commit()
    assert numbers() == []


def test_a_claim_that_still_holds_is_left_to_its_worker():
    job_id = asked(upto=10, rows=5)
    started_and_claimed(job_id)
    assert jobs.run(job_id) == "running"
    assert numbers() == [6, 7, 8, 9, 10]
    assert numbers("finished") == []


def test_a_slow_worker_keeps_its_chunk_though_the_lease_ran_out():
    """The row of a chunk stays locked while it is worked: only a worker that is gone loses it."""
    if db.dialect == "sqlite":
        pytest.skip("on SQLite the one write lock does this: the second worker could not even ask")
    begun, over = threading.Event(), threading.Event()

    def linger() -> None:
        begun.set()
        over.wait(20)

    Stumble.stumbling[1] = linger
    job_id = asked("test:stumble", upto=5, rows=5)
    slow = threading.Thread(target=jobs.run, args=(job_id,))
    slow.start()
    assert begun.wait(20)
    jobs.install(None, lease_seconds=0)
    with db.unit_of_work() as session:
        past = calendar.now() - timedelta(hours=1)
        assert chunks.claim(session.get_one(Job, job_id), token="another's", serial=False) is None
        session.execute(sa.update(Job).values(lease_until=past))
    assert jobs.run(job_id) == "running"
    over.set()
    slow.join()
    assert job(job_id).status == "done"
    assert sorted(numbers()) == [1, 2, 3, 4, 5]


def test_a_chunk_that_kills_every_worker_fails_the_job():
    job_id = asked(upto=5, rows=5)
    started_and_claimed(job_id)
    change(sa.update(JobChunk).values(attempt=chunks.TRIES, lease_until=calendar.now()))
    assert jobs.run(job_id) == "failed"
    assert "Internal error, reference" in (job(job_id).error or "")
    with db.unit_of_work() as session:
        jobs.resume(session.get_one(Job, job_id))
    assert jobs.run(job_id) == "done"


def test_a_worker_told_to_stop_leaves_after_its_chunk_and_the_next_one_goes_on(rung):
    job_id = asked(upto=20, rows=5)
    assert jobs.run(job_id, stop=lambda: len(numbers()) >= 10) == "running"
    assert len(numbers()) == 10
    assert jobs.sweep(calendar.now()) == [job_id]
    assert jobs.run(job_id) == "done"
    assert job(job_id).attempt == 1  # handed over, not begun again
    assert sorted(numbers()) == list(range(1, 21))


def test_an_interrupted_command_leaves_the_job_to_the_next_worker():
    def interrupt() -> None:
        raise KeyboardInterrupt

    Stumble.stumbling[8] = interrupt
    job_id = asked("test:stumble")
    with pytest.raises(KeyboardInterrupt):
        jobs.run_now(job_id)
    Stumble.stumbling.clear()
    assert numbers() == [1, 2, 3, 4, 5]
    assert jobs.sweep(calendar.now()) == [job_id]
    with db.unit_of_work() as session:
        # Its process, this one, is not dead, so the claim holds until its lease runs out.
        session.execute(sa.update(JobChunk).values(lease_until=calendar.now()))
    assert jobs.run(job_id) == "done"
    assert sorted(numbers()) == list(range(1, 21))


# ── Cancelled, refused, crashed ──────────────────────────────────────────────────────────────────────────────────────


def cancelled(job_id: int) -> None:
    with db.unit_of_work() as session:
        jobs.cancel(session.get_one(Job, job_id))


def test_a_waiting_job_is_cancelled_at_once():
    job_id = asked()
    cancelled(job_id)
    assert (job(job_id).status, job(job_id).error) == (
        "cancelled",
        "Cancelled by Ama Mensah before anything was done.",
    )
    assert jobs.run(job_id) == "cancelled"
    assert numbers() == []


def test_a_running_job_is_cancelled_after_its_chunk_and_says_what_stays():
    job_id = asked(upto=20, rows=5)
    assert jobs.run(job_id, watch=lambda at: cancelled(job_id) if at.done == 2 else None) == "cancelled"
    assert numbers() == list(range(1, 11))
    assert job(job_id).error == "Cancelled by Ama Mensah after 2 of 4 chunks; what these did stays done."
    assert numbers("finished") == []


def test_a_cancelled_job_whose_worker_died_is_closed_by_the_next():
    job_id = asked()
    started_and_claimed(job_id)
    cancelled(job_id)
    assert jobs.run(job_id) == "running"  # one is still within a chunk
    change(sa.update(JobChunk).values(lease_until=calendar.now()))
    assert jobs.run(job_id) == "cancelled"


def test_an_ended_job_cannot_be_cancelled():
    job_id = asked()
    jobs.run(job_id)
    with pytest.raises(Conflict, match="already ended"):
        cancelled(job_id)


def refuse() -> None:
    raise Invalid("Household 17 has no head.", field="head", instead="Name one first.")


def crash() -> None:
    raise ZeroDivisionError


def test_a_refusal_fails_the_job_with_its_sentence():
    Stumble.stumbling[8] = refuse
    job_id = asked("test:stumble")
    assert jobs.run(job_id) == "failed"
    assert job(job_id).error == "Household 17 has no head. Name one first."
    assert numbers() == [1, 2, 3, 4, 5]


def test_a_refused_plan_fails_the_job():
    with db.unit_of_work():
        job_id = jobs.ask("test:refused", {}, permission=MAY).id
    assert jobs.run(job_id) == "failed"
    assert job(job_id).error == "There is nobody in this area."


def test_a_plan_looks_and_does_not_write():
    with db.unit_of_work():
        job_id = jobs.ask("test:scribble", {}, permission=MAY).id
    assert jobs.run(job_id) == "failed"
    assert numbers("planned") == []


def test_a_crash_is_logged_under_its_reference_and_the_job_can_go_on(caplog):
    Stumble.stumbling[13] = crash
    job_id = asked("test:stumble")
    assert jobs.run(job_id) == "failed"
    sentence = job(job_id).error or ""
    reference = sentence.removeprefix("Internal error, reference ").split(".")[0]
    assert len(reference) == 8
    assert reference in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert len(numbers()) == 10
    Stumble.stumbling.clear()
    with db.unit_of_work() as session:
        jobs.resume(session.get_one(Job, job_id))
    assert jobs.run(job_id) == "done"
    assert sorted(numbers()) == list(range(1, 21))
    assert (job(job_id).result or {})["rows"] == 20


def test_a_crash_in_the_last_step_leaves_it_undone(monkeypatch):
    def finish_badly(self, payload, results):
        job_kinds.note(0, 0, "finished")
        crash()

    monkeypatch.setattr(Stumble, "finish", finish_badly)
    job_id = asked("test:stumble")
    assert jobs.run(job_id) == "failed"
    assert numbers("finished") == []
    monkeypatch.undo()
    with db.unit_of_work() as session:
        jobs.resume(session.get_one(Job, job_id))
    assert jobs.run(job_id) == "done"
    assert len(numbers()) == 20
    assert numbers("finished") == [0]


def test_only_a_failed_or_cancelled_job_can_go_on(rung):
    job_id = asked()
    with pytest.raises(Conflict, match="queued"), db.unit_of_work() as session:
        jobs.resume(session.get_one(Job, job_id))


def test_a_job_does_not_go_on_beside_a_later_one_of_the_same_subject():
    ids = []
    for _ in range(2):
        with db.unit_of_work():
            ids.append(jobs.ask("test:whoami", {}, subject="cycle:12", permission=MAY).id)
        if len(ids) == 1:
            cancelled(ids[0])
    with pytest.raises(Conflict, match="later job"), db.unit_of_work() as session:
        jobs.resume(session.get_one(Job, ids[0]))
    assert job(ids[0]).status == "cancelled"


def test_a_busy_database_is_waited_for(monkeypatch):
    busy = OperationalError("BEGIN", {}, _locked())
    asked_before: list[int] = []

    def sometimes(self, payload, chunk):
        asked_before.append(chunk.no)
        if len(asked_before) in (1, 3):
            raise busy
        return job_kinds.Count.work(self, payload, chunk)

    monkeypatch.setattr(Stumble, "work", sometimes)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    job_id = asked("test:stumble", upto=10, rows=5)
    assert jobs.run(job_id) == "done"
    assert asked_before == [1, 1, 2, 2]
    assert sorted(numbers()) == list(range(1, 11))


def _locked() -> Exception:
    import sqlite3

    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorname = "SQLITE_BUSY"
    return error


# ── The sweeper, the lease, the pace ─────────────────────────────────────────────────────────────────────────────────


def test_the_sweeper_rings_for_a_bell_that_was_never_heard(rung):
    job_id = asked()
    rung.clear()
    asked_at = job(job_id).created_at
    assert jobs.sweep(asked_at + timedelta(seconds=59)) == []
    assert jobs.sweep(asked_at + timedelta(seconds=61)) == [job_id]
    assert jobs.sweep(asked_at + timedelta(seconds=62)) == []
    assert jobs.sweep(asked_at + timedelta(seconds=122)) == [job_id]
    assert rung == [job_id, job_id]


def test_the_sweeper_leaves_a_living_worker_alone_until_its_lease_runs_out():
    job_id = asked()
    started_and_claimed(job_id)
    begun = job(job_id).heartbeat_at
    assert begun is not None
    assert jobs.sweep(begun + timedelta(seconds=30)) == []
    assert jobs.sweep(begun + timedelta(seconds=61)) == [job_id]
    assert jobs.sweep(begun + timedelta(seconds=62)) == []


def test_the_sweeper_forgets_what_has_ended():
    job_id = asked()
    jobs.run(job_id)
    assert jobs.sweep(calendar.now() + timedelta(days=1)) == []


def test_a_long_chunk_renews_the_lease_of_its_job():
    if db.dialect == "sqlite":
        pytest.skip("on SQLite the lease is renewed between chunks: there is one writer at a time")
    jobs.install(None, lease_seconds=1)
    Stumble.stumbling[1] = lambda: time.sleep(1.6)
    job_id = asked("test:stumble", upto=5, rows=5)
    worker = threading.Thread(target=jobs.run, args=(job_id,))
    worker.start()
    until(lambda: job(job_id).planned_at is not None)
    time.sleep(1.4)
    assert jobs.sweep(calendar.now()) == []
    worker.join()
    assert job(job_id).status == "done"


def test_a_worker_of_this_machine_is_known_to_be_alive_or_dead():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        machine = leases.this_worker().rsplit("/", 2)[0]
        name = f"{machine}/{other.pid}/{leases._started(other.pid)}"
        assert not leases.is_dead(name)
        other.kill()
        until(lambda: leases.is_dead(name))  # even before anybody has buried it
    assert leases.is_dead(name)
    assert not leases.is_dead(leases.this_worker())
    assert leases.is_dead(f"{machine}/{os.getpid()}/1")  # its number was given to another process
    assert not leases.is_dead(f"elsewhere/boot/1/{other.pid}/1")


def test_the_pace_says_how_long_it_will_take():
    job_id = asked(upto=20, rows=5)
    seen: list[jobs.Progress] = []
    jobs.run(job_id, watch=seen.append)
    assert [(at.done, at.total, at.rows) for at in seen] == [(n, 4, 5 * n) for n in range(5)]
    assert [at.fraction for at in seen] == [0, 0.25, 0.5, 0.75, 1]
    begun = job(job_id).resumed_at
    assert begun is not None
    change(sa.update(JobChunk).where(JobChunk.no > 1).values(status="waiting", done_at=None))
    change(sa.update(JobChunk).where(JobChunk.no == 1).values(done_at=begun + timedelta(seconds=20)))
    change(sa.update(Job).values(status="running", finished_at=None))
    assert progress(job_id).seconds_left == 60


def test_waiting_ends_with_the_job_or_with_the_time():
    job_id = asked()
    assert jobs.wait(job_id, timeout_seconds=0).status == "queued"
    assert jobs.run_now(job_id).status == "done"
    assert jobs.wait(job_id, timeout_seconds=5).status == "done"


def test_ranges_are_cut_by_rows_and_not_by_distance():
    with db.unit_of_work() as session:
        for number in (1, 2, 3, 1000, 1001, 5000, 90000):
            session.execute(sa.insert(mark).values(job_id=1, number=number))
        found = sa.select(mark.c.number).where(mark.c.number > 1)
        assert list(jobs.cut(found, rows=2)) == [(2, 3), (1000, 1001), (5000, 90000)]
        assert list(jobs.cut(found.where(mark.c.number < 0), rows=2)) == []
    assert list(jobs.spans(1, 7, rows=3)) == [(1, 3), (4, 6), (7, 7)]
    assert list(jobs.spans(1, 0, rows=3)) == []
