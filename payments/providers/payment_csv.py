"""Lists for providers that want no XML: payments out with the same control totals, answers in with every bad line kept.

out:  end_to_end_id, amount, currency, name, account_kind, account, scheme, period, area   (UTF-8, comma, CRLF)
in:   end_to_end_id, status [, amount, currency, reason, provider_reference, date]          (any order, see ALIASES)
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import BinaryIO

from mis.calendar import parse_date
from mis.errors import Invalid
from mis.money import Money, exponent, parse, to_decimal_text
from payments.providers.answers import BadLine, StatusLine
from payments.providers.instructions import MAX_REFERENCE, BatchHeader, Instruction, Written, check
from payments.providers.statuses import iso_status
from payments.providers.streaming import write_all

_LONGEST_CELL = 100_000
COLUMNS = [
    "end_to_end_id",
    "amount",
    "currency",
    "name",
    "account_kind",
    "account",
    "scheme",
    "period",
    "area",
]

# Other names under which providers return our columns; compared without case, spaces and punctuation.
ALIASES: dict[str, set[str]] = {
    "end_to_end_id": {
        "endtoendid",
        "e2eid",
        "reference",
        "ourreference",
        "paymentreference",
        "paymentid",
        "requestid",
    },
    "status": {"status", "paymentstatus", "transactionstatus", "statut", "result"},
    "amount": {"amount", "paidamount", "amountpaid", "transactionamount", "montant"},
    "currency": {"currency", "currencycode", "ccy", "devise"},
    "reason": {"reason", "reasoncode", "errorcode", "errordescription", "motif", "message"},
    "provider_reference": {"providerreference", "transactionid", "bankreference", "receipt", "providerid"},
    "date": {"date", "paymentdate", "transactiondate", "valuedate", "paidon", "datepaiement"},
}
_REQUIRED = ("end_to_end_id", "status")


def write(out: BinaryIO, batch: BatchHeader, instructions: Iterable[Instruction]) -> Written:
    """Write the list of a frozen batch. The same list gives the same bytes; a list with other totals is refused."""
    return write_all(out, batch, instructions, render=_render)


def _render(batch: BatchHeader, instructions: Iterable[Instruction]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for payment in instructions:
        check(payment)
        writer.writerow(_cells(payment, batch.currency))
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _cells(payment: Instruction, currency: str) -> list[str]:
    money = [to_decimal_text(payment.amount_minor, currency), currency]
    who = [_safe(payment.name), payment.account_kind.value, _safe(payment.account)]
    return [payment.end_to_end_id, *money, *who, *map(_safe, (payment.scheme, payment.period, payment.area))]


# A spreadsheet runs a cell that begins so as a formula; a telephone number with its plus is none.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_PHONE = re.compile(r"\+[0-9 ]+")


def _safe(text: str) -> str:
    """One line of text that no spreadsheet runs: what could be a formula gets an apostrophe before it."""
    guard = "'" if _FORMULA.match(text) and not _PHONE.fullmatch(text) else ""
    return guard + " ".join(text.replace("\0", "").split()) if text else ""


def read(path: Path, *, currency: str, decimal_mark: str | None = None) -> Iterator[StatusLine | BadLine]:
    """Each row of an answer as a status, or as a bad line with its column and sentence; no row stops the others.

    `currency` is the batch's, for lists that do not name one. Without a `decimal_mark` both are tried, and an
    amount that could be read in two ways is a bad line. A file without the needed columns is refused as a whole.
    """
    with open(path, encoding=_encoding(path), errors="replace", newline="") as file:
        delimiter = _delimiter(file.readline())
        file.seek(0)
        rows = _numbered(csv.reader(file, delimiter=delimiter))
        names = _columns(next(rows, (1, []))[1])
        for row_no, row in rows:
            if isinstance(row, BadLine):
                yield row
            elif any(cell.strip() for cell in row):
                try:
                    yield _status_line(row_no, _named(row, names), currency, decimal_mark)
                except Invalid as refusal:
                    yield BadLine(row_no, refusal.field or "", refusal.sentence, delimiter.join(row)[:2000])


def _encoding(path: Path) -> str:
    """The encoding, by its mark or by trial: UTF-8 cannot be mistaken, and what is not UTF-8 is a Windows list."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open(path, "rb") as file:
        start = file.read(4)
        if start == b"PK\x03\x04":
            raise Invalid("The file is a workbook (XLSX). Save it as CSV and send that.", field="file")
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        file.seek(0)
        try:
            while block := file.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _numbered(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str] | BadLine]]:
    """Rows with their number in a spreadsheet, the header being row 1."""
    for row_no in itertools.count(1):
        try:
            # The limit is the process's, and whoever reads lists of people sets another: a cell of an answer is short.
            csv.field_size_limit(_LONGEST_CELL)
            yield row_no, next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            sentence = f"The row cannot be read ({error}); a quotation mark may not be closed."
            yield row_no, BadLine(row_no, "", sentence)


