"""The scenarios are documents that a scheme officer can read; each is made true in the register and then assessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from eligibility import explaining, publishing, strict_yaml
from eligibility.models import Determination
from mis import money
from mis.acting import SYSTEM, acting
from mis.db import db
from mis.paths import config_dir
from registry import birth_dates, facts
from registry.models import Area, Person
from tests.factories import eligibility as made
from tests.factories.registry import AreaFactory, PersonFactory, household_of

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))

Said = dict[str, Any]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_everybody_of_a_scenario_is_decided_as_it_says(app: Flask, path: Path) -> None:
    said = strict_yaml.read(path.read_text(encoding="utf-8")).values
    people = _register(said)
    text = (config_dir() / "schemes" / f"{said['scheme']}.yaml").read_text(encoding="utf-8")
    with db.unit_of_work(), acting(SYSTEM):
        code = made.in_force(text).code
    run_id = made.assessed(code, said["on"])
    with db.unit_of_work(read_only=True) as session:
        understood = publishing.understood(made.run_of(run_id).rule_set)
        for person_id, one in people:
            found = session.scalars(
                sa.select(Determination).where(
                    Determination.run_id == run_id, Determination.person_id == person_id
                )
            ).one()
            unknown = found.unknown_mask if found.outcome == "undetermined" else 0
            assert (found.outcome, understood.reasons(found.fail_mask), understood.reasons(unknown)) == (
                one["then"], one.get("reasons", []), one.get("unknown", []),
            ), one["name"]  # fmt: skip
            paid = money.to_decimal_text(found.amount_minor, "XTS") if found.amount_minor else None
            assert paid == (str(one["amount"]) if "amount" in one else None), one["name"]
            # The evaluator for one person says the same.
            single = explaining.explain(
                publishing.scheme_coded(code), session.get_one(Person, person_id), said["on"]
            )
            assert single.same, one["name"]


def _register(said: Said) -> list[tuple[int, Said]]:
    with db.unit_of_work(), acting(SYSTEM):
        area, people = AreaFactory(), []
        for household in said["households"]:
            members = [(_person(one, area, said), one) for one in household["members"]]
            (head, _first), *others = members
            household_of(
                head,
                *((person, one["relationship"]) for person, one in others),
                attributes=_stored("household", household.get("facts", {})),
            )
            people += [(person.id, one) for person, one in members]
        return people + [(_person(one, area, said).id, one) for one in said.get("alone", [])]


def _person(one: Said, area: Area, said: Said) -> Person:
    born, precision = (None, None)
    if "born" in one:
        born, precision = birth_dates.parse(str(one["born"]), day=said["on"])
    person: Person = PersonFactory(
        area=area,
        given_name=one["name"],
        birth_date=born,
        birth_precision=precision,
        attributes=_stored("person", one.get("facts", {})),
    )
    return person


def _stored(subject: str, said: Said) -> Said:
    known = facts.attributes_of(subject)
    return facts.check(
        subject,
        {
            key: value if isinstance(value, bool) else known[key].parse(str(value))
            for key, value in said.items()
        },
    )
