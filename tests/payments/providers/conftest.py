"""A frozen batch, valid by default, and the instructions in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import pytest

from payments.providers.instructions import AccountKind, BatchHeader, Instruction

BatchOf = Callable[..., BatchHeader]


def instruction(number: int = 1, **changed: object) -> Instruction:
    valid: dict[str, object] = {
        "end_to_end_id": f"OAP-202611-{number}-01-X",
        "amount_minor": 150_00,
        "name": "Amina Wanjiru",
        "account_kind": AccountKind.BANK_ACCOUNT,
        "account": f"{number:010d}",
        "remittance": "Old-age pension 2026-11",
        "scheme": "OAP",
        "period": "2026-11",
        "area": "KE-047",
    }
    return Instruction(**(valid | changed))  # type: ignore[arg-type]


def batch(instructions: Sequence[Instruction] = (), **changed: object) -> BatchHeader:
    valid: dict[str, object] = {
        "msg_id": "OAP-202611-B1",
        "created": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        "initiating_party": "Ministry of Social Protection",
        "debtor_name": "Old-age pension fund",
        "debtor_account_kind": AccountKind.BANK_ACCOUNT,
        "debtor_account": "0100 200 300",
        "currency": "KES",
        "execution_date": date(2026, 11, 28),
        "count": len(instructions),
        "total_minor": sum(line.amount_minor for line in instructions),
        "debtor_agent_bic": "CBKEKENX",
    }
    return BatchHeader(**(valid | changed))  # type: ignore[arg-type]


@pytest.fixture
def five() -> list[Instruction]:
    return [instruction(number, amount_minor=100_00 + number) for number in range(1, 6)]