def _columns(header: list[str] | BadLine) -> list[str | None]:
    """Which of our columns each column is; None for one that we do not use."""
    cells = [] if isinstance(header, BadLine) else header
    by_alias = {alias: name for name, aliases in ALIASES.items() for alias in (*aliases, _bare(name))}
    names = [by_alias.get(_bare(cell)) for cell in cells]
    missing = [name for name in _REQUIRED if name not in names]
    if missing:
        raise Invalid(
            f"The list has no column {' and no column '.join(missing)}; its columns are: {cells}.",
            field="file",
        )
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise Invalid(f"Two columns of the list mean {twice[0]}. Leave out one.", field="file")
    return names


def _bare(cell: str) -> str:
    return re.sub(r"[\W_]", "", cell).casefold()


def _named(row: list[str], names: list[str | None]) -> dict[str, str]:
    if any(cell.strip() for cell in row[len(names) :]):
        raise Invalid(f"The row has {len(row)} cells, but the header has {len(names)}.", field="")
    return {name: cell.strip() for name, cell in zip(names, row, strict=False) if name}


def _status_line(row_no: int, cells: dict[str, str], currency: str, decimal_mark: str | None) -> StatusLine:
    end_to_end_id, written = cells.get("end_to_end_id", ""), cells.get("status", "")
    if len(end_to_end_id) > MAX_REFERENCE:
        raise Invalid(f"“{end_to_end_id[:40]}…” is longer than a reference can be.", field="end_to_end_id")
    status = iso_status(written)
    if status is None:
        raise Invalid(
            f"“{written[:40]}” is not a status. Use paid, accepted, rejected, pending or an ISO code.",
            field="status",
        )
    amount = _amount(cells.get("amount", ""), cells.get("currency", "").upper() or currency, decimal_mark)
    code, words = _reason(cells.get("reason", ""))
    return StatusLine(
        line_no=row_no,
        end_to_end_id=end_to_end_id or None,
        status=status,
        reason_code=code,
        reason_text=words,
        amount_minor=amount.minor if amount else None,
        currency=amount.currency if amount else None,
        provider_reference=cells.get("provider_reference", ""),
        on=_day(cells.get("date", "")),
    )


_THREE_DECIMALS = re.compile(r".*[.,]\d{3}")
_POINT_AND_THREE = re.compile(r"\d{1,3}\.\d{3}")


def _amount(text: str, currency: str, decimal_mark: str | None) -> Money | None:
    """An amount in whichever way only one reading allows: "1500,00" and "1,500.00" are clear, "1,500" TND is not."""
    if not text:
        return None
    readings: set[Money] = set()
    refusals: list[Invalid] = []
    for mark in (decimal_mark,) if decimal_mark else _marks(text, currency):
        try:
            # Zeros without value are harmless, but three digits after a mark are as likely thousands.
            zeros = decimal_mark is not None or not _THREE_DECIMALS.fullmatch(text)
            readings.add(parse(text, currency, decimal_mark=mark, allow_trailing_zeros=zeros))
        except Invalid as refusal:
            refusals.append(refusal)
    if not readings:
        raise refusals[0]
    if len(readings) > 1:
        shown = " or ".join(sorted(str(money) for money in readings))
        raise Invalid(
            f"“{text}” could be {shown}. Say which decimal mark this provider uses.", field="amount"
        )
    return readings.pop()


def _marks(text: str, currency: str) -> tuple[str, ...]:
    # "1.005" KES may be a number printed with one decimal too many: refused, rather than read as a thousand and five.
    return (".",) if exponent(currency) and _POINT_AND_THREE.fullmatch(text) else (".", ",")


# "AC04", "AC04: account closed", "57 limit": a code of at most four capitals and digits, then perhaps words.
_CODED_REASON = re.compile(r"((?=\S*\d)[A-Z0-9]{1,4}|[A-Z]{4})(?:\s*[:\-–]\s*|\s+|$)(.*)", re.DOTALL)


def _reason(text: str) -> tuple[str, str]:
    match = _CODED_REASON.fullmatch(" ".join(text.split()))
    return (match[1], match[2]) if match else ("", " ".join(text.split()))


def _day(text: str) -> date | None:
    """A date, with or without a time of day after it."""
    return parse_date(text[:10], field="date") if text else None
