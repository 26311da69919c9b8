"""What a provider answers, in whatever format: the status of a payment or a group, or a line nobody can read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class StatusLine:
    """What the provider says of one payment. `line_no` is the row of a list, or counts the transactions of a report."""

    line_no: int
    end_to_end_id: str | None
    status: str
    reason_code: str = ""
    reason_text: str = ""
    amount_minor: int | None = None
    currency: str | None = None
    provider_reference: str = ""
    original_msg_id: str = ""
    on: date | None = None


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """What the provider says of a whole message, or of one group of payments in it.

    `items` counts the transactions answered one by one. Only with none of them does the status speak for every payment:
    after PART, a payment that is not mentioned stays open and is not a success.
    """

    original_msg_id: str
    payment_information_id: str | None
    status: str
    reason_code: str = ""
    reason_text: str = ""
    items: int = 0
    original_count: int | None = None
    original_sum: str = ""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be used, with the reason: it goes on the exception list and stops nothing."""

    line_no: int
    column: str
    sentence: str
    raw: str = ""


Answer = StatusLine | GroupStatus | BadLine
