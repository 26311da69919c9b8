"""mis bench registry | eligibility | payments: measure against plain SQL, in the same run."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from mis.bench import eligibility, measuring, payments, registry
from mis.commands import as_text

CASES = {"registry": registry.cases, "eligibility": eligibility.cases, "payments": payments.cases}


@click.command("bench")
@click.argument("room", type=click.Choice(sorted(CASES)))
@click.option("--persons", type=click.IntRange(1_000, 10_000_000), default=100_000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(room: str, persons: int, as_json: bool) -> None:
    """Measure a room on a scratch database beside MIS_DATABASE_URL, which is dropped at the end."""
    with measuring.scratch():
        results = [asdict(result) for result in CASES[room](persons)]
    click.echo(json.dumps(results) if as_json else as_text(results))


commands = (command,)
