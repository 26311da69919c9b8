"""The shell of a command: one unit of work, one actor, one permission, an answer for people or for programs.

Every command takes `--json` and `--as USER`. A refusal goes to standard error as a sentence, exits with 1 and changes
nothing. Work that takes long is a job: the command asks for it, runs it in this process with its progress shown, and
then answers from what the job has left in the database, so that it may be killed and taken up again like any other.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import click
from sqlalchemy.exc import DBAPIError, IntegrityError

from mis import access, acting, audit, jobs
from mis.accounts import console, roles
from mis.acting import Actor
from mis.calendar import Month, parse_date, today
from mis.db import db, is_passing, plain
from mis.errors import Conflict, Forbidden, Invalid, Refusal


class Day(click.ParamType[date]):
    """A day written YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read it, or say what is wrong with it."""
        try:
            return value if isinstance(value, date) else parse_date(value)
        except Refusal as refusal:
            self.fail(refusal.sentence, param, ctx)


class MonthName(click.ParamType[Month]):
    """A month written YYYY-MM."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        """Read it, or say what is wrong with it."""
        try:
            return value if isinstance(value, Month) else Month.parse(value)
        except Refusal as refusal:
            self.fail(refusal.sentence, param, ctx)


DAY, MONTH = Day(), MonthName()


@dataclass(frozen=True)
class Work:
    """What a command returns when its work is a job: the shell runs it, then answers with what `then` reads.

    Where one job prepares another, `then` asks for that one, as the next Work, and `reads` is False.
    """

    job_id: int
    then: Callable[[], Any]
    reads: bool = True


@dataclass(frozen=True)
class Shown:
    """An answer with its own text for people; `data` is what --json prints."""

    data: Any
    text: str
    failed: bool = False


def command(
    group: click.Group | None, name: str, *, permission: str, reads: bool = False
) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a command of `group` (or of `mis` itself), done under `permission`.

    One that only `reads` runs in a read-only transaction.
    """

    def declare(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(as_json: bool, username: str | None, **arguments: Any) -> None:
            try:
                with refusing():
                    answer = _do(function, arguments, permission=permission, reads=reads, username=username)
            except Refusal as refusal:
                _refuse(refusal, as_json=as_json, permission=permission, username=username)
            else:
                _show(answer, as_json=as_json)

        shelled = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(run)
        shelled = click.option(
            "--as", "username", metavar="USER", help="The user who acts (default: console)."
        )(shelled)
        made = click.command(name, help=(function.__doc__ or "").strip())(shelled)
        if group is not None:
            group.add_command(made)
        made.mis_permission = permission  # type: ignore[attr-defined]
        return made

    return declare


def actor_named(username: str | None) -> Actor:
    """The actor of a command: the user named, or the built-in console user."""
    user = console.named(username) if username else console.user()
    return roles.actor_of(user, today(), via="console")


def _do(
    function: Callable[..., Any],
    arguments: dict[str, Any],
    *,
    permission: str,
    reads: bool,
    username: str | None,
) -> Any:
    _refuse_unreadable({"as": username} | arguments)
    actor = _who_acts(username)
    with db.unit_of_work(read_only=reads), acting.acting(actor), access.within(permission):
        answer = function(**arguments)
    while isinstance(answer, Work):
        _run(answer.job_id)
        with (
            db.unit_of_work(read_only=answer.reads),
            acting.acting(actor),
            access.within(permission),
        ):
            answer = answer.then()
    return answer


def _who_acts(username: str | None) -> Actor:
    """The actor, found without the write lock: a list must not wait for whatever the worker writes."""
    with db.unit_of_work(read_only=True):
        if username not in (None, console.USERNAME) or console.is_made():
            return actor_named(username)
    with db.unit_of_work():
        return actor_named(username)


def _refuse_unreadable(arguments: dict[str, Any]) -> None:
    for name, value in arguments.items():
        # The shell hands over what is no UTF-8 as lone surrogates, which nothing can store or print.
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            raise Invalid("This is not text in UTF-8.", field=name)


@contextmanager
def refusing() -> Iterator[None]:
    """Say in a sentence what a person can do something about, though it is the database that refuses."""
    try:
        yield
    except IntegrityError:
        raise Conflict(
            "Somebody else has just changed this, and both cannot be true.", instead="Look at it again."
        ) from None
    except DBAPIError as error:
        if is_passing(error):
            raise Conflict(
                "The database is busy, or does not answer.", instead="Try again in a minute."
            ) from None
        if "no such table" in str(error.orig) or getattr(error.orig, "sqlstate", None) == "42P01":
            raise Conflict(
                "The database has not the tables of this release.", instead="Run: mis db upgrade"
            ) from None
        raise


def _run(job_id: int) -> None:
    shown = sys.stderr.isatty()

    def tell(progress: jobs.Progress) -> None:
        if shown:
            click.echo(f"\r{progress.done:>6,} of {progress.total:,} parts", err=True, nl=False)

    job = jobs.run_now(job_id, watch=tell)
    if shown:
        click.echo("", err=True)
    if job.status != jobs.DONE:
        raise Conflict(job.error or f"Job {job.id} is {job.status}.", instead=f"See: mis job show {job.id}")


def _refuse(refusal: Refusal, *, as_json: bool, permission: str, username: str | None) -> None:
    if isinstance(refusal, Forbidden):
        with acting.acting(_refused_actor(username)):
            audit.aside("refused", details={"permission": permission, "why": refusal.sentence})
    if as_json:
        answer = {"error": refusal.sentence, "field": refusal.field, "instead": refusal.instead}
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        click.echo(f"Refused: {refusal}", err=True)
    raise SystemExit(1)


def _refused_actor(username: str | None) -> Actor:
    """Who was refused; nobody, where the one who is named may not act at all."""
    try:
        return _who_acts(username)
    except Refusal:
        return acting.NOBODY


def _show(answer: Any, *, as_json: bool) -> None:
    shown = answer if isinstance(answer, Shown) else Shown(answer, as_text(answer))
    if as_json:
        click.echo(json.dumps(shown.data, ensure_ascii=False, default=plain))
    elif shown.text:
        click.echo(shown.text)
    if shown.failed:
        raise SystemExit(1)


def as_text(answer: Any, *, indent: str = "") -> str:
    """An answer in lines: `name: value`, with lists of records as lines of their values."""
    if answer is None:
        return ""
    if isinstance(answer, Mapping):
        return "\n".join(_line(str(key), value, indent) for key, value in answer.items())
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        return "\n".join(
            indent + "  ".join(f"{key}={plain(value)}" for key, value in item.items())
            if isinstance(item, Mapping)
            else f"{indent}{plain(item)}"
            for item in answer
        )
    return f"{indent}{plain(answer)}"


def _line(key: str, value: Any, indent: str) -> str:
    label = key.replace("_", " ")
    if isinstance(value, Mapping | list | tuple) and value:
        return f"{indent}{label}:\n{as_text(value, indent=indent + '  ')}"
    return f"{indent}{label}: {'–' if value in (None, [], {}) else plain(value)}"
