"""Files as they come: comma, semicolon or tab; UTF-8 or not; workbooks; and things that are no list at all.

Whatever the make, a file yields its header and its rows as texts, each with the number that a spreadsheet shows beside
it (the header is row 1). What cannot be read as a list is refused in a sentence; a damaged cell is left to its row.
"""

from __future__ import annotations

import codecs
import csv
import io
import sys
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, ZipError

from mis.errors import Invalid
from registry.importing.mapping import Format

Row = tuple[int, list[str]]

# A cell beyond this is a whole file in quotes; a header beyond the other is no header.
CELL_CHARACTERS = 10_000
MAX_COLUMNS = 1_000
# A workbook is a zip: what it unpacks to is limited before it is unpacked.
UNPACKED_BYTES = 1_000_000_000
UNPACKED_RATIO = 200
_DELIMITERS = (",", ";", "\t", "|")
_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_HEAD_BYTES = 64 * 1024


def header_of(path: Path, form: Format, *, wanted: Collection[str]) -> list[str]:
    """The header of a list. Raises Invalid if it is no list, or lacks a wanted column, or has one twice."""
    with opened(path, form, wanted=wanted) as rows:
        _, header = next(rows)
    return header


@contextmanager
def opened(path: Path, form: Format, *, wanted: Collection[str]) -> Iterator[Iterator[Row]]:
    """The rows of a list, its checked header first. Raises Invalid, also while the rows are read."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise Invalid("The file is empty.", field="file")
    if head.startswith(_OLD_EXCEL):
        raise Invalid("This is a workbook of the old Excel format. Save it as XLSX or CSV.", field="file")
    if head.startswith(_ZIP):
        _refuse_bomb(path)
        yield _checked(_workbook_rows(path, form), wanted)
        return
    if form.kind == "xlsx":
        raise Invalid("This is not an XLSX workbook, as the mapping says.", field="file")
    encoding = _encoding(head, form)
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as text:
        yield _checked(_csv_rows(text, _delimiter(head, encoding, form, wanted)), wanted)


def _checked(rows: Iterator[Row], wanted: Collection[str]) -> Iterator[Row]:
    header = _header(next(rows, (1, []))[1], wanted)
    yield 1, header
    for row_no, cells in rows:
        if any(cells):
            yield row_no, cells


def _header(cells: list[str], wanted: Collection[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    while header and not header[-1]:
        header.pop()
    if not header or len(header) > MAX_COLUMNS:
        raise Invalid("The first row must be a header that names the columns.", field="file")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise Invalid(f"The header names a column twice: {', '.join(twice[:10])}.", field="file")
    missing = sorted(set(wanted) - set(header))
    if missing:
        found = ", ".join(name[:40] for name in header[:30] if name.isprintable())
        raise Invalid(
            f"The header lacks the columns that the mapping needs: {', '.join(missing)}. It has: {found}.",
            field="file",
        )
    return header


def _encoding(head: bytes, form: Format) -> str:
    for mark, encoding in _BOMS.items():
        if head.startswith(mark):
            return encoding
    # A stray one is left to its row; a program or picture is full of them.
    if head.count(b"\x00") * 50 > len(head):
        raise Invalid("This is neither a CSV file nor an XLSX workbook.", field="file")
    encoding = form.encoding or "utf-8"
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise Invalid(f"The mapping names an unknown encoding: {encoding}.", field="mapping") from None
    return encoding


def _delimiter(head: bytes, encoding: str, form: Format, wanted: Collection[str]) -> str:
    if form.delimiter:
        return form.delimiter
    line = head.decode(encoding, errors="replace").splitlines()[0]

    def fit(delimiter: str) -> tuple[int, int]:
        cells = {cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])}
        return len(cells & set(wanted)), len(cells)

    return max(_DELIMITERS, key=fit)


def _csv_rows(text: io.TextIOBase | Any, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(min(sys.maxsize, 1_000_000))
    row_no = 0
    try:
        for row_no, cells in enumerate(csv.reader(text, delimiter=delimiter), start=1):
            yield row_no, [cell.strip() for cell in cells]
    except (csv.Error, UnicodeError) as error:
        raise Invalid(
            f"The file cannot be read after row {row_no}: {error}. "
            "A quotation mark may have been opened and never closed.",
            field="file",
        ) from None


def _workbook_rows(path: Path, form: Format) -> Iterator[Row]:
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if form.sheet and form.sheet not in names:
            raise Invalid(
                f"The workbook has no sheet “{form.sheet}”. It has: {', '.join(names)}.", field="file"
            )
        if not names:
            raise Invalid("The workbook has no sheet.", field="file")
        sheet = book.get_sheet_by_name(form.sheet or names[0])
        for row_no, cells in enumerate(sheet.iter_rows(), start=(sheet.start or (0, 0))[0] + 1):
            yield row_no, [_cell_text(cell) for cell in cells]
    except PasswordError:
        raise Invalid("The workbook is locked with a password. Save it without one.", field="file") from None
    except (CalamineError, ZipError, OSError):
        raise Invalid("This workbook is damaged, or no XLSX workbook.", field="file") from None


def _cell_text(cell: Any) -> str:
    match cell:
        case bool():
            return "yes" if cell else "no"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
    return str(cell).strip()


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            packed = max(path.stat().st_size, 1)
            sheets = any(entry.filename.startswith("xl/") for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        raise Invalid("This workbook is damaged, or no XLSX workbook.", field="file") from None
    if not sheets:
        raise Invalid("This is a zip archive and no XLSX workbook.", field="file")
    if unpacked > UNPACKED_BYTES or unpacked / packed > UNPACKED_RATIO:
        raise Invalid("This workbook unpacks to far more than it should. Save the list as CSV.", field="file")
