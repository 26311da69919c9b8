"""A file is written out once as numbered rows, a JSON line each: its reading can be cut, and taken up anywhere.

The layout lies beside the upload and is made under another name first: it is there whole, or not at all. A file that
turns out to be unreadable half-way leaves the sentence that says why instead.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from mis import settings
from mis.errors import Invalid
from registry.importing import sheets
from registry.importing.mapping import Mapping

CHUNK_ROWS = 5_000


def lay_out(batch_id: int, path: Path, mapping: Mapping) -> list[tuple[int, int]]:
    """Write the layout of a batch; returns ranges of bytes, each of so many rows; none if it is unreadable."""
    place, failure = _place(batch_id), _failure_place(batch_id)
    draft = place.with_name(f"{place.name}.{os.getpid()}.draft")
    failure.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    try:
        with (
            draft.open("wb") as target,
            sheets.opened(path, mapping.format, wanted=mapping.columns()) as rows,
        ):
            ranges = list(_write(rows, target))
    except Invalid as refusal:
        failure.write_text(refusal.sentence, encoding="utf-8")
        ranges = []
    os.replace(draft, place)
    return ranges


def rows_between(batch_id: int, low: int, high: int) -> Iterator[sheets.Row]:
    """The numbered rows in a range of bytes."""
    with _place(batch_id).open("rb") as file:
        file.seek(low)
        for line in file.read(high - low).splitlines():
            row_no, cells = json.loads(line)
            yield row_no, cells


def all_rows(batch_id: int) -> Iterator[sheets.Row]:
    """All numbered rows, in the order of the file."""
    with _place(batch_id).open("rb") as file:
        file.readline()
        for line in file:
            row_no, cells = json.loads(line)
            yield row_no, cells


def header(batch_id: int) -> list[str]:
    """The header of the list."""
    with _place(batch_id).open("rb") as file:
        names: list[str] = json.loads(file.readline())[1]
    return names


def failure_of(batch_id: int) -> str | None:
    """Why the file could not be read to its end, if it could not."""
    place = _failure_place(batch_id)
    return place.read_text(encoding="utf-8") if place.exists() else None


def _write(rows: Iterator[sheets.Row], target: object) -> Iterator[tuple[int, int]]:
    write, encode = target.write, json.JSONEncoder(ensure_ascii=True).encode  # type: ignore[attr-defined]
    position = low = write((encode(next(rows)) + "\n").encode())
    for count, row in enumerate(rows, start=1):
        position += write((encode(row) + "\n").encode())
        if count % CHUNK_ROWS == 0:
            yield low, position
            low = position
    if position > low:
        yield low, position


def _place(batch_id: int) -> Path:
    return settings.current().instance_path("uploads", f"batch-{batch_id}.rows")


def _failure_place(batch_id: int) -> Path:
    return settings.current().instance_path("uploads", f"batch-{batch_id}.failure")
