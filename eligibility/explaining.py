"""One person is decided, with everything that led to it: for applicant, appeal and audit.

An explanation stores nothing; a decision on an applicant stores a determination with the facts it rests on, so that it
can be taken again at any later time, whatever the register says by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from eligibility import population, publishing
from eligibility.documents import Understood
from eligibility.models import AssessmentRun, Determination, RuleSet, Scheme
from eligibility.population import Known
from eligibility.rules import Determination as Found
from eligibility.rules import Explanation, UsedValue, evaluate, recording
from mis import acting
from mis.db import db, plain
from mis.errors import Conflict
from registry import facts as register
from registry.models import Person


@dataclass(frozen=True)
class Explained:
    """What the rules of a day say of a person, and the last decision on record (if there is one).

    `same` tells whether that decision, taken today from what the register says now, would be the same.
    """

    person: Person
    rule_set: RuleSet
    understood: Understood
    known: Known
    found: Found
    stored: Determination | None
    same: bool | None


@dataclass(frozen=True)
class Replayed:
    """A stored decision taken again from its own facts, under its own rules."""

    found: Found
    same: bool


def explain(scheme: Scheme, person: Person, day: date) -> Explained:
    """Everything that leads to a decision on a person as of a day, without storing one.

    Raises Conflict if no rules are in force, or the person does not live on the day.
    """
    rule_set = publishing.in_force(scheme, day)
    understood = publishing.understood(rule_set)
    known = _known(understood, person, day)
    found = evaluate(understood.checked, known.facts, as_of=day)
    stored = last_decision(scheme, person)
    same = None if stored is None else _verdict(found) == _stored_verdict(stored)
    return Explained(person, rule_set, understood, known, found, stored, same)


def assess_person(scheme: Scheme, person: Person, day: date, *, at: datetime) -> Determination:
    """Decide on one person as of a day, and store the determination with the facts of person and household.

    Raises Conflict as `explain` does.
    """
    explained = explain(scheme, person, day)
    run = AssessmentRun(
        scheme=scheme, rule_set=explained.rule_set, as_of=day, kind="applicant",
        asked_by_id=acting.current().user_id, asked_at=at, finished_at=at,
    )  # fmt: skip
    db.session.add(run)
    db.session.flush()
    found, known = explained.found, explained.known
    determination = Determination(
        run=run, person=person, household_id=known.household_id, area_id=known.area_id,
        outcome=str(found.outcome), fail_mask=found.fail_mask, unknown_mask=found.unknown_mask,
        amount_minor=found.amount_minor, facts=_record(known.facts),
    )  # fmt: skip
    db.session.add(determination)
    db.session.flush()
    return determination


def last_decision(scheme: Scheme, person: Person) -> Determination | None:
    """The last determination of a finished run on a person."""
    return db.session.scalar(
        _decisions()
        .where(
            Determination.person_id == person.id,
            AssessmentRun.scheme_id == scheme.id,
            AssessmentRun.finished_at.is_not(None),
        )
        .order_by(Determination.id.desc())
        .limit(1)
    )


def decision_numbered(determination_id: int) -> Determination | None:
    """A determination with its run, rules and person, if there is one in the areas seen here."""
    return db.session.scalar(_decisions().where(Determination.id == determination_id))


def replay(determination: Determination) -> Replayed:
    """Take a stored decision again from its own facts, under the rules it was taken under."""
    understood = publishing.understood(determination.run.rule_set)
    facts = recording.from_record(understood.checked, determination.facts)
    found = evaluate(understood.checked, facts, as_of=determination.run.as_of)
    return Replayed(found, _verdict(found) == _stored_verdict(determination))


def shown_values(explanation: Explanation, *, person_id: int) -> list[dict[str, Any]]:
    """The values that an expression used. Sensitive facts of other members are hidden, not their being on record."""
    return [_shown(used, person_id=person_id) for used in explanation.values]


def what_to_bring(found: Found, understood: Understood) -> list[dict[str, Any]]:
    """For each requirement that is not known: the facts that are missing, and what would prove them."""
    wanted = {clause.code: clause.bring for clause in understood.rules.clauses}
    return [
        {
            "code": clause.code,
            "bring": wanted[clause.code],
            "missing": _labels(clause.explanation.missing),
        }
        for clause in found.clauses
        if clause.finding == "not_known"
    ]


def as_answer(explained: Explained) -> dict[str, Any]:
    """An explanation in plain values, clause by clause."""
    found, understood, person_id = explained.found, explained.understood, explained.person.id
    return {
        "outcome": str(found.outcome),
        "as_of": found.as_of.isoformat(),
        "version": explained.rule_set.number,
        "clauses": [
            {
                "code": clause.code,
                "outcome": str(clause.finding),
                "sentence": clause.sentence,
                "article": clause.article,
                "expression": " ".join(clause.explanation.expression.split()),
                "values": shown_values(clause.explanation, person_id=person_id),
                "figures": [
                    {"text": one.text, "value": _json(one.value), "members": len(one.members)}
                    for one in clause.explanation.counted
                ],
            }
            for clause in found.clauses
        ],
        "amount_minor": found.amount_minor,
        "currency": understood.scheme.currency,
        "amount_steps": amount_steps(found),
        "bring": what_to_bring(found, understood),
    }


def amount_steps(found: Found) -> list[dict[str, Any]]:
    """How the amount came about, from its parts to the whole."""
    if found.amount is None:
        return []
    return [{"text": step.text, "value": _json(step.value)} for step in found.amount.steps]


def _known(understood: Understood, person: Person, day: date) -> Known:
    known = population.known_of(understood.checked, [person.id], day).get(person.id)
    if known is None:
        raise Conflict(
            f"{person.name} does not live on {day}, as far as the register knows.",
            field="on",
            instead="Choose another day, or correct the date of birth or death.",
        )
    return known


def _decisions() -> sa.Select[Determination]:
    run = joinedload(Determination.run).joinedload(AssessmentRun.rule_set)
    return (
        sa.select(Determination)
        .join(AssessmentRun, AssessmentRun.id == Determination.run_id)
        .options(run, joinedload(Determination.person))
    )


def _verdict(found: Found) -> tuple[int, int, int | None]:
    return found.fail_mask, found.unknown_mask, found.amount_minor


def _stored_verdict(stored: Determination) -> tuple[int, int, int | None]:
    return stored.fail_mask, stored.unknown_mask, stored.amount_minor


def _record(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON keeps them, the members with them."""
    household = facts["household"]
    kept = None
    if household is not None:
        kept = _plain(household) | {"members": [_plain(member) for member in household["members"]]}
    return {"person": _plain(facts["person"]), "household": kept}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: plain(value) for key, value in values.items() if key != "members"}


def _shown(used: UsedValue, *, person_id: int) -> dict[str, Any]:
    fact = register.catalogue().get(used.name)
    of_another = used.member is not None and used.member != person_id
    hidden = of_another and fact is not None and fact.sensitive and used.value is not None
    return {
        "name": used.name,
        "label": used.label,
        "value": "•••" if hidden else _json(used.value),
        "unit": used.unit,
        "member": used.member,
    }


def _labels(values: Iterable[UsedValue]) -> list[str]:
    return list(dict.fromkeys(value.label for value in values))


def _json(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else plain(value)
