"""The payment order is valid whatever people are called, the same each time, and refused when its totals differ."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from mis.errors import Conflict, Invalid
from payments.providers import pain001
from payments.providers.instructions import AccountKind, Instruction
from payments.providers.streaming import whole_file
from payments.providers.validation import validate
from tests.payments.providers.conftest import batch, instruction

SCHEMAS = Path(pain001.__file__).parent / "schemas"
SCHEMA = etree.XMLSchema(file=str(SCHEMAS / "pain.001.001.09.xsd"))
NS = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


def written(lines: list[Instruction], **changed: object) -> bytes:
    out = io.BytesIO()
    pain001.write(out, batch(lines, **changed), lines)
    return out.getvalue()


def tree(data: bytes) -> etree._Element:
    root = etree.fromstring(data)
    SCHEMA.assertValid(root)
    return root


def texts(data: bytes, place: str) -> list[str]:
    return [str(text) for text in tree(data).xpath(f"//{place}/text()", namespaces=NS)]  # type: ignore[union-attr]


def test_the_order_carries_count_and_control_sum_twice(five: list[Instruction]) -> None:
    data = written(five)
    assert texts(data, "p:NbOfTxs") == ["5", "5"]
    assert texts(data, "p:CtrlSum") == ["500.15", "500.15"]
    assert texts(data, "p:InstdAmt") == ["100.01", "100.02", "100.03", "100.04", "100.05"]
    assert texts(data, "p:EndToEndId") == [line.end_to_end_id for line in five]
    assert texts(data, "p:MsgId") == ["OAP-202611-B1"]
    assert texts(data, "p:PmtInfId") == ["OAP-202611-B1-1"]


@pytest.mark.parametrize(
    ("currency", "text"), [("KES", "15.00"), ("XOF", "1500"), ("TND", "1.500"), ("CLF", "0.1500")]
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, text: str) -> None:
    data = written([instruction(amount_minor=1500)], currency=currency)
    assert texts(data, "p:InstdAmt") == [text]
    assert texts(data, "p:CtrlSum") == [text, text]


@pytest.mark.parametrize(
    ("kind", "account", "place", "found"),
    [
        (AccountKind.IBAN, "GB33 BUKB 2020 1555 5555 55", "p:CdtrAcct/p:Id/p:IBAN", "GB33BUKB20201555555555"),
        (AccountKind.BANK_ACCOUNT, "00-123/4", "p:CdtrAcct/p:Id/p:Othr/p:Id", "00-123/4"),
        (AccountKind.BANK_ACCOUNT, "1", "p:CdtrAcct/p:Id/p:Othr/p:SchmeNm/p:Cd", "BBAN"),
        (AccountKind.MOBILE, "+254700123456", "p:CdtrAcct/p:Prxy/p:Id", "+254700123456"),
        (AccountKind.MOBILE, "+254700123456", "p:CdtrAcct/p:Prxy/p:Tp/p:Cd", "MBNO"),
        (AccountKind.CASH, "Agent 7", "p:CdtrAcct/p:Id/p:Othr/p:Id", "Agent 7"),
    ],
)
def test_each_kind_of_account_has_its_place(kind: AccountKind, account: str, place: str, found: str) -> None:
    assert texts(written([instruction(account_kind=kind, account=account)]), place) == [found]


def test_cash_needs_no_account() -> None:
    assert texts(written([instruction(account_kind=AccountKind.CASH, account="")]), "p:CdtrAcct//p:Id") == []


def test_the_bank_of_the_beneficiary_is_named_by_bic_or_by_national_code() -> None:
    both = [instruction(1, agent_bic="EQBLKENA"), instruction(2, agent_clearing_code="68-000")]
    assert texts(written(both), "p:CdtrAgt/p:FinInstnId/p:BICFI") == ["EQBLKENA"]
    assert texts(written(both), "p:CdtrAgt//p:MmbId") == ["68-000"]
    nobody = written([instruction()], debtor_agent_bic="")
    assert texts(nobody, "p:DbtrAgt/p:FinInstnId/p:Othr/p:Id") == ["NOTPROVIDED"]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(name=st.text(max_size=300), remittance=st.text(max_size=300), party=st.text(max_size=300))
def test_any_text_makes_a_valid_order(name: str, remittance: str, party: str) -> None:
    data = written([instruction(name=name, remittance=remittance)], initiating_party=party, debtor_name=party)
    assert len(texts(data, "p:Cdtr/p:Nm")) == 1


@given(
    name=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), min_size=1, max_size=140)
)
def test_a_name_comes_back_as_it_was(name: str) -> None:
    import unicodedata

    (read_back,) = texts(written([instruction(name=name)]), "p:Cdtr/p:Nm")
    assert read_back == unicodedata.normalize("NFC", name)[:140]


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        ("Zoë  <&>\tO'Hara\r\n", 140, "Zoë &lt;&amp;&gt; O'Hara"),
        ("a\x00b\x0bc\x1fd\x7fe\ufffff\ud800g", 140, "ab c defg"),
        ("", 140, "NOTPROVIDED"),
        ("\x00", 140, "NOTPROVIDED"),
        ("&&&&", 3, "&amp;&amp;&amp;"),
        ("abc def", 4, "abc"),
        ("abcx\u0301\u0323", 4, "abc"),
        ("e\u0301", 1, "é"),
    ],
)
def test_texts_are_cleaned_cut_and_escaped_in_this_order(value: str, limit: int, text: str) -> None:
    assert pain001.text(value, limit) == text


def test_the_same_list_gives_the_same_bytes_in_any_time_zone(five: list[Instruction]) -> None:
    out, again = io.BytesIO(), io.BytesIO()
    moment = datetime(2026, 11, 23, 9, 30, 15, 999, tzinfo=UTC)
    first = pain001.write(out, batch(five, created=moment), five)
    nairobi = moment.astimezone(timezone(timedelta(hours=3)))
    second = pain001.write(again, batch(five, created=nairobi), iter(five))
    assert out.getvalue() == again.getvalue()
    assert first == second
    assert first.sha256 == hashlib.sha256(out.getvalue()).hexdigest()
    assert (first.count, first.total_minor) == (5, 500_15)
    assert b"<CreDtTm>2026-11-23T09:30:15Z</CreDtTm>" in out.getvalue()


@pytest.mark.parametrize(
    "changed", [{"count": 4}, {"count": 6}, {"total_minor": 500_14}, {"total_minor": 500_16}]
)
def test_a_list_with_other_totals_than_the_approved_ones_is_refused(
    five: list[Instruction], changed: dict[str, int]
) -> None:
    with pytest.raises(Conflict, match="must not be sent"):
        pain001.write(io.BytesIO(), batch(five, **changed), five)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(Conflict, match="nothing to pay"):
        written([])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"end_to_end_id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"}, "end_to_end_id"),
        ({"end_to_end_id": ""}, "end_to_end_id"),
        ({"end_to_end_id": "/X"}, "end_to_end_id"),
        ({"end_to_end_id": "X/"}, "end_to_end_id"),
        ({"end_to_end_id": "X//Y"}, "end_to_end_id"),
        ({"end_to_end_id": "Ü"}, "end_to_end_id"),
        ({"end_to_end_id": "A\n"}, "end_to_end_id"),
        ({"amount_minor": 0}, "amount"),
        ({"amount_minor": -1}, "amount"),
        ({"amount_minor": 10**18}, "amount"),
        ({"amount_minor": 1.5}, "amount"),
        ({"account": ""}, "account"),
        ({"account": "9" * 35}, "account"),
        ({"account": "1\n2"}, "account"),
        ({"account_kind": AccountKind.IBAN, "account": "12345"}, "account"),
        ({"account_kind": AccountKind.MOBILE, "account": ""}, "account"),
        ({"agent_bic": "NOPE"}, "agent_bic"),
        ({"agent_clearing_code": "1" * 36}, "agent_clearing_code"),
        ({"purpose": "PENSION"}, "purpose"),
        ({"purpose": "<&>"}, "purpose"),
    ],
)
def test_a_line_that_nobody_can_pay_is_refused_with_its_field(changed: dict[str, object], field: str) -> None:
    lines = [replace(instruction(), **changed)]  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refusal:
        pain001.write(io.BytesIO(), batch(lines), lines)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"msg_id": "M" * 36}, "msg_id"),
        ({"currency": "ABC"}, "currency"),
        ({"debtor_account": ""}, "debtor_account"),
        ({"debtor_account_kind": AccountKind.IBAN, "debtor_account": "1"}, "debtor_account"),
        ({"debtor_agent_bic": "X"}, "debtor_agent_bic"),
        ({"debtor_agent_clearing_code": "1" * 36}, "debtor_agent_clearing_code"),
        ({"category_purpose": "social"}, "category_purpose"),
    ],
)
def test_a_header_that_spoils_the_file_is_refused_with_its_field(
    changed: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        written([instruction()], **changed)
    assert refusal.value.field == field


@pytest.mark.parametrize("msg_id", ["A", "M" * 35, "M" * 32 + "/XY", "It's (1)"])
def test_every_permitted_message_id_gives_a_valid_group_id(msg_id: str) -> None:
    data = written([instruction()], msg_id=msg_id)
    assert texts(data, "p:MsgId") == [msg_id]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path, five: list[Instruction]) -> None:
    path = tmp_path / "order.xml"
    with pytest.raises(Conflict), whole_file(path) as out:
        pain001.write(out, batch(five, count=4), five)
    assert list(tmp_path.iterdir()) == []
    with whole_file(path) as out:
        pain001.write(out, batch(five), five)
    assert list(tmp_path.iterdir()) == [path]
    assert validate(path, pain001.SCHEMA) == []


def test_memory_stays_flat_however_long_the_list(tmp_path: Path) -> None:
    count = 20_000
    path = tmp_path / "order.xml"
    header = batch(count=count, total_minor=count * 150_00)

    def lines() -> Iterable[Instruction]:
        return (instruction(number) for number in range(1, count + 1))

    tracemalloc.start()
    try:
        with whole_file(path) as out:
            pain001.write(out, header, lines())
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 20e6 / 2
    assert path.stat().st_size > 5e6
    assert validate(path, pain001.SCHEMA) == []
