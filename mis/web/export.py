"""A list as a file, CSV or XLSX: the same rows as the page with the same filters, read and written in small batches.

The file says what the page says; whatever is sealed is a hint there too. What was exported, by which filters and how
many rows, stands in the audit trail: a file leaves the building.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

import xlsxwriter
from flask import Blueprint, Response, request
from flask_babel import gettext as _

from mis import access, audit
from mis.access import signed_in
from mis.calendar import now
from mis.db import db
from mis.errors import Forbidden, Invalid, Missing
from mis.money import Money
from mis.web.listing import Column, Listing
from mis.web.looks import look

# An export holds a transaction open: beyond this a file is a job of its own, and no sheet to read.
MAX_ROWS = 200_000
BATCH = 1000
IN_MEMORY = 4 * 1024 * 1024
PIECE = 64 * 1024

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

blueprint = Blueprint("lists", __name__)


@blueprint.post("/lists/<name>/export.<any(csv, xlsx):kind>")
@signed_in
def export(name: str, kind: str) -> Response:
    """Export a list, under the permission that the list names and in the areas where it is held."""
    listing = Listing.known.get(name)
    if listing is None:
        raise Missing(_("There is no such list."))
    if listing.export_permission is None:
        raise Forbidden(_("This list is not exported."))
    with access.within(listing.export_permission):
        return exported(listing, kind, request.args.to_dict())


def exported(listing: Listing, kind: str, args: dict[str, str]) -> Response:
    """The file of a list, recorded in the audit trail."""
    args = {key: value for key, value in args.items() if key not in ("after", "before")}
    statement = listing.statement(args)
    if listing.count(statement, limit=MAX_ROWS + 1) > MAX_ROWS:
        raise Invalid(
            _("This list has more than %(rows)s rows, too many for one file.", rows=MAX_ROWS),
            instead=_("Narrow it by a filter and export the parts."),
        )
    found = db.session.execute(statement.execution_options(yield_per=BATCH))
    single = len(found.keys()) == 1
    rows = (row[0] if single else row for row in found)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed once it is sent
    count = WRITERS[kind](file, list(listing.columns.values()), rows)
    file.seek(0)
    audit.record(
        "exported", subject_type=listing.name, details={"format": kind, "filters": args, "rows": count}
    )
    filename = f"{listing.name.replace('.', '-')}-{now():%Y%m%d-%H%M}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return Response(_pieces(file), mimetype=TYPES[kind], headers=headers)


def write_csv(file: IO[bytes], columns: list[Column], rows: Iterable[Any]) -> int:
    """Write rows as CSV with a byte order mark, by which spreadsheets recognise UTF-8. Returns the number of rows."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer, count = csv.writer(text), 0
    writer.writerow([harmless(heading) for heading in headings(columns)])
    for count, cells in enumerate(table(columns, rows), start=1):  # noqa: B007 - the last number is the count
        writer.writerow([harmless(cell) for cell in cells])
    text.flush()
    text.detach()
    return count


def write_xlsx(file: IO[bytes], columns: list[Column], rows: Iterable[Any]) -> int:
    """Write rows as a workbook, row by row in constant memory. Returns the number of rows."""
    safely = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "remove_timezone": True,
    }
    book = xlsxwriter.Workbook(file, safely)
    sheet, head, count = book.add_worksheet(), book.add_format({"bold": True}), 0
    as_day, as_moment = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
    for place, heading in enumerate(headings(columns)):
        sheet.write_string(0, place, heading, head)
    sheet.freeze_panes(1, 0)
    for count, cells in enumerate(table(columns, rows), start=1):
        for place, cell in enumerate(cells):
            match cell:
                case datetime():
                    sheet.write_datetime(count, place, cell, as_moment)
                case date():
                    sheet.write_datetime(count, place, cell, as_day)
                case int() | Decimal():
                    sheet.write_number(count, place, cell)
                case None | "":
                    pass
                case _:
                    sheet.write_string(count, place, str(cell))
    book.close()
    return count


WRITERS = {"csv": write_csv, "xlsx": write_xlsx}


def headings(columns: list[Column]) -> list[str]:
    """The first line: a column of money is two, the amount and its currency."""
    return [
        heading
        for column in columns
        for heading in (
            [str(column.label), f"{column.label} ({_('currency')})"]
            if column.kind == "money"
            else [str(column.label)]
        )
    ]


def table(columns: list[Column], rows: Iterable[Any]) -> Iterator[list[Any]]:
    """The cells of each row, as dates, numbers and texts."""
    for row in rows:
        yield [cell for column in columns for cell in _cells(column, (column.export or column.value)(row))]


def harmless(cell: Any) -> Any:
    """A cell for CSV: a text that a spreadsheet would take for a formula is marked as text (a quote before it)."""
    match cell:
        case datetime():
            return cell.isoformat(timespec="seconds")
        case str() if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")):
            return f"'{cell}"
    return cell


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """The file in pieces, closed and gone once it is read."""
    with file:
        while piece := file.read(PIECE):
            yield piece


def _cells(column: Column, value: Any) -> list[Any]:
    if column.kind == "money":
        money: Money | None = value
        return [Decimal(money.to_decimal_text()), money.currency] if money else [None, None]
    if value is None:
        return [None]
    if column.kind in ("status", "yesno"):
        return [str(look(value).label)]
    if isinstance(value, date | datetime) or (isinstance(value, int) and column.kind == "number"):
        return [value]
    return [str(value)]
