"""The shell of the command line: what cannot be done is a sentence and an exit code, whatever is in the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from mis import acting, db_cli, job_cli, user_cli
from mis.accounts.models import User
from mis.acting import SYSTEM
from mis.audit import AuditEntry
from mis.commands import command
from mis.db import db, make_engine
from mis.errors import Forbidden
from tests.mis.accounts.people import make_user


def run(group: click.Command, *words: str, expect: int = 1) -> Any:
    named = 1 if isinstance(group, click.Group) else 0
    answer = CliRunner().invoke(group, [*words[:named], "--json", *words[named:]])
    assert answer.exit_code == expect, (answer.output, answer.exception)
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    return json.loads(answer.stdout)


@contextmanager
def another_writes() -> Iterator[None]:
    """Somebody else holds the write lock of SQLite, and the one who waits for it is not patient."""
    other = make_engine(db.engine.url.render_as_string(hide_password=False))
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=10")
    with other.begin():
        yield
    other.dispose()


def only_sqlite() -> None:
    if db.dialect != "sqlite":
        pytest.skip("only SQLite has one writer")


def test_a_command_that_reads_does_not_wait_for_one_that_writes(app: Flask) -> None:
    only_sqlite()
    run(user_cli.group, "list", expect=0)
    with another_writes():
        assert run(user_cli.group, "list", expect=0) is not None


def test_a_busy_database_is_a_sentence(app: Flask) -> None:
    only_sqlite()
    run(user_cli.group, "list", expect=0)
    with another_writes():
        assert "busy" in run(user_cli.group, "add", "a.mwangi", "--name", "Ama")["error"]


def test_a_database_that_is_not_there_is_a_sentence(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = make_engine("postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(db, "_engine", nowhere)
    assert "does not answer" in run(user_cli.group, "list")["error"]
    monkeypatch.setenv("MIS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    answer = CliRunner().invoke(db_cli.group, ["check"])
    assert (answer.exit_code, answer.output.count("\n")) == (1, 1)
    nowhere.dispose()


def test_an_empty_database_says_what_to_do(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = make_engine("sqlite://")
    monkeypatch.setattr(db, "_engine", empty)
    assert run(user_cli.group, "list")["instead"] == "Run: mis db upgrade"
    empty.dispose()


@pytest.mark.parametrize("number", ["9223372036854775808", "-1", "0", "9" * 40])
def test_a_number_that_no_record_has_is_refused(app: Flask, number: str) -> None:
    assert run(job_cli.group, "show", "--", number)["error"]


def test_what_is_no_text_is_refused(app: Flask) -> None:
    assert run(user_cli.group, "add", "a\udcff", "--name", "Ama")["field"] == "account"
    assert run(user_cli.group, "list", "--as", "\udcff")["field"] == "as"


def test_two_truths_at_once_are_a_refusal(app: Flask) -> None:
    with db.unit_of_work(), acting.acting(SYSTEM):
        make_user("a.mwangi")

    @command(None, "again", permission="accounts:user:manage")
    def again() -> None:
        db.session.add(User(username="a.mwangi", name="Another"))

    assert "just changed" in run(again)["error"]


@pytest.mark.parametrize(("words", "name"), [((), "Command line"), (("--as", "a.mwangi"), "A Mwangi")])
def test_who_is_refused_a_command_is_named_in_the_trail(
    app: Flask, words: tuple[str, ...], name: str
) -> None:
    with db.unit_of_work(), acting.acting(SYSTEM):
        make_user("a.mwangi")

    @command(None, "approve", permission="payments:cycle:approve")
    def approve() -> None:
        raise Forbidden("This needs a second person.")

    run(approve, *words)
    with db.unit_of_work(read_only=True) as session:
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "refused")).one()
    assert (entry.actor_name, entry.via) == (name, "console")
