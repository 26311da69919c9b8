"""What became of a list: how many rows, refused for what, and the refused rows beside their reasons, to be mended."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from mis import access, acting
from mis.db import db
from mis.errors import Conflict, Missing
from registry.importing import layout
from registry.models import Area, ImportBatch, ImportRow

_PAGE = 1_000
# What a spreadsheet would take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def in_sight() -> sa.ColumnElement[bool]:
    """The criterion for batches that the one who acts may see: his or her own, and those of no areas but the ones seen.

    A batch is of no area by itself; what it would register is.
    """
    if access.seen_areas() is None:
        return sa.true()
    seen = sa.select(Area.code).where(access.in_scope(Area.id))
    elsewhere = sa.select(ImportRow.row_no).where(
        ImportRow.batch_id == ImportBatch.id,
        ImportRow.outcome == "accepted",
        sa.or_(ImportRow.area_code.is_(None), ImportRow.area_code.not_in(seen)),
    )
    return sa.or_(
        ImportBatch.created_by_id == acting.current().user_id,
        access.in_scope(ImportBatch.area_id),
        sa.and_(ImportBatch.area_id.is_(None), ImportBatch.rows_accepted > 0, ~elsewhere.exists()),
    )


def batches(statuses: Sequence[str]) -> Sequence[ImportBatch]:
    """The batches in sight in some statuses, oldest first."""
    return db.session.scalars(
        sa.select(ImportBatch).where(ImportBatch.status.in_(statuses), in_sight()).order_by(ImportBatch.id)
    ).all()


def batch(number: int) -> ImportBatch:
    """The batch with a number, if it is in sight. Raises Missing."""
    found = db.session.scalar(sa.select(ImportBatch).where(ImportBatch.id == number, in_sight()))
    if found is None:
        raise Missing(f"There is no import batch {number}.", field="batch")
    return found


def summary(batch: ImportBatch) -> dict[str, Any]:
    """What became of a batch: {batch, status, read, accepted, refused: {reason code: rows}, unchanged, failure}."""
    return {
        "batch": batch.id,
        "status": batch.status,
        "read": batch.rows_read,
        "accepted": batch.rows_accepted,
        "refused": dict(reasons(batch)),
        "unchanged": batch.rows_unchanged,
        "failure": batch.failure,
    }


def reasons(batch: ImportBatch) -> Sequence[tuple[str, int]]:
    """Each reason code with its number of refused rows, the commonest first. A row counts by its first problem."""
    count = sa.func.count()
    found = db.session.execute(
        sa.select(ImportRow.reason_code, count)
        .where(ImportRow.batch_id == batch.id, ImportRow.outcome == "refused")
        .group_by(ImportRow.reason_code)
        .order_by(count.desc(), ImportRow.reason_code)
    )
    return [(str(code), int(number)) for code, number in found]


def refused(batch: ImportBatch) -> Iterator[str]:
    """The refused rows as CSV, line by line: the file's own columns, then row_number, columns and reasons.

    Values that a spreadsheet would take for formulas are quoted. Raises Conflict while the file is being read.
    """
    if batch.status == "reading":
        raise Conflict(f"Batch {batch.id} is still being read.", instead="Ask again when it is done.")
    return _refused_lines(batch)


def _refused_lines(batch: ImportBatch) -> Iterator[str]:
    if batch.status == "failed":
        return
    header = layout.header(batch.id)
    yield "\ufeff" + _line([*header, "row_number", "columns", "reasons"])
    problems = _problems(batch)
    row_no, told = next(problems, (None, []))
    # Both come in the order of the file: the values as they stood there, and what was wrong with them.
    for number, cells in layout.all_rows(batch.id):
        if row_no is None:
            return
        if number != row_no:
            continue
        padded = [*cells, *[""] * (len(header) - len(cells))][: len(header)]
        columns = "; ".join(problem["column"] for problem in told)
        sentences = "; ".join(problem["sentence"] for problem in told)
        yield _line([*map(_readable, padded), str(number), columns, sentences])
        row_no, told = next(problems, (None, []))


def _problems(batch: ImportBatch) -> Iterator[tuple[int, list[dict[str, str]]]]:
    after = 0
    while rows := db.session.execute(
        sa.select(ImportRow.row_no, ImportRow.problems)
        .where(ImportRow.batch_id == batch.id, ImportRow.outcome == "refused", ImportRow.row_no > after)
        .order_by(ImportRow.row_no)
        .limit(_PAGE)
    ).all():
        yield from ((row.row_no, row.problems) for row in rows)
        after = rows[-1].row_no


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(
        [f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell for cell in cells]
    )
    return text.getvalue()


def _readable(cell: str) -> str:
    return cell.encode(errors="replace").decode()
