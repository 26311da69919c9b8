"""A list for a provider runs no formula and has the approved totals; no row of its answer is lost or guessed."""

from __future__ import annotations

import csv
import hashlib
import io
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mis.errors import Conflict, Invalid
from payments.providers import payment_csv
from payments.providers.answers import BadLine, StatusLine
from payments.providers.instructions import AccountKind, Instruction
from tests.payments.providers.conftest import batch, instruction

ListOf = Callable[..., Path]


@pytest.fixture
def answer(tmp_path: Path) -> ListOf:
    def made(*lines: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "answer.csv"
        path.write_bytes("\n".join(lines).encode(encoding))
        return path

    return made


def read(path: Path, currency: str = "KES", decimal_mark: str | None = None) -> list[StatusLine | BadLine]:
    return list(payment_csv.read(path, currency=currency, decimal_mark=decimal_mark))


def rows(lines: list[Instruction]) -> list[dict[str, str]]:
    out = io.BytesIO()
    payment_csv.write(out, batch(lines), lines)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline="")))


def test_the_list_has_the_documented_columns() -> None:
    (row,) = rows([instruction(account_kind=AccountKind.MOBILE, account="+254 700 123456")])
    assert row == {
        "end_to_end_id": "OAP-202611-1-01-X",
        "amount": "150.00",
        "currency": "KES",
        "name": "Amina Wanjiru",
        "account_kind": "mobile",
        "account": "+254 700 123456",
        "scheme": "OAP",
        "period": "2026-11",
        "area": "KE-047",
    }


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_text_is_run_as_a_formula(start: str) -> None:
    evil = f'{start}cmd|"/c calc"!A1'
    (row,) = rows([replace(instruction(), name=evil, area=evil, scheme=evil)])
    for column in ("name", "area", "scheme"):
        assert row[column].startswith("'")


@given(name=st.text(max_size=80), account=st.from_regex(r"[!-~]{1,34}", fullmatch=True))
def test_any_text_makes_one_row_that_no_spreadsheet_runs(name: str, account: str) -> None:
    (row,) = rows([instruction(name=name, account=account)])
    assert not row["name"].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert row["account"] in (account, f"'{account}")
    assert row["amount"] == "150.00"


def test_the_list_is_the_same_each_time_and_has_the_approved_totals(five: list[Instruction]) -> None:
    out, again = io.BytesIO(), io.BytesIO()
    first = payment_csv.write(out, batch(five), five)
    assert first == payment_csv.write(again, batch(five), iter(five))
    assert first.sha256 == hashlib.sha256(out.getvalue()).hexdigest()
    assert (first.count, first.total_minor) == (5, 500_15)
    with pytest.raises(Conflict, match="must not be sent"):
        payment_csv.write(io.BytesIO(), batch(five, total_minor=1), five)


