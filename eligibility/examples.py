"""Worked examples travel with the rules: given these facts, on that day, this outcome, before anybody is assessed.

They are what a jurist can check without reading an expression, and rules that contradict them cannot be submitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from eligibility.documents import ExamplePart, Understood
from eligibility.rules import Determination, Outcome, evaluate
from mis import money
from mis.errors import Invalid
from registry import facts


@dataclass(frozen=True)
class Checked:
    """An example, and where it differs from what the rules say (None: it does not)."""

    name: str
    difference: str | None


def check(understood: Understood) -> list[Checked]:
    """Every example of a document against its rules. Raises Invalid for a fact that does not exist."""
    return [
        Checked(example.name, _difference(example, understood, number))
        for number, example in enumerate(understood.said.examples)
    ]


def need_to_hold(understood: Understood) -> None:
    """Refuse rules without an example, or that an example contradicts."""
    if not understood.said.examples:
        raise Invalid(
            "The document has no examples. Add at least one, with facts and the outcome they must lead to.",
            field="document",
        )
    wrong = [one for one in check(understood) if one.difference]
    if wrong:
        raise Invalid(
            " ".join(f"The example “{one.name}” {one.difference}." for one in wrong), field="document"
        )


def _difference(example: ExamplePart, understood: Understood, number: int) -> str | None:
    given = {
        "person": _facts("person", example.person, understood, number),
        "household": _household(example, understood, number),
    }
    found = evaluate(understood.checked, given, as_of=example.on)
    wanted = example.then
    if found.outcome != wanted.outcome:
        return f"expects {_said(wanted.outcome)}, but the rules say {_said(found.outcome)}"
    if wanted.amount is not None and found.amount_minor != _minor(wanted.amount, understood):
        return f"expects {wanted.amount}, but the rules pay {_paid(found, understood)}"
    for what, expected, mask in (
        ("fails", wanted.reasons, found.fail_mask),
        ("leaves open", wanted.unknown, found.unknown_mask),
    ):
        codes = understood.reasons(mask)
        if expected is not None and set(expected) != set(codes):
            return f"{what} {', '.join(codes) or 'nothing'} instead of {', '.join(expected) or 'nothing'}"
    return None


def _household(example: ExamplePart, understood: Understood, number: int) -> dict[str, Any] | None:
    if example.household is None:
        return None
    others = [_facts("person", other, understood, number) for other in example.others]
    person = _facts("person", example.person, understood, number)
    return _facts("household", example.household, understood, number) | {"members": [person, *others]}


def _facts(subject: str, said: Mapping[str, Any], understood: Understood, number: int) -> dict[str, Any]:
    return {key: _fact(f"{subject}.{key}", value, understood, number) for key, value in said.items()}


def _fact(name: str, value: Any, understood: Understood, number: int) -> Any:
    line = understood.written.line(("examples", number, name.partition(".")[0], name.partition(".")[2]))
    fact = facts.catalogue().get(name)
    if fact is None:
        raise Invalid(f"Line {line}: the fact catalogue has no {name}.", field="document")
    if fact.type == "date" and isinstance(value, date):
        return value
    if fact.type == "choice" and not fact.choices:
        return str(value)
    try:
        if fact.type == "boolean" and isinstance(value, bool):
            return value
        return fact.parse(str(value))
    except Invalid as refusal:
        raise Invalid(f"Line {line}: {refusal.sentence}", field="document") from None


def _minor(amount: int | Decimal, understood: Understood) -> int:
    return money.parse(str(amount), understood.scheme.currency, field="document").minor


def _paid(found: Determination, understood: Understood) -> str:
    if found.amount_minor is None:
        return "nothing"
    return money.to_decimal_text(found.amount_minor, understood.scheme.currency)


def _said(outcome: Outcome | str) -> str:
    return str(outcome).replace("_", " ")
