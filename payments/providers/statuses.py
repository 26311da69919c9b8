"""What a provider's words mean to us: a status becomes one of five states, a reason becomes an officer's next step."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from mis.paths import config_dir


class State(StrEnum):
    """How far a payment has come, as the provider tells it."""

    UNKNOWN = "unknown"  # Nobody can say: enquire, never resend.
    PENDING = "pending"
    ACCEPTED = "accepted"  # In process: accepted, not yet paid.
    PAID = "paid"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A status in our terms. `evidence` is how much it proves: 4 the person has the money, 3 it left our account."""

    state: State
    evidence: int
    sentence: str


# ISO 20022 ExternalPaymentTransactionStatus1Code and ExternalPaymentGroupStatus1Code, 2Q2026.
ISO_STATUSES: dict[str, Meaning] = {
    "RCVD": Meaning(State.PENDING, 0, "Received by the provider."),
    "PDNG": Meaning(State.PENDING, 0, "Waiting for further checks."),
    "PATC": Meaning(State.PENDING, 0, "Waiting for another signature at the bank."),
    "ACFW": Meaning(State.PENDING, 0, "Funds are there; waiting for our confirmation at the bank."),
    "PRES": Meaning(State.PENDING, 0, "Presented to the payer."),
    "ACTC": Meaning(State.ACCEPTED, 1, "Form and signatures were checked."),
    "ACCP": Meaning(State.ACCEPTED, 1, "Customer data were checked."),
    "ACFC": Meaning(State.ACCEPTED, 1, "Funds were checked."),
    "ACWC": Meaning(State.ACCEPTED, 1, "Accepted with a change, such as another date."),
    "ACSP": Meaning(State.ACCEPTED, 2, "Accepted for execution."),
    "ACPD": Meaning(State.ACCEPTED, 2, "Accepted by the clearing system."),
    "ACIS": Meaning(State.ACCEPTED, 2, "A cheque was issued and not yet cashed."),
    "ACSC": Meaning(State.PAID, 3, "Settled on our account; the beneficiary's side is not proven."),
    "ACCC": Meaning(State.PAID, 4, "Credited to the beneficiary's account."),
    "CPUC": Meaning(State.PAID, 4, "Cash was picked up by the beneficiary."),
    "RJCT": Meaning(State.REJECTED, 4, "Rejected."),
    "CANC": Meaning(State.REJECTED, 4, "Cancelled at our request."),
    "ACWP": Meaning(State.UNKNOWN, 0, "Accepted, but not credited to the beneficiary: investigate."),
    "BLCK": Meaning(State.UNKNOWN, 0, "Blocked, neither credited nor returned: investigate."),
    # Speaks of a group only: a transaction without a status of its own stays open.
    "PART": Meaning(State.UNKNOWN, 0, "Accepted in part."),
    # Verification of payee: a check of names, which moves no payment.
    "RCVC": Meaning(State.PENDING, 0, "Name check: everything matches."),
    "RVCM": Meaning(State.PENDING, 0, "Name check: some names do not match."),
    "RVMC": Meaning(State.PENDING, 0, "Name check: the name matches closely."),
    "RVNM": Meaning(State.PENDING, 0, "Name check: the name does not match."),
    "RVNA": Meaning(State.PENDING, 0, "Name check: not applicable."),
    "RVNC": Meaning(State.PENDING, 0, "Name check: not finished."),
}

# Words of providers that answer by list, each as the ISO status that proves as much.
WORDS: dict[str, str] = {
    "paid": "ACCC", "credited": "ACCC", "success": "ACCC", "successful": "ACCC", "succeeded": "ACCC",
    "completed": "ACCC", "committed": "ACCC", "delivered": "ACCC", "payé": "ACCC", "succ": "ACCC",
    "collected": "CPUC", "cashed": "CPUC", "picked up": "CPUC", "encaissé": "CPUC",
    "settled": "ACSC",
    "accepted": "ACSP", "processing": "ACSP", "in process": "ACSP", "sent": "ACSP", "ongoing": "ACSP",
    "accepté": "ACSP",
    "pending": "PDNG", "waiting": "PDNG", "en attente": "PDNG", "pdng": "PDNG",
    "received": "RCVD", "reçu": "RCVD", "rcvd": "RCVD",
    "rejected": "RJCT", "failed": "RJCT", "refused": "RJCT", "returned": "RJCT", "aborted": "RJCT",
    "error": "RJCT", "rejeté": "RJCT", "échoué": "RJCT", "rjct": "RJCT",
    "cancelled": "CANC", "canceled": "CANC", "annulé": "CANC",
}  # fmt: skip

# Forward only: both ends are final, so a payment that was paid is never rejected by a later line, nor the reverse.
# A return of money is an event of its own.
RANK: dict[State, int] = {
    State.UNKNOWN: 0, State.PENDING: 1, State.ACCEPTED: 2, State.PAID: 3, State.REJECTED: 3,
}  # fmt: skip


def iso_status(word: str) -> str | None:
    """The ISO code for a code or a common word, in any case; None for one we do not know."""
    written = " ".join(word.replace("_", " ").split())
    return written.upper() if written.upper() in ISO_STATUSES else WORDS.get(written.casefold())


def meaning(status: str) -> Meaning:
    """What a status says; an unknown one says nothing, and nothing may follow from it."""
    code = iso_status(status)
    return ISO_STATUSES[code] if code else Meaning(State.UNKNOWN, 0, f"Unknown status “{status}”: enquire.")


def state_of(status: str) -> State:
    """The state a status leads to."""
    return meaning(status).state


def moves_forward(old: State, new: State) -> bool:
    """Whether a payment in `old` may become `new`; staying is no move."""
    return RANK[new] > RANK[old]


class Resend(StrEnum):
    """Whether the payment may be sent again."""

    NEVER = "never"
    AFTER_ENQUIRY = "after_enquiry"
    AFTER_CORRECTION = "after_correction"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Advice:
    """What an officer does about a reason code."""

    code: str
    action: str
    meaning: str
    sentence: str
    resend: Resend
    hold: bool


def advice(code: str) -> Advice:
    """What to do about the provider's reason; a code that is not in the table is asked about, never guessed."""
    wanted = code.strip().upper()
    known = reasons().get(wanted)
    if known:
        return known
    said = f"Unknown reason code {wanted}" if wanted else "No reason was given"
    return Advice(
        wanted, "read_and_contact", said, _actions()["read_and_contact"]["sentence"], Resend.NEVER, hold=False
    )


@cache
def reasons() -> dict[str, Advice]:
    """Every reason code of config/payment_reasons.toml."""
    actions = _actions()
    return {
        code: Advice(
            code=code,
            action=action,
            meaning=what,
            sentence=actions[action]["sentence"],
            resend=Resend(actions[action]["resend"]),
            hold=bool(actions[action].get("hold", False)),
        )
        for code, (action, what) in _table()["reasons"].items()
    }


def _actions() -> dict[str, dict[str, str]]:
    actions: dict[str, dict[str, str]] = _table()["actions"]
    return actions


@cache
def _table() -> dict[str, dict[str, dict[str, str]]]:
    with open(config_dir() / "payment_reasons.toml", "rb") as file:
        return tomllib.load(file)
