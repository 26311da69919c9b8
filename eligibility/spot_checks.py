"""Before a run is finished, some of its people are decided again, one by one, by the other evaluator.

Taken are two hundred at random, both ends of every pattern of reasons, those with the least and the greatest amount,
and those whose birthday stands next to an age that the rules name. One difference, and nobody's decision is used.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from eligibility import population
from eligibility.documents import Understood
from eligibility.models import AssessmentRun, Determination
from eligibility.population import Known
from eligibility.rules import ages, evaluate, meaning, recording
from eligibility.rules.compiling import compile_set
from mis.db import db
from mis.errors import Conflict
from registry.models import Person
from registry.references import PERSON, reference

AT_RANDOM = 200
_PATTERNS = 200
_AT_A_BOUND = 20
_NAMED = 3


def need_agreement(run: AssessmentRun, understood: Understood) -> int:
    """How many persons were decided again, all alike. Raises Conflict with those who came out otherwise."""
    chosen = sorted({*_at_random(run), *_of_every_pattern(run), *_at_bounds(run, understood)})
    differing = [
        person
        for start in range(0, len(chosen), AT_RANDOM)
        for person in _differing(run, understood, chosen[start : start + AT_RANDOM])
    ]
    if differing:
        named = ", ".join(reference(PERSON, person) for person in differing[:_NAMED])
        raise Conflict(
            f"{len(differing)} of {len(chosen)} persons who were decided again came out otherwise ({named}), so this "
            "run is not finished and its decisions are not used.",
            instead="Tell those who look after the system: the two ways of deciding must agree.",
        )
    return len(chosen)


def _differing(run: AssessmentRun, understood: Understood, persons: Sequence[int]) -> Iterator[int]:
    known = population.known_of(understood.checked, persons, run.as_of)
    stored = db.session.execute(
        sa.select(
            Determination.person_id, Determination.fail_mask, Determination.unknown_mask,
            Determination.amount_minor, Determination.facts,
        ).where(Determination.run_id == run.id, Determination.person_id.in_(persons))
    )  # fmt: skip
    for person, *verdict, record in stored:
        again = recording.from_record(understood.checked, record)
        of_record = _verdict(understood, again, run) == verdict
        if not of_record or (person in known and not _agree(run, understood, known[person], verdict)):
            yield person


def _agree(run: AssessmentRun, understood: Understood, known: Known, verdict: list[Any]) -> bool:
    found = _verdict(understood, known.facts, run)
    # Somebody may have corrected a fact since the range was decided: then the statement finds that too.
    return found == verdict or found == _by_statement(run, understood, known)


def _verdict(understood: Understood, facts: dict[str, Any], run: AssessmentRun) -> list[Any]:
    found = evaluate(understood.checked, facts, as_of=run.as_of)
    return [found.fail_mask, found.unknown_mask, found.amount_minor]


def _by_statement(run: AssessmentRun, understood: Understood, known: Known) -> list[Any]:
    home = known.household_id
    source = population.source(
        understood.checked, run.as_of, persons=(known.person_id, known.person_id) if home is None else None
    )
    rows = compile_set(
        understood.checked,
        source,
        as_of=run.as_of,
        where=lambda column: column.is_(None) if home is None else column == home,
    ).subquery()
    query = sa.select(rows.c.fail_mask, rows.c.unknown_mask, rows.c.amount_minor)
    return list(db.session.execute(query.where(rows.c.person_id == known.person_id)).one())


def _at_random(run: AssessmentRun) -> set[int]:
    of = Determination
    low, high = db.session.execute(
        sa.select(sa.func.min(of.person_id), sa.func.max(of.person_id)).where(of.run_id == run.id)
    ).one()
    if low is None:
        return set()
    # The same run draws the same people: a refusal can be looked into.
    draw = random.Random(run.id)  # noqa: S311 - a sample, not a secret
    return {_next(run, draw.randint(low, high)) for _ in range(AT_RANDOM)}


def _next(run: AssessmentRun, person: int) -> int:
    of = Determination
    query = sa.select(of.person_id).where(of.run_id == run.id, of.person_id >= person)
    return db.session.scalars(query.order_by(of.person_id).limit(1)).one()


def _of_every_pattern(run: AssessmentRun) -> set[int]:
    of = Determination
    patterns = db.session.execute(
        sa.select(sa.func.min(of.person_id), sa.func.max(of.person_id))
        .where(of.run_id == run.id)
        .group_by(of.fail_mask, of.unknown_mask)
        .limit(_PATTERNS)
    )
    found = {person for pair in patterns for person in pair}
    for order in (of.amount_minor.asc(), of.amount_minor.desc()):
        eligible = sa.select(of.person_id).where(of.run_id == run.id, of.outcome == "eligible")
        found |= set(db.session.scalars(eligible.order_by(order, of.person_id).limit(_AT_A_BOUND // 4)))
    return found


def _at_bounds(run: AssessmentRun, understood: Understood) -> set[int]:
    found: set[int] = set()
    of, day = Determination, timedelta(days=1)
    for years in _ages_named(understood):
        cutoff = ages.cutoff(run.as_of, years)
        query = (
            sa.select(of.person_id)
            .join(Person, Person.id == of.person_id)
            .where(of.run_id == run.id, Person.birth_date.between(cutoff - day, cutoff + day))
        )
        found |= set(db.session.scalars(query.order_by(of.person_id).limit(_AT_A_BOUND)))
    return found


def _ages_named(understood: Understood) -> set[int]:
    """The ages that the requirements compare with."""
    found = set()
    for _, root in understood.checked.clauses:
        for node in meaning.walk(root):
            if isinstance(node, meaning.Compare):
                pair = (node.left, node.right)
                constants = [one.value for one in pair if isinstance(one, meaning.Constant)]
                if any(isinstance(one, meaning.Age) for one in pair) and constants:
                    found.add(int(constants[0]))  # type: ignore[arg-type]
    return found & set(ages.REWRITTEN_YEARS)
