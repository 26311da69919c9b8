"""What must be kept of a decision so that it can be taken again: the facts asked about, and what was counted.

A record is {"person": {…}, "household": {…} or None, "figures": {…}}: the members themselves are not kept, but every
figure about them is, under the words of the rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from eligibility.rules import meaning
from eligibility.rules.catalogue import BIRTH_DATE, BIRTH_DATE_PRECISION, FactType
from eligibility.rules.checking import Checked, facts_used
from eligibility.rules.meaning import Aggregate, Node, Stored


@dataclass(frozen=True, slots=True)
class Asked:
    """The stored facts that the rules ask about the person and the household themselves, and the figures by name."""

    person: tuple[str, ...]
    household: Mapping[str, Stored]
    figures: Mapping[Aggregate, str]

    @property
    def of_household(self) -> tuple[Node, ...]:
        """All that a scan must have beside what decides."""
        return (*self.household.values(), *self.figures)


def asked(checked: Checked) -> Asked:
    """What a record of a decision under these rules holds, always in the same order."""
    facts: dict[str, None] = {}
    household: dict[str, Stored] = {}
    figures: dict[Aggregate, str] = {}
    for root in (*(node for _, node in checked.clauses), checked.amount):
        if root is None:
            continue
        for node in _outside_figures(root):
            if isinstance(node, Aggregate):
                figures.setdefault(node, _name(node, figures))
            elif isinstance(node, Stored) and node.level < 0:
                # As it is on record, also outside its bounds.
                household[node.fact.name] = replace(node, bounded=False)
            elif isinstance(node, Stored):
                facts[node.fact.name] = None
            elif isinstance(node, meaning.Age):
                facts[BIRTH_DATE] = None
                if BIRTH_DATE_PRECISION in facts_used(checked):
                    facts[BIRTH_DATE_PRECISION] = None
    return Asked(person=tuple(facts), household=household, figures=figures)


def from_record(checked: Checked, record: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a record as `evaluate` takes them: days are days again."""
    facts = dict(record)
    for subject in ("person", "household"):
        if record.get(subject) is not None:
            facts[subject] = _restored(checked, subject, record[subject])
    members = (facts.get("household") or {}).get("members")
    if members is not None:
        facts["household"]["members"] = [_restored(checked, "person", one) for one in members]
    if record.get("figures") is not None:
        days = {name for node, name in asked(checked).figures.items() if node.type.kind == "date"}
        facts["figures"] = {
            name: date.fromisoformat(value) if name in days and value is not None else value
            for name, value in record["figures"].items()
        }
    return facts


def _restored(checked: Checked, subject: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _value(checked, f"{subject}.{key}", value) for key, value in values.items()}


def _value(checked: Checked, name: str, value: Any) -> Any:
    fact = checked.catalogue.get(name)
    is_day = fact is not None and fact.type == FactType.DATE
    return date.fromisoformat(value) if is_day and isinstance(value, str) else value


def _outside_figures(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Aggregate):
            waiting.extend(reversed(node.parts))


def _name(figure: Aggregate, known: Mapping[Aggregate, str]) -> str:
    """The words of the rule; told apart by a number where two figures are worded alike but mean different things."""
    names = set(known.values())
    name, count = figure.text, 1
    while name in names:
        count += 1
        name = f"{figure.text} #{count}"
    return name
