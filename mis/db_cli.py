"""mis db upgrade | check: bring the database to this release, and ask whether it is there."""

from __future__ import annotations

import json

import click

from mis import migrating, settings
from mis.commands import refusing
from mis.errors import Refusal


@click.group("db")
def group() -> None:
    """The database: its schema, and whether it fits this release."""


@group.command("upgrade")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def upgrade(as_json: bool) -> None:
    """Apply all migrations that the database has not seen."""
    url = settings.load().effective_database_url
    before = _revision_of(url)
    migrating.upgrade(url)
    _answer({"before": before, "now": migrating.revision_of(url)}, as_json=as_json)


@group.command("check")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def check(as_json: bool) -> None:
    """Say whether the database has the schema of this release; exits with 1 if not."""
    url = settings.load().effective_database_url
    now, newest = _revision_of(url), migrating.newest()
    differing = [str(difference)[:200] for difference in migrating.differences(url)] if now == newest else []
    fits = now == newest and not differing
    _answer({"now": now, "newest": newest, "fits": fits, "differences": differing}, as_json=as_json)
    raise SystemExit(0 if fits else 1)


def _revision_of(url: str) -> str | None:
    try:
        with refusing():
            return migrating.revision_of(url)
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from None


def _answer(answer: dict[str, object], *, as_json: bool) -> None:
    click.echo(
        json.dumps(answer) if as_json else "\n".join(f"{key}: {value}" for key, value in answer.items())
    )


commands = (group,)
