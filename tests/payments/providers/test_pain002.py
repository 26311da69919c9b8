"""A status report of any version is read item by item: nothing is lost, nothing is guessed, memory stays flat."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from mis.errors import Invalid
from payments.providers import pain002
from payments.providers.answers import Answer, BadLine, GroupStatus, StatusLine
from payments.providers.validation import validate

SAMPLES = Path(__file__).parent / "samples"
Report = Callable[..., Path]

HEAD = "<GrpHdr><MsgId>S-1</MsgId><CreDtTm>2026-11-29T08:00:00</CreDtTm></GrpHdr>"
ORIGINAL = "<OrgnlMsgId>OAP-202611-B1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"


@pytest.fixture
def report(tmp_path: Path) -> Report:
    def made(body: str, *, group: str = "", version: str | None = "10") -> Path:
        namespace = f' xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"' if version else ""
        path = tmp_path / "report.xml"
        path.write_text(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Document{namespace}><CstmrPmtStsRpt>\n{HEAD}\n'
            f"<OrgnlGrpInfAndSts>{ORIGINAL}{group}</OrgnlGrpInfAndSts>\n{body}\n</CstmrPmtStsRpt></Document>"
        )
        return path

    return made


def group(items: str, *, before: str = "", name: str = "B1-1") -> str:
    return f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{name}</OrgnlPmtInfId>{before}{items}</OrgnlPmtInfAndSts>"


def item(end_to_end_id: str, status: str = "", more: str = "") -> str:
    told = f"<TxSts>{status}</TxSts>" if status else ""
    return f"<TxInfAndSts><OrgnlEndToEndId>{end_to_end_id}</OrgnlEndToEndId>{told}{more}</TxInfAndSts>"


def answers(path: Path) -> list[Answer]:
    return list(pain002.read(path))


@pytest.mark.parametrize(
    ("sample", "message"), [("pain002_sample.xml", "PMT-BATCH-001"), ("pain002_v15_sample.xml", "MSG-001")]
)
def test_reports_of_other_systems_are_read(sample: str, message: str) -> None:
    assert answers(SAMPLES / sample) == [
        StatusLine(1, "PaymentID6789", "RJCT", reason_code="AC04", original_msg_id=message),
        GroupStatus(message, "PAY-INFO-001", "PART", items=1),
        GroupStatus(message, None, "PART", items=1),
    ]


def test_every_item_of_every_group_is_delivered(report: Report) -> None:
    body = group("".join(item(f"A{n}", "ACSC") for n in range(50))) + group(item("B", "RJCT"), name="B1-2")
    lines = answers(report(body))
    assert [line.line_no for line in lines if isinstance(line, StatusLine)] == list(range(1, 52))
    assert len({line.end_to_end_id for line in lines if isinstance(line, StatusLine)}) == 51


@pytest.mark.parametrize("version", ["03", "10", "14", None])
def test_the_version_of_the_namespace_does_not_matter(report: Report, version: str | None) -> None:
    (line,) = answers(report(group(item("A", "ACCP")), version=version))
    assert line == StatusLine(1, "A", "ACCP", original_msg_id="OAP-202611-B1")


def test_an_item_carries_reason_amount_reference_and_day(report: Report) -> None:
    more = (
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed\n  in May</AddtlInf>"
        "<AddtlInf>call us</AddtlInf></StsRsnInf>"
        "<StsRsnInf><Rsn><Prtry>X9</Prtry></Rsn></StsRsnInf>"
        "<AccptncDtTm>2026-11-29T07:59:00+03:00</AccptncDtTm><AcctSvcrRef>BNK77</AcctSvcrRef>"
        '<OrgnlTxRef><Amt><InstdAmt Ccy="KES">150.0</InstdAmt></Amt></OrgnlTxRef>'
    )
    path = report(group(item("A", "RJCT", more)))
    assert validate(path, "pain.002.001.10") == []
    assert answers(path) == [
        StatusLine(
            1,
            "A",
            "RJCT",
            "AC04",
            "X9; closed in May; call us",
            150_00,
            "KES",
            "BNK77",
            "OAP-202611-B1",
            date(2026, 11, 29),
        )
    ]


def test_a_message_rejected_without_items_is_one_group_status(report: Report) -> None:
    told = "<OrgnlNbOfTxs>3</OrgnlNbOfTxs><OrgnlCtrlSum>450.00</OrgnlCtrlSum><GrpSts>RJCT</GrpSts>"
    reason = "<StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>"
    assert answers(report("", group=told + reason)) == [
        GroupStatus("OAP-202611-B1", None, "RJCT", "AM04", items=0, original_count=3, original_sum="450.00")
    ]


def test_a_group_of_payments_has_its_own_status_and_count_of_items(report: Report) -> None:
    rejected = group("", before="<PmtInfSts>RJCT</PmtInfSts>")
    partly = group(item("A", "ACSC") + item("B", "RJCT"), before="<PmtInfSts>PART</PmtInfSts>", name="B1-2")
    groups = [line for line in answers(report(rejected + partly)) if isinstance(line, GroupStatus)]
    assert [(line.payment_information_id, line.status, line.items) for line in groups] == [
        ("B1-1", "RJCT", 0),
        ("B1-2", "PART", 2),
    ]


def test_an_item_without_a_status_has_that_of_its_group_or_of_the_message(report: Report) -> None:
    in_group = group("".join(item(f"A{n}") for n in range(3)), before="<PmtInfSts>ACSP</PmtInfSts>")
    in_message = group(item("B"), name="B1-2")
    lines = answers(report(in_group + in_message, group="<GrpSts>ACTC</GrpSts>"))
    assert [line.status for line in lines if isinstance(line, StatusLine)] == ["ACSP"] * 3 + ["ACTC"]


def test_an_item_without_our_id_is_delivered_without_one(report: Report) -> None:
    (line,) = answers(report(group("<TxInfAndSts><TxSts>ACSC</TxSts></TxInfAndSts>")))
    assert isinstance(line, StatusLine)
    assert line.end_to_end_id is None


@pytest.mark.parametrize(
    ("amount", "currency"), [("1.005", "KES"), ("x", "KES"), ("1", "ZZZ"), ("", "KES"), ("-1", "KES")]
)
def test_an_amount_that_cannot_be_read_spoils_its_own_item_only(
    report: Report, amount: str, currency: str
) -> None:
    more = f'<OrgnlTxRef><Amt><InstdAmt Ccy="{currency}">{amount}</InstdAmt></Amt></OrgnlTxRef>'
    bad, good = answers(report(group(item("A", "ACSC", more) + item("B", "ACSC"))))
    assert isinstance(bad, BadLine)
    assert (bad.line_no, bad.column) == (1, "Amt")
    assert "<OrgnlEndToEndId" in bad.raw
    assert isinstance(good, StatusLine)
    assert good.end_to_end_id == "B"


def test_comments_and_instructions_are_no_content(report: Report) -> None:
    noise = "<!-- note --><?pi x?>"
    (line,) = answers(report(noise + group(noise + item(f"A{noise}B", "AC<!-- -->SC") + noise) + noise))
    assert isinstance(line, StatusLine)
    assert (line.end_to_end_id, line.status) == ("AB", "ACSC")


def test_broken_xml_is_refused_with_its_line_after_what_could_be_read(report: Report) -> None:
    path = report(group("\n".join(item(f"A{n}", "ACSC") for n in range(2000)) + "\n<oops>"))
    read = pain002.read(path)
    assert isinstance(next(read), StatusLine)
    with pytest.raises(Invalid, match="Line 2005") as refusal:
        list(read)
    assert refusal.value.field == "file"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "end_to_end_id;status",
        "<html><body/></html>",
        "<Document><CstmrCdtTrfInitn/></Document>",
        "<Document/>",
        "<CstmrPmtStsRpt/>",
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document><CstmrPmtStsRpt>&x;</CstmrPmtStsRpt></Document>',
    ],
)
def test_anything_else_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.xml"
    path.write_text(content)
    with pytest.raises(Invalid):
        answers(path)


def test_memory_stays_flat_however_long_the_report(report: Report) -> None:
    path = report(
        group("".join(item(f"A{n}", "ACSC", "<AcctSvcrRef>R</AcctSvcrRef>") for n in range(20_000)))
    )
    tracemalloc.start()
    try:
        count = sum(1 for _ in pain002.read(path))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak_bytes < 5e6


# In a process of its own, because the tree lives outside Python's memory; VmHWM is the highest mark since that process
# began, where the one of `resource` is inherited from this process.
MEASURE = """
import re, sys
from pathlib import Path
from payments.providers import pain002
peak_kb = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
small, large = sys.argv[1:]
sum(1 for _ in pain002.read(Path(small)))
before_kb = peak_kb()
assert sum(1 for _ in pain002.read(Path(large))) == 60_000
print(peak_kb() - before_kb)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the highest mark of memory is read as Linux tells it"
)
def test_the_tree_is_forgotten_as_it_is_read(report: Report, tmp_path: Path) -> None:
    small = report(group("".join(item(f"A{n}", "ACSC") for n in range(1000)))).rename(tmp_path / "small.xml")
    large = report(
        group("".join(item(f"A{n}", "ACSC", "<AcctSvcrRef>R</AcctSvcrRef>") for n in range(60_000)))
    )
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, small, large], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 10_000
