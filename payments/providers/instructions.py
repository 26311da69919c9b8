"""What we ask a provider to pay: the frozen list, its header with control totals, and what makes a line unpayable."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from mis.errors import Conflict, Invalid
from mis.money import MAX_MINOR, exponent


class AccountKind(StrEnum):
    """How the money reaches the person; `account` holds the number that goes with it."""

    IBAN = "iban"
    BANK_ACCOUNT = "bank_account"
    MOBILE = "mobile"
    CASH = "cash"  # Paid out by an agent; the account, if any, is the collection point.


@dataclass(frozen=True, slots=True)
class Instruction:
    """One payment to one person. `scheme`, `period` and `area` are for people who read the CSV list."""

    end_to_end_id: str
    amount_minor: int
    name: str
    account_kind: AccountKind
    account: str = ""
    agent_bic: str = ""
    agent_clearing_code: str = ""
    purpose: str = "SSBE"  # ISO 20022: social security benefit.
    remittance: str = ""
    scheme: str = ""
    period: str = ""
    area: str = ""


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """What is true of the whole file; frozen at approval, so that the file can be made again byte for byte."""

    msg_id: str
    created: datetime
    initiating_party: str
    debtor_name: str
    debtor_account_kind: AccountKind
    debtor_account: str
    currency: str
    execution_date: date
    count: int
    total_minor: int
    debtor_agent_bic: str = ""
    debtor_agent_clearing_code: str = ""
    category_purpose: str = "SSBE"


@dataclass(frozen=True, slots=True)
class Written:
    """What went into a file: to be compared with what was approved, and kept with it."""

    count: int
    total_minor: int
    sha256: str


# The characters and the slash rule of the European Payments Council, which any bank takes in a reference.
MAX_REFERENCE = 35
_REFERENCE = re.compile(r"(?!/)(?!.*//)[A-Za-z0-9/\-?:().,'+ ]{1,35}(?<!/)")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Za-z0-9]{1,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_CODE = re.compile(r"[A-Z0-9]{1,4}")
_OTHER_ACCOUNT = re.compile(r"[^\s\x00-\x1f](.{0,32}[^\s\x00-\x1f])?")
_MAX_CLEARING_CODE = 35


def check(instruction: Instruction) -> None:
    """Refuse a line that no provider can pay; call it before approval, so that no approved file is refused."""
    if not _REFERENCE.fullmatch(instruction.end_to_end_id):
        raise Invalid(
            f"Reference “{instruction.end_to_end_id}” must have 1 to 35 plain characters, no / at its ends and no //.",
            field="end_to_end_id",
        )
    if type(instruction.amount_minor) is not int or not 0 < instruction.amount_minor <= MAX_MINOR:
        raise _unpayable(instruction, "its amount must be above zero", field="amount")
    _check_account(instruction)
    if instruction.agent_bic and not _BIC.fullmatch(instruction.agent_bic):
        raise _unpayable(instruction, f"“{instruction.agent_bic}” is not a BIC", field="agent_bic")
    if len(instruction.agent_clearing_code) > _MAX_CLEARING_CODE:
        raise _unpayable(
            instruction, "the bank code is longer than 35 characters", field="agent_clearing_code"
        )
    if instruction.purpose and not _CODE.fullmatch(instruction.purpose):
        raise _unpayable(instruction, f"“{instruction.purpose}” is not a purpose code", field="purpose")


def _check_account(instruction: Instruction) -> None:
    kind, account = instruction.account_kind, instruction.account
    if kind is AccountKind.IBAN:
        if not _IBAN.fullmatch(compact(account)):
            raise _unpayable(instruction, f"“{account}” is not an IBAN", field="account")
    elif (account or kind is not AccountKind.CASH) and not _OTHER_ACCOUNT.fullmatch(account):
        raise _unpayable(instruction, "its account must have 1 to 34 characters", field="account")


def check_header(header: BatchHeader) -> None:
    """Refuse a header that would spoil every line of the file; these are the scheme's and the provider's settings."""
    exponent(header.currency)
    if not _REFERENCE.fullmatch(header.msg_id):
        raise Invalid(
            f"Message identification “{header.msg_id}” must have 1 to 35 plain characters.", field="msg_id"
        )
    if header.debtor_account_kind is AccountKind.IBAN and not _IBAN.fullmatch(compact(header.debtor_account)):
        raise Invalid(f"The paying account “{header.debtor_account}” is not an IBAN.", field="debtor_account")
    if not _OTHER_ACCOUNT.fullmatch(header.debtor_account):
        raise Invalid("The paying account must have 1 to 34 characters.", field="debtor_account")
    if header.debtor_agent_bic and not _BIC.fullmatch(header.debtor_agent_bic):
        raise Invalid(
            f"The paying bank's code “{header.debtor_agent_bic}” is not a BIC.", field="debtor_agent_bic"
        )
    if len(header.debtor_agent_clearing_code) > _MAX_CLEARING_CODE:
        raise Invalid(
            "The paying bank's code is longer than 35 characters.", field="debtor_agent_clearing_code"
        )
    if header.category_purpose and not _CODE.fullmatch(header.category_purpose):
        raise Invalid(f"“{header.category_purpose}” is not a purpose code.", field="category_purpose")
    if not 0 < header.count < 10**15:
        raise Conflict("There is nothing to pay: the approved list is empty.", field="count")


def compact(account: str) -> str:
    """An IBAN as machines write it: people group it with spaces."""
    return "".join(account.split())


def _unpayable(instruction: Instruction, why: str, *, field: str) -> Invalid:
    return Invalid(f"Payment {instruction.end_to_end_id} cannot be instructed: {why}.", field=field)
