"""ISO 20022 pain.002, the payment status report, of any version: read as a stream, one transaction at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from lxml import etree

from mis.errors import Invalid
from mis.money import Money, parse
from payments.providers.answers import Answer, BadLine, GroupStatus, StatusLine
from payments.providers.validation import drop, parts

_MESSAGE = "CstmrPmtStsRpt"


@dataclass(slots=True)
class _Before:
    """What was read before a transaction and holds for it."""

    message: GroupStatus | None = None
    items: int = 0
    items_in_group: int = 0


def read(path: Path) -> Iterator[Answer]:
    """Each transaction as a StatusLine or a BadLine; the status of a group after its transactions, the message's last.

    Refuses a file that is not XML, or another message, at the line where this shows: lines before it were delivered.
    """
    _refuse_other_messages(path)
    before = _Before()
    for event, element in parts(path, "OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "TxInfAndSts"):
        name = etree.QName(element).localname
        if event == "start":
            before.items_in_group = 0 if name == "OrgnlPmtInfAndSts" else before.items_in_group
            continue
        if name == "TxInfAndSts":
            before.items += 1
            before.items_in_group += 1
            yield _transaction(element, before)
        elif name == "OrgnlPmtInfAndSts":
            yield from _stated(_group(element, before, status="PmtInfSts"), items=before.items_in_group)
        else:
            before.message = _group(element, before, status="GrpSts")
        drop(element)
    yield from _stated(before.message, items=before.items)


def _refuse_other_messages(path: Path) -> None:
    """Look at the first two elements only: another message could be large, and would be read in vain."""
    names = [etree.QName(element).localname for _, (_, element) in zip(range(2), parts(path), strict=False)]
    if names != ["Document", _MESSAGE]:
        found = names[-1] if names else "nothing"
        raise Invalid(
            f"The file is not a payment status report (pain.002): it begins with {found}, not with {_MESSAGE}.",
            field="file",
        )


def _stated(group: GroupStatus | None, *, items: int) -> Iterator[GroupStatus]:
    if group is not None and group.status:
        yield replace(group, items=items)


def _group(element: etree._Element, before: _Before, *, status: str) -> GroupStatus:
    code, words = _reason(element)
    count = _value(element, "OrgnlNbOfTxs")
    return GroupStatus(
        original_msg_id=before.message.original_msg_id if before.message else _value(element, "OrgnlMsgId"),
        payment_information_id=_value(element, "OrgnlPmtInfId") or None,
        status=_value(element, status),
        reason_code=code,
        reason_text=words,
        original_count=int(count) if count.isdecimal() else None,
        original_sum=_value(element, "OrgnlCtrlSum"),
    )


def _transaction(element: etree._Element, before: _Before) -> StatusLine | BadLine:
    code, words = _reason(element)
    try:
        amount = _amount(element)
    except Invalid as refusal:
        raw = etree.tostring(element, encoding="unicode", with_tail=False)
        return BadLine(line_no=before.items, column="Amt", sentence=refusal.sentence, raw=raw[:2000])
    return StatusLine(
        line_no=before.items,
        end_to_end_id=_value(element, "OrgnlEndToEndId") or None,
        status=_value(element, "TxSts") or _inherited(element, before),
        reason_code=code,
        reason_text=words,
        amount_minor=amount.minor if amount else None,
        currency=amount.currency if amount else None,
        provider_reference=_value(element, "AcctSvcrRef") or _value(element, "ClrSysRef"),
        original_msg_id=before.message.original_msg_id if before.message else "",
        on=_day(_value(element, "AccptncDtTm")),
    )


def _inherited(element: etree._Element, before: _Before) -> str:
    """A transaction listed without a status has that of its group, or of the message."""
    parent = element.getparent()
    in_group = _value(parent, "PmtInfSts") if parent is not None else ""
    return in_group or (before.message.status if before.message else "")


def _reason(element: etree._Element) -> tuple[str, str]:
    """The first reason code, and every other word the provider said, further codes among them."""
    codes: list[str] = []
    words: list[str] = []
    for reason in element.iterfind("{*}StsRsnInf"):
        code = _value(reason, "Rsn/{*}Cd") or _value(reason, "Rsn/{*}Prtry")
        if code:
            codes.append(code)
        words += [" ".join(info.text.split()) for info in reason.iterfind("{*}AddtlInf") if info.text]
    return (codes[0] if codes else ""), "; ".join(codes[1:] + words)


def _amount(element: etree._Element) -> Money | None:
    for place in ("Amt/{*}InstdAmt", "Amt/{*}EqvtAmt/{*}Amt", "IntrBkSttlmAmt"):
        found = element.find("{*}OrgnlTxRef/{*}" + place)
        if found is not None:
            return parse(found.text or "", str(found.get("Ccy", "")), allow_trailing_zeros=True)
    return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _value(element: etree._Element, place: str) -> str:
    return (element.findtext("{*}" + place) or "").strip()
