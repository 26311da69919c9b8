"""A remedy acts, in the transaction of the answer: each is a row of a table, with what it needs and what it will do.

The rooms below refuse what is not possible there (a payment that may still arrive is not paid again); their sentence
then refuses the answer too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from grievances.catalogue import catalogue
from grievances.models import Grievance
from mis import access
from mis.errors import Conflict, Invalid

Result = dict[str, Any]


@dataclass(frozen=True)
class Act:
    """What a remedy is given besides the case: why, as of which day, and at which moment."""

    reason: str
    day: date
    at: datetime


@dataclass(frozen=True)
class Remedy:
    """One row of the table: `lacks` says what is missing to do it here, `promise` what it will do, `do` does it."""

    permission: str | None
    lacks: Callable[[Grievance], str | None]
    promise: Callable[[Grievance], str]
    do: Callable[[Grievance, Act], Result]


@dataclass(frozen=True)
class Choice:
    """A remedy as the officer meets it: what it will do, or the sentence that says why it cannot be chosen here."""

    code: str
    label: str
    promise: str
    refusal: str | None = None


def choices(grievance: Grievance) -> list[Choice]:
    """Every remedy that the category of the case knows, each with its promise or its refusal."""
    fitting = catalogue().categories[grievance.category].remedies
    labels = catalogue().remedies
    return [
        Choice(code, labels[code], _promise(grievance, code), _refusal(grievance, code))
        for code in ("none", *fitting)
        if code in TABLE
    ]


def refuse_unfit(grievance: Grievance, code: str, *, finding: str) -> None:
    """Refuse a remedy that does not go with the finding, the category or the subject of the case."""
    if code == "none":
        return
    if finding == "not_upheld":
        raise Invalid("A grievance that is not upheld has no remedy. Choose “none”.", field="remedy")
    category = catalogue().categories[grievance.category]
    if code not in category.remedies or code not in TABLE:
        raise Invalid(
            f"“{catalogue().remedies[code]}” does not fit a grievance of the category “{category.label}”.",
            field="remedy",
        )
    if (sentence := _refusal(grievance, code)) is not None:
        raise Conflict(sentence, field="remedy")


def act(grievance: Grievance, code: str, *, reason: str, day: date, at: datetime) -> Result:
    """Do the remedy, and answer what came of it. What the room below refuses, refuses the answer."""
    remedy = TABLE[code]
    if remedy.permission is not None:
        access.need(remedy.permission)
    return {"remedy": code} | remedy.do(grievance, Act(reason, day, at))


def _promise(grievance: Grievance, code: str) -> str:
    return "" if TABLE[code].lacks(grievance) else TABLE[code].promise(grievance)


def _refusal(grievance: Grievance, code: str) -> str | None:
    remedy = TABLE[code]
    if remedy.permission is not None and not access.may(remedy.permission):
        return f"You may not do this: it needs the permission {remedy.permission}."
    return remedy.lacks(grievance)


TABLE: dict[str, Remedy] = {
    "none": Remedy(
        permission=None,
        lacks=lambda _grievance: None,
        promise=lambda _grievance: "Nothing else changes: the answer is the remedy.",
        do=lambda _grievance, _act: {},
    ),
}
