"""A file is a pure function of its frozen list: streamed, counted against the approved totals, put in place whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mis.errors import Conflict
from mis.money import to_decimal_text
from payments.providers.instructions import BatchHeader, Instruction, Written, check_header

Renderer = Callable[[BatchHeader, Iterable[Instruction]], Iterator[str]]

# Enough pieces to make few system calls, few enough to keep memory flat.
_PIECES_PER_WRITE = 2000


def write_all(
    out: BinaryIO, header: BatchHeader, instructions: Iterable[Instruction], *, render: Renderer
) -> Written:
    """Stream the rendered file, then compare its count and sum with the approved ones; a difference refuses the file.

    The approved totals were taken when the list was frozen, not from this stream: that is what makes them a check.
    """
    check_header(header)
    digest, tally = hashlib.sha256(), _Tally()
    for block in _blocks(render(header, tally.counted(instructions))):
        out.write(block)
        digest.update(block)
    if (tally.count, tally.total_minor) != (header.count, header.total_minor):
        raise Conflict(
            f"The approved list has {_totals(header.count, header.total_minor, header.currency)}, "
            f"but {_totals(tally.count, tally.total_minor, header.currency)} were found.",
            instead="The file must not be sent. Find out what changed after the approval.",
        )
    return Written(count=tally.count, total_minor=tally.total_minor, sha256=digest.hexdigest())


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write beside `path` and move into place at the end: a reader, or a crash, never meets half a payment file."""
    unfinished = path.with_name(path.name + ".tmp")
    try:
        with open(unfinished, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


class _Tally:
    """Counts what passes by, in whole minor units."""

    def __init__(self) -> None:
        self.count = 0
        self.total_minor = 0

    def counted(self, instructions: Iterable[Instruction]) -> Iterator[Instruction]:
        for instruction in instructions:
            self.count += 1
            self.total_minor += instruction.amount_minor
            yield instruction


def _blocks(pieces: Iterator[str]) -> Iterator[bytes]:
    buffer: list[str] = []
    for piece in pieces:
        buffer.append(piece)
        if len(buffer) == _PIECES_PER_WRITE:
            yield "".join(buffer).encode()
            buffer.clear()
    yield "".join(buffer).encode()


def _totals(count: int, total_minor: int, currency: str) -> str:
    return f"{count} payments of {to_decimal_text(total_minor, currency)} {currency} in total"
