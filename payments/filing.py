"""The files for the provider: pure functions of the payments and the frozen header; made again, they are the same.

Each is written beside its place and moved there whole; the XML is checked against its schema before it counts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from mis import audit, sealed, settings
from mis.audit.subjects import table_of
from mis.calendar import Month
from mis.db import db
from mis.errors import Conflict, Invalid
from payments.models import Cycle, Entitlement, Payment, PaymentAccount, PaymentBatch
from payments.policy import payer, policy_of
from payments.providers import pain001, payment_csv, validation
from payments.providers.instructions import AccountKind, BatchHeader, Instruction, Written
from payments.providers.streaming import whole_file
from registry.models import Area

Writer = Callable[[BinaryIO, BatchHeader, Iterable[Instruction]], Written]

# Format: (writer, ending, column of the checksum).
FORMATS: dict[str, tuple[Writer, str, str]] = {
    "pain001": (pain001.write, "xml", "pain001_sha256"),
    "csv": (payment_csv.write, "csv", "csv_sha256"),
}
_ROWS_AT_ONCE = 5_000

_payment, _account, _area = table_of(Payment), table_of(PaymentAccount), table_of(Area)


def frozen_header(cycle: Cycle, message_id: str, *, at: datetime) -> dict[str, str]:
    """All that stands at the head of the files, as it is kept with the batch."""
    who = payer()
    return {
        "msg_id": message_id,
        "created": at.isoformat(timespec="seconds"),
        "initiating_party": who["initiating_party"],
        "debtor_name": who["name"],
        "debtor_account_kind": who["account_kind"],
        "debtor_account": who["account"],
        "debtor_agent_bic": who["bic"],
        "debtor_agent_clearing_code": who["clearing_code"],
        "category_purpose": who["category_purpose"],
        "execution_date": at.date().isoformat(),
        "currency": cycle.currency,
        "scheme": cycle.scheme.name,
        "purpose": policy_of(cycle.scheme.code).purpose,
    }


def write_all(batch: PaymentBatch, cycle: Cycle) -> dict[str, Written]:
    """Write every file of a batch. Raises Conflict if what is written is not what was approved."""
    return {name: _write(batch, cycle, name) for name in FORMATS}


def path_of(batch: PaymentBatch, name: str) -> Path:
    """Where a file of the batch lies."""
    return settings.current().instance_path("exports", f"{batch.message_id}.{FORMATS[name][1]}")


def fetch(cycle: Cycle, name: str, *, to: str) -> Path:
    """The file of an exported cycle, made again if it is gone; that it was fetched, and for what, is recorded.

    Raises Conflict before the export, and if the file made again is not the one that was exported.
    """
    if name not in FORMATS:
        raise Invalid(f"There is no format {name!r}. Use one of: {', '.join(FORMATS)}.", field="format")
    batch = batch_of(cycle)
    checksum: str | None = None if batch is None else getattr(batch, FORMATS[name][2])
    if batch is None or checksum is None:
        raise Conflict("This cycle is not exported yet, so there is no file.", instead="Export it first.")
    path = path_of(batch, name)
    # A file that somebody touched on the disk is as good as gone.
    if _checksum(path) != checksum and _write(batch, cycle, name).sha256 != checksum:
        path.unlink()
        raise Conflict(
            "The file made again differs from the one that was exported.",
            instead="Do not send it: ask the system administrator what changed.",
        )
    audit.record("payments.file_fetched", cycle, details={"format": name, "sha256": checksum, "to": to})
    return path


def told_in_advance(cycle: Cycle, name: str, *, to: str) -> None:
    """Record that the file is fetched as soon as it is made, by a command that will only read then."""
    audit.record("payments.file_fetched", cycle, details={"format": name, "to": to})


def batch_of(cycle: Cycle) -> PaymentBatch | None:
    """The batch of a cycle, once its export has begun."""
    return db.session.scalar(sa.select(PaymentBatch).where(PaymentBatch.cycle_id == cycle.id))


def _write(batch: PaymentBatch, cycle: Cycle, name: str) -> Written:
    writer, path = FORMATS[name][0], path_of(batch, name)
    with whole_file(path) as out:
        written = writer(out, header_of(batch), instructions(batch, cycle))
        if name == "pain001":
            out.flush()
            _need_valid(path.with_name(path.name + ".tmp"))
    return written


def _need_valid(path: Path) -> None:
    findings = validation.validate(path, pain001.SCHEMA)
    if findings:
        raise Conflict(
            f"The payment file breaks its schema in line {findings[0].line}: {findings[0].message}",
            instead="Correct the payer in config/payments.toml, or the account that the line names.",
        )


def _checksum(path: Path) -> str | None:
    if not path.exists():
        return None
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def header_of(batch: PaymentBatch) -> BatchHeader:
    """The frozen header, with the control totals of the batch."""
    assert batch.count is not None and batch.total_minor is not None, batch
    said = {name: value for name, value in batch.header.items() if name not in ("scheme", "purpose")}
    return BatchHeader(
        **said
        | {
            "created": datetime.fromisoformat(said["created"]),
            "execution_date": date.fromisoformat(said["execution_date"]),
            "debtor_account_kind": AccountKind(said["debtor_account_kind"]),
        },
        count=batch.count,
        total_minor=batch.total_minor,
    )


def instructions(batch: PaymentBatch, cycle: Cycle) -> Iterator[Instruction]:
    """The payments of a batch in the order of their numbers, streamed; accounts are opened one by one."""
    scheme, purpose = batch.header["scheme"], batch.header["purpose"]
    query = (
        sa.select(
            _payment.c.end_to_end_id, _payment.c.amount_minor, _payment.c.payee_name, Entitlement.month,
            _account.c.kind, _account.c.uid, _account.c.number_sealed, _account.c.institution, _area.c.name,
        )
        .select_from(
            _payment.join(Entitlement.__table__, Entitlement.id == _payment.c.entitlement_id)
            .join(_area, _area.c.id == _payment.c.area_id)
            .outerjoin(_account, _account.c.id == _payment.c.account_id)
        )
        .where(_payment.c.batch_id == batch.id)
        .order_by(_payment.c.id)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )  # fmt: skip
    for partition in db.session.connection().execute(query).partitions():
        for row in partition:
            yield _instruction(row, scheme=scheme, purpose=purpose, paid_in=cycle.period)


def _instruction(row: Any, *, scheme: str, purpose: str, paid_in: Month) -> Instruction:
    e2e, amount, name, month, kind, uid, box, institution, area = row
    number = "" if box is None else sealed.open_(box, table="payment_account", column="number", uid=uid)
    bic, code = institution_codes(institution)
    return Instruction(
        end_to_end_id=e2e,
        amount_minor=amount,
        name=name,
        account_kind=AccountKind(kind or "cash"),
        account=number,
        agent_bic=bic,
        agent_clearing_code=code,
        purpose=purpose,
        remittance=f"{scheme} {month}",
        scheme=scheme,
        period=month if month == str(paid_in) else f"{month} (paid in {paid_in})",
        area=area,
    )


def message_part(scheme_code: str) -> str:
    """The scheme's part of a message id: the characters that any bank takes."""
    return re.sub(r"[^A-Z0-9]", "", scheme_code.upper())[:12]


def institution_codes(institution: str | None) -> tuple[str, str]:
    """BIC and clearing code of the institution that keeps an account: a BIC is written in capitals, 8 or 11 of them."""
    text = (institution or "").strip()
    is_bic = len(text) in (8, 11) and text.isalnum() and text.isupper() and text[:6].isalpha()
    return (text, "") if is_bic else ("", text)
