"""What breaks the schema is found, with its line; what is not XML, or is meant to harm, is refused."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mis.errors import Invalid
from payments.providers import pain001
from payments.providers.validation import Finding, schema_names, validate
from tests.payments.providers.conftest import batch, instruction


@pytest.fixture
def order(tmp_path: Path) -> Path:
    """An order whose payments stand in lines 5 to 14."""
    lines = [instruction(number) for number in range(1, 11)]
    out = io.BytesIO()
    pain001.write(out, batch(lines), lines)
    path = tmp_path / "order.xml"
    path.write_bytes(out.getvalue())
    return path


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


PAYMENT_3 = "<EndToEndId>OAP-202611-3-01-X</EndToEndId>"


def test_the_schemas_of_orders_and_reports_are_shipped() -> None:
    assert schema_names() == ["pain.001.001.09", "pain.002.001.03", "pain.002.001.10"]
    with pytest.raises(Invalid, match=r"pain\.001\.001\.09"):
        validate(Path("any.xml"), "pain.008.001.02")


def test_a_file_of_ours_is_valid(order: Path) -> None:
    assert validate(order, "pain.001.001.09") == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (PAYMENT_3, f"<EndToEndId>{'X' * 36}</EndToEndId>", "maxLength"),
        (PAYMENT_3, "", "EndToEndId"),
        (PAYMENT_3, PAYMENT_3 + "<InstrId>A</InstrId>", "InstrId"),
        (f"<PmtId>{PAYMENT_3}</PmtId>", f"<Purp><Cd>SSBE</Cd></Purp><PmtId>{PAYMENT_3}</PmtId>", "Purp"),
        (
            f'{PAYMENT_3}</PmtId><Amt><InstdAmt Ccy="KES">150.00<',
            f'{PAYMENT_3}</PmtId><Amt><InstdAmt Ccy="KES">-1<',
            "-1",
        ),
        (
            f'{PAYMENT_3}</PmtId><Amt><InstdAmt Ccy="KES">150.00<',
            f'{PAYMENT_3}</PmtId><Amt><InstdAmt Ccy="KES">x<',
            "'x'",
        ),
        (
            f'{PAYMENT_3}</PmtId><Amt><InstdAmt Ccy="KES">',
            f'{PAYMENT_3}</PmtId><Amt><InstdAmt Ccy="kes">',
            "'kes'",
        ),
    ],
)
def test_an_injected_fault_is_found_in_its_line(order: Path, old: str, new: str, says: str) -> None:
    spoil(order, old, new)
    findings = validate(order, "pain.001.001.09")
    assert findings
    assert findings[0].line == 7
    assert any(says in finding.message for finding in findings)
    assert not any("urn:iso" in finding.message for finding in findings)


def test_every_fault_is_found_and_a_valid_file_after_it_is_valid(order: Path) -> None:
    good = order.read_text()
    order.write_text(good.replace('Ccy="KES"', 'Ccy="kes"'))
    lines = {finding.line for finding in validate(order, "pain.001.001.09")}
    assert lines == set(range(5, 15))
    order.write_text(good)
    assert validate(order, "pain.001.001.09") == []


def test_findings_stop_at_a_thousand(tmp_path: Path) -> None:
    lines = [instruction(number) for number in range(1, 1502)]
    out = io.BytesIO()
    pain001.write(out, batch(lines), lines)
    path = tmp_path / "order.xml"
    path.write_bytes(out.getvalue().replace(b'Ccy="KES"', b'Ccy="kes"'))
    assert len(validate(path, "pain.001.001.09")) == 1000


def test_a_file_of_another_message_is_not_valid(order: Path) -> None:
    assert validate(order, "pain.002.001.10")


def test_where_the_file_is_not_xml_the_line_is_said_and_nothing_else(order: Path) -> None:
    spoil(order, PAYMENT_3, "<EndToEndId>OAP</Wrong>")
    (finding,) = validate(order, "pain.001.001.09")
    assert finding.line == 7
    assert "well-formed" in finding.message


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"PK\x03\x04", b"end_to_end_id,status\n", b"<a>", b"\xff\xfe"]
)
def test_what_is_not_xml_is_found_and_never_crashes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(content)
    assert len(validate(path, "pain.001.001.09")) == 1


def test_a_document_type_is_refused_so_that_entities_cannot_explode(order: Path) -> None:
    text = order.read_text().replace(
        "<Document", '<!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>\n<Document', 1
    )
    order.write_text(text.replace("Amina Wanjiru", "&b;"))
    assert validate(order, "pain.001.001.09") == [
        Finding(1, "The file declares a document type (DTD), as no payment message does.")
    ]