def test_an_answer_is_read_with_all_its_columns(answer: ListOf) -> None:
    path = answer(
        "end_to_end_id,status,amount,currency,reason,provider_reference,date",
        "A,paid,150.00,KES,,R1,2026-11-29",
        "B,RJCT,150,KES,AC04: account closed,R2,2026-11-29T10:00:00",
        "",
        "C,pending,,,call us,,",
    )
    assert read(path) == [
        StatusLine(2, "A", "ACCC", "", "", 150_00, "KES", "R1", "", date(2026, 11, 29)),
        StatusLine(3, "B", "RJCT", "AC04", "account closed", 150_00, "KES", "R2", "", date(2026, 11, 29)),
        StatusLine(5, "C", "PDNG", "", "call us"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_separators_and_encodings_of_offices_are_recognised(
    answer: ListOf, delimiter: str, encoding: str
) -> None:
    path = answer(
        delimiter.join(["Statut", "Our reference", "Motif", "unused"]),
        delimiter.join(["Payé", "A", "été", "x"]),
        encoding=encoding,
    )
    assert read(path) == [StatusLine(2, "A", "ACCC", reason_text="été")]


def test_a_bad_row_is_kept_with_its_column_and_stops_nothing(answer: ListOf) -> None:
    path = answer(
        "reference,status,amount,date",
        "A,perhaps,150.00,",
        "B,paid,1.005,",
        "C,paid,150.00,29/11/2026",
        f"{'D' * 36},paid,150.00,",
        "E,paid,150.00,,extra",
        "F,,150.00,",
        "G,paid,150.00,2026-11-29",
    )
    lines = read(path)
    bad = [(line.line_no, line.column) for line in lines if isinstance(line, BadLine)]
    assert bad == [(2, "status"), (3, "amount"), (4, "date"), (5, "end_to_end_id"), (6, ""), (7, "status")]
    assert all(isinstance(line, StatusLine) or (line.sentence and line.raw) for line in lines)
    assert isinstance(lines[-1], StatusLine)
    assert lines[-1].end_to_end_id == "G"


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("150", "KES", 150_00),
        ("1500,00", "KES", 1500_00),
        ("1,500.00", "KES", 1500_00),
        ("1.500,00", "KES", 1500_00),
        ("1 500,5", "KES", 1500_50),
        ("1,500", "KES", 1500_00),
        ("1,000", "XOF", 1000),
        ("1000.00", "XOF", 1000),
        ("1.234.567", "XOF", 1234567),
        ("1.5", "TND", 1500),
        ("1.500", "TND", 1500),
    ],
)
def test_an_amount_that_has_one_reading_is_read(answer: ListOf, text: str, currency: str, minor: int) -> None:
    (line,) = read(answer("reference\tstatus\tamount", f"A\tpaid\t{text}"), currency=currency)
    assert isinstance(line, StatusLine)
    assert (line.amount_minor, line.currency) == (minor, currency)


def test_an_amount_with_two_readings_is_a_bad_line_until_the_mark_is_said(answer: ListOf) -> None:
    path = answer("reference;status;amount", "A;paid;1,500")
    (line,) = read(path, currency="TND")
    assert isinstance(line, BadLine)
    assert "1.500 TND or 1500.000 TND" in line.sentence
    assert [line.amount_minor for line in read(path, "TND", ",") if isinstance(line, StatusLine)] == [1500]
    assert [line.amount_minor for line in read(path, "TND", ".") if isinstance(line, StatusLine)] == [
        1_500_000
    ]


@pytest.mark.parametrize(
    ("reason", "code", "words"),
    [
        ("AC04", "AC04", ""),
        ("AC04 - closed", "AC04", "closed"),
        ("57", "57", ""),
        ("NARR see letter", "NARR", "see letter"),
        ("Account closed", "", "Account closed"),
        ("", "", ""),
    ],
)
def test_a_reason_is_a_code_or_words_or_both(answer: ListOf, reason: str, code: str, words: str) -> None:
    (line,) = read(answer("reference,status,reason", f"A,failed,{reason}"))
    assert isinstance(line, StatusLine)
    assert (line.reason_code, line.reason_text) == (code, words)


def test_a_quotation_mark_that_is_never_closed_loses_no_row_in_silence(answer: ListOf) -> None:
    path = answer("reference,status,reason", 'A,paid,"oops', *(f"B{n},paid,{'x' * 200}" for n in range(1000)))
    assert any(isinstance(line, BadLine) and "quotation mark" in line.sentence for line in read(path))


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"a,b\n1,2\n", b"reference,amount\nA,1\n", b"PK\x03\x04rest", b"<xml/>"]
)
def test_a_file_without_the_needed_columns_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "answer.csv"
    path.write_bytes(content)
    with pytest.raises(Invalid) as refusal:
        read(path)
    assert refusal.value.field == "file"


def test_two_columns_of_one_meaning_are_refused(answer: ListOf) -> None:
    with pytest.raises(Invalid, match="Two columns"):
        read(answer("reference,payment id,status", "A,B,paid"))


@given(content=st.binary(max_size=300))
def test_no_content_crashes_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"reference,status,amount,reason,date\n" + content)
    assert all(isinstance(line, StatusLine | BadLine) for line in read(path))


def test_memory_stays_flat_however_long_the_answer(answer: ListOf) -> None:
    path = answer("reference,status,amount", *(f"A{n},paid,150.00" for n in range(20_000)))
    tracemalloc.start()
    try:
        count = sum(1 for _ in payment_csv.read(path, currency="KES"))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak_bytes < 5e6
