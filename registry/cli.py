"""The commands of the registry: mis area load, mis import (and accept, reject, show, refused)."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import click

from mis import calendar
from mis.commands import Shown, Work, command
from mis.errors import Invalid
from registry import areas, tasks
from registry.importing import accepting, mapping, reporting, staging

assert tasks.KINDS  # The work that these commands ask for is known to this process.

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Importing(click.Group):
    """`mis import FILE …` brings a file; what comes after `import` is a file unless it is the name of a subcommand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the unsaid `file` before what is no subcommand."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["file", *args]
        return super().parse_args(ctx, args)


area_group = click.Group("area", help="Areas: the places of the country and how they lie in one another.")
import_group = Importing(
    "import",
    help="Bring a list of people: mis import FILE --mapping MAPPING. A second person accepts the batch.",
    subcommand_metavar="FILE --mapping MAPPING | COMMAND [ARGS]...",
)


@command(area_group, "load", permission="registry:area:manage")
@click.argument("file", type=EXISTING_FILE)
def load(file: Path) -> dict[str, int]:
    """Load areas from a CSV file with the columns code, name, kind, parent_code (valid_from, valid_to)."""
    return areas.load_file(file)


@command(import_group, "file", permission=staging.PERMISSION)
@click.argument("file", type=EXISTING_FILE)
@click.option(
    "--mapping", "mapping_name", required=True, help="A mapping file, or the name of a shipped one."
)
@click.option("--area", "area_code", help="The area of all rows, where the mapping names none.")
def bring(file: Path, mapping_name: str, area_code: str | None) -> Any:
    """Read a CSV or XLSX file into a batch; each row is accepted or refused, and nothing is registered yet."""
    name, text = _mapping(mapping_name)
    area = areas.by_code(area_code) if area_code else None
    if area_code and area is None:
        raise Invalid(f"There is no area {area_code}.", field="area")
    with file.open("rb") as content:
        begun = staging.begin(
            content, file_name=file.name, mapping_text=text, mapping_name=name, at=calendar.now(),
            area_id=area.id if area else None,
        )  # fmt: skip
    number, again = begun.batch.id, begun.again
    if begun.job_id is None:
        return _summary(number, again=again)
    return Work(begun.job_id, lambda: _summary(number, again=again))


@command(import_group, "accept", permission=accepting.PERMISSION)
@click.argument("batch", type=int)
def accept(batch: int) -> Work:
    """Accept a batch, as a second person, and register its accepted rows."""
    job = accepting.accept(reporting.batch(batch))
    return Work(job.id, lambda: reporting.summary(reporting.batch(batch)))


@command(import_group, "reject", permission=accepting.PERMISSION)
@click.argument("batch", type=int)
@click.option("--reason", required=True, help="Why the batch is turned down.")
def reject(batch: int, reason: str) -> dict[str, Any]:
    """Turn a batch down; its file may then be brought again."""
    record = reporting.batch(batch)
    accepting.reject(record, reason=reason)
    return reporting.summary(record)


@command(import_group, "show", permission="registry:import:read", reads=True)
@click.argument("batch", type=int)
def show(batch: int) -> dict[str, Any]:
    """Say what became of a batch."""
    return reporting.summary(reporting.batch(batch))


@command(import_group, "refused", permission="registry:import:read", reads=True)
@click.argument("batch", type=int)
def refused(batch: int) -> Shown:
    """Write the refused rows as CSV, each with its row number, columns and reasons."""
    text = "".join(reporting.refused(reporting.batch(batch)))
    return Shown(list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))), text.rstrip("\r\n"))


def _mapping(name: str) -> tuple[str, str]:
    path = Path(name)
    if path.is_file():
        try:
            return path.name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise Invalid(f"{path.name} is not UTF-8 text.", field="mapping") from None
    shipped = mapping.shipped()
    for known in (name, f"{name}.yaml"):
        if known in shipped:
            return known, shipped[known]
    raise Invalid(f"There is no mapping file {name}. Shipped are: {', '.join(shipped)}.", field="mapping")


def _summary(number: int, *, again: bool) -> dict[str, Any]:
    return reporting.summary(reporting.batch(number)) | {"already": again}


commands: tuple[click.Command, ...] = (area_group, import_group)
