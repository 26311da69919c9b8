"""ISO 20022 pain.001.001.09, the payment order: a stream of text, because a tree of a million payments needs 4 GB."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from mis.money import to_decimal_text
from payments.providers.instructions import AccountKind, BatchHeader, Instruction, Written, check, compact
from payments.providers.streaming import write_all

SCHEMA = "pain.001.001.09"

# The convention of ISO 20022 users for a mandatory text that does not exist.
_NOT_PROVIDED = "NOTPROVIDED"


def write(out: BinaryIO, batch: BatchHeader, instructions: Iterable[Instruction]) -> Written:
    """Write the file of a frozen list. The same list gives the same bytes; a list with other totals is refused.

    Neither the schema nor this stream sees two lines with one end-to-end id: the database's constraint does.
    """
    return write_all(out, batch, instructions, render=_render)


def _render(batch: BatchHeader, instructions: Iterable[Instruction]) -> Iterator[str]:
    yield _opening(batch)
    for instruction in instructions:
        check(instruction)
        yield _transfer(instruction, batch.currency)
    yield "</PmtInf>\n</CstmrCdtTrfInitn></Document>\n"


def _opening(batch: BatchHeader) -> str:
    control_sum = to_decimal_text(batch.total_minor, batch.currency)
    totals = f"<NbOfTxs>{batch.count}</NbOfTxs><CtrlSum>{control_sum}</CtrlSum>"
    # One group of payments: its id is derived, so that nothing in the file is drawn at random.
    group_id = f"{batch.msg_id[:33].rstrip('/ ')}-1"
    category = f"<PmtTpInf><CtgyPurp><Cd>{batch.category_purpose}</Cd></CtgyPurp></PmtTpInf>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"><CstmrCdtTrfInitn>\n'
        f"<GrpHdr><MsgId>{_escape(batch.msg_id)}</MsgId><CreDtTm>{_instant(batch.created)}</CreDtTm>{totals}"
        f"<InitgPty><Nm>{text(batch.initiating_party, 140)}</Nm></InitgPty></GrpHdr>\n"
        f"<PmtInf><PmtInfId>{_escape(group_id)}</PmtInfId><PmtMtd>TRF</PmtMtd>{totals}"
        f"{category if batch.category_purpose else ''}"
        f"<ReqdExctnDt><Dt>{batch.execution_date.isoformat()}</Dt></ReqdExctnDt>"
        f"<Dbtr><Nm>{text(batch.debtor_name, 140)}</Nm></Dbtr>"
        f"<DbtrAcct>{_account(batch.debtor_account_kind, batch.debtor_account)}<Ccy>{batch.currency}</Ccy></DbtrAcct>"
        f"<DbtrAgt>{_agent(batch.debtor_agent_bic, batch.debtor_agent_clearing_code)}</DbtrAgt>\n"
    )


def _transfer(payment: Instruction, currency: str) -> str:
    """One line of text per payment, so that the line of a finding leads to it."""
    bic, code = payment.agent_bic, payment.agent_clearing_code
    agent = f"<CdtrAgt>{_agent(bic, code)}</CdtrAgt>" if bic or code else ""
    account = (
        f"<CdtrAcct>{_account(payment.account_kind, payment.account)}</CdtrAcct>" if payment.account else ""
    )
    purpose = f"<Purp><Cd>{payment.purpose}</Cd></Purp>" if payment.purpose else ""
    remittance = (
        f"<RmtInf><Ustrd>{text(payment.remittance, 140)}</Ustrd></RmtInf>" if payment.remittance else ""
    )
    return (
        f"<CdtTrfTxInf><PmtId><EndToEndId>{_escape(payment.end_to_end_id)}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="{currency}">{to_decimal_text(payment.amount_minor, currency)}</InstdAmt></Amt>'
        f"{agent}<Cdtr><Nm>{text(payment.name, 140)}</Nm></Cdtr>{account}{purpose}{remittance}</CdtTrfTxInf>\n"
    )


def _agent(bic: str, clearing_code: str) -> str:
    if bic:
        return f"<FinInstnId><BICFI>{bic}</BICFI></FinInstnId>"
    if clearing_code:
        member = text(clearing_code, 35)
        return f"<FinInstnId><ClrSysMmbId><MmbId>{member}</MmbId></ClrSysMmbId></FinInstnId>"
    return f"<FinInstnId><Othr><Id>{_NOT_PROVIDED}</Id></Othr></FinInstnId>"


def _account(kind: AccountKind, account: str) -> str:
    if kind is AccountKind.IBAN:
        return f"<Id><IBAN>{compact(account)}</IBAN></Id>"
    number = text(account, 34)
    # A mobile wallet is an account known by its proxy: MBNO is ISO's code for a telephone number.
    proxy = f"<Prxy><Tp><Cd>MBNO</Cd></Tp><Id>{number}</Id></Prxy>" if kind is AccountKind.MOBILE else ""
    return f"<Id><Othr><Id>{number}</Id><SchmeNm>{_SCHEME_NAME[kind]}</SchmeNm></Othr></Id>{proxy}"


_SCHEME_NAME = {
    AccountKind.BANK_ACCOUNT: "<Cd>BBAN</Cd>",
    AccountKind.MOBILE: "<Prtry>MOBILE</Prtry>",
    AccountKind.CASH: "<Prtry>CASH</Prtry>",
}


def _instant(moment: datetime) -> str:
    """To the second, in UTC where the zone is known: a file made again on another machine must not differ."""
    if moment.tzinfo is None:
        return moment.isoformat(timespec="seconds")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


# White space becomes one space; what XML 1.0 forbids is dropped, because no escape can carry it.
_SPACES = re.compile(r"[\s\x85\u2028\u2029]+")
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,'/()+:-]*[A-Za-z0-9.]")


def text(value: str, limit: int) -> str:
    """Any text a person may have typed, as an XML text of 1 to `limit` characters."""
    if len(value) <= limit and _PLAIN.fullmatch(value) and "  " not in value:
        return value
    clean = _FORBIDDEN.sub("", _SPACES.sub(" ", unicodedata.normalize("NFC", value))).strip()
    return _escape(_cut(clean, limit)) or _NOT_PROVIDED


def _cut(value: str, limit: int) -> str:
    """At most `limit` characters, never between a letter and the accent that combines with it."""
    end = limit
    if len(value) > limit:
        while end and unicodedata.combining(value[end]):
            end -= 1
    return value[: end or limit].rstrip()


def _escape(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
