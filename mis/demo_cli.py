"""mis demo: the system with people and work in it, on this machine, until Ctrl-C."""

from __future__ import annotations

import time

import click

from mis import access
from mis import settings as configuration
from mis.demo import office, preparing, seeding, serving
from mis.errors import Conflict, Refusal
from mis.settings import Settings


@click.command("demo")
@click.option("--reset", is_flag=True, help="Throw the data of the demo away, and start afresh.")
@click.option(
    "--port",
    type=click.IntRange(1024, 65535),
    default=5000,
    show_default=True,
    help="The port of the web pages, or the next free one.",
)
@click.option(
    "--households",
    type=click.IntRange(50, 50_000),
    default=1200,
    show_default=True,
    help="How many households a fresh demo has.",
)
@click.option("--seed-only", is_flag=True, help="Fill the database, and do not start web and worker.")
def demo(reset: bool, port: int, households: int, seed_only: bool) -> None:
    """Show the system: demo data, web and worker in the foreground; Ctrl-C stops both."""
    settings = configuration.load()
    try:
        preparing.check(settings)
        with serving.alone(settings.instance_path("demo.lock")):
            if reset:
                preparing.reset(settings)
                click.echo("Everything is emptied; starting afresh.")
            _fill(settings, households=households)
            if seed_only:
                return
            code = serving.run(serving.free_port(port, tell=_warn), ready=_welcome, tell=_warn)
    except Refusal as refusal:
        click.echo(f"Refused: {refusal}", err=True)
        raise SystemExit(1) from None
    raise SystemExit(code)


def _fill(settings: Settings, *, households: int) -> None:
    if preparing.upgrade(settings):
        click.echo("The database is at this release.")
    state = preparing.state()
    if state == "interrupted":
        if not preparing.may_reset(settings):
            raise Conflict("The demo data is not complete.", instead="Empty this database, and start again.")
        click.echo("The demo data is not complete: its making was interrupted. Starting afresh.")
        preparing.reset(settings)
        preparing.upgrade(settings)
    elif state == "seeded":
        click.echo("The demo data is there. To start afresh: mis demo --reset")
        return
    elif state == "foreign":
        click.echo("This database has users already, so no demo data is added to it.")
        return
    click.echo("Filling the demo: three months of work in the Republic of Sample.")
    began = time.monotonic()
    preparing.mark_seeded(seeding.seed(households=households, tell=_progress))
    click.echo(f"Filled in {time.monotonic() - began:.0f} seconds.")


def _progress(seconds: float, sentence: str) -> None:
    click.echo(f"  {seconds:5.1f} s  {sentence}")


def _welcome(address: str) -> None:
    click.echo(f"\nThe demo runs at {address}")
    if preparing.state() == "seeded":
        labels = {code: role.label for code, role in access.roles().by_code.items()}
        width = max(len(labels[colleague.role]) for colleague in office.STAFF)
        click.echo("Sign in as anybody:\n")
        for colleague in office.STAFF:
            where = f"  (in {colleague.area} only)" if colleague.area else ""
            name = f"{colleague.username:<14}"
            click.echo(f"  {labels[colleague.role]:<{width}}  {name}  {office.PASSWORD}{where}")
    click.echo("\nCtrl-C stops it; the data stays.")


def _warn(sentence: str) -> None:
    click.echo(sentence, err=True)


commands = (demo,)
