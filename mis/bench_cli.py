"""mis bench registry | eligibility | payments: measure against plain SQL, in the same run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from mis.bench import eligibility, measuring, page, payments, registry
from mis.commands import as_text

CASES = {"registry": registry.cases, "eligibility": eligibility.cases, "payments": payments.cases}


@click.command("bench")
@click.argument("room", type=click.Choice(sorted(CASES)))
@click.option("--persons", type=click.IntRange(1_000, 10_000_000), default=100_000, show_default=True)
@click.option(
    "--to", "page_path", type=click.Path(path_type=Path), help="Put the figures into this page as well."
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def command(room: str, persons: int, page_path: Path | None, as_json: bool) -> None:
    """Measure a room on a scratch database beside MIS_DATABASE_URL, which is dropped at the end."""
    with measuring.scratch():
        results = CASES[room](persons)
    if page_path:
        page.write(page_path, results)
    answer = [asdict(result) for result in results]
    click.echo(json.dumps(answer) if as_json else as_text(answer))


commands = (command,)
