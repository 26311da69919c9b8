"""The fact catalogue of the register in the terms of the rule language: what a rule may ask about, and how."""

from __future__ import annotations

from functools import cache

from eligibility.rules import Catalogue
from eligibility.rules import Fact as Askable
from mis import money, settings
from registry import facts

_KINDS = {
    "integer": "int",
    "decimal": "decimal",
    "money": "money",
    "boolean": "bool",
    "choice": "text",
    "date": "date",
}


def vocabulary() -> Catalogue:
    """Every fact of the register, for the checker and both evaluators."""
    return _vocabulary(settings.current().default_currency)


@cache
def _vocabulary(currency: str) -> Catalogue:
    return Catalogue(
        (_askable(fact) for fact in facts.catalogue().values()), minor_digits=money.exponent(currency)
    )


def _askable(fact: facts.Fact) -> Askable:
    return Askable(
        fact.name,
        _KINDS[fact.type],
        label=fact.label,
        unit=fact.unit,
        scale=fact.scale if fact.type == "decimal" else None,
        lowest=fact.lowest,
        highest=fact.highest,
        codes=tuple(fact.choices) if fact.type == "choice" and fact.choices else None,
    )
