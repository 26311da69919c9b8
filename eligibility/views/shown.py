"""A decision in the words of a page: each requirement with what is on record, each figure with whom it counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from eligibility.documents import Understood
from eligibility.rules import Determination as Found
from eligibility.rules import Explanation, UsedValue
from eligibility.rules.catalogue import BIRTH_DATE
from mis.states import changes_of
from mis.web import i18n
from mis.web.history import Happening
from registry import birth_dates, facts
from registry.models import Person

Pair = tuple[str, Any]


def clauses(found: Found, *, person: Person, names: Mapping[Any, str]) -> list[dict[str, Any]]:
    """The requirements as `macros/explain.html` shows them; `names` are those of the household's members by id."""
    return [
        {
            "outcome": str(clause.finding),
            "sentence": clause.sentence,
            "reason": clause.code,
            "article": clause.article,
            "values": _values(clause.explanation, person=person, names=names),
        }
        for clause in found.clauses
    ]


def amount_steps(found: Found) -> list[Pair]:
    """How the amount came about, from its parts to the whole."""
    if found.amount is None:
        return []
    return [(step.text, written(step.value)) for step in found.amount.steps]


def only_obstacle(found: Found) -> str | None:
    """The one requirement that alone stands in the way, if there is one: what would alter the result."""
    if len(found.failing) != 1 or any(one.finding == "not_known" for one in found.clauses):
        return None
    return found.failing[0].sentence


def limits(understood: Understood) -> list[tuple[str, Any, str, str]]:
    """The numbers that the law sets: name, value, unit, article."""
    return [
        (name.replace("_", " "), one.value, one.unit or "", one.article)
        for name, one in understood.rules.parameters.items()
    ]


def steps_taken(record: Any) -> list[Happening]:
    """Who did what with a record that has a lifecycle, newest first, with the reasons."""
    made = {"created": _("Recorded"), "edited": _("Changed")}
    return [
        Happening(
            one.at,
            one.user_name,
            made.get(one.step) or _(record.lifecycle.steps[one.step].label),
            one.reason,
            "",
            [(_("Status"), _(record.lifecycle.label(one.source)), _(record.lifecycle.label(one.target)))]
            if one.source and one.target
            else [],
        )
        for one in reversed(changes_of(record))
    ]


def written(value: Any) -> Any:
    """A value as people write it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, date):
        return i18n.day(value)
    return format(value, "f") if isinstance(value, Decimal) else value


def _values(explanation: Explanation, *, person: Person, names: Mapping[Any, str]) -> list[Pair]:
    own = [
        (one.label[:1].upper() + one.label[1:], _with_unit(one, person))
        for one in explanation.values
        if one.member in (None, person.id)
    ]
    figures = [
        (_figure(one.text), _counted(one.value, [names.get(member, str(member)) for member in one.members]))
        for one in explanation.counted
    ]
    return list(dict.fromkeys([*own, *figures]))


def _with_unit(used: UsedValue, person: Person) -> Any:
    if used.value is None:
        return None
    if used.name == BIRTH_DATE and used.value == person.birth_date:
        # Of many older people the year is known, and the first of January would be made up.
        if person.birth_precision in (None, "day"):
            return i18n.day(person.birth_date)
        return birth_dates.written(person.birth_date, person.birth_precision)
    fact = facts.catalogue().get(used.name)
    if fact is not None and fact.type == "choice":
        return fact.choices.get(str(used.value), used.value)
    return f"{written(used.value)} {used.unit}" if used.unit else written(used.value)


def _figure(text: str) -> str:
    """The words of a figure that has a name of its own; of any other, its expression."""
    name = text.partition(".")[2] if text.startswith("household.") else text
    if name == "size":
        return str(_("Members of the household"))
    return name.replace("_", " ").capitalize() if name.isidentifier() else text


def _counted(value: Any, members: list[str]) -> Any:
    if value is None:
        return None
    return f"{written(value)}: {', '.join(members)}" if members else str(written(value))
