"""A small country for the rule language: its catalogue, its tables, and the eleven rules of the benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from eligibility.rules import Catalogue, Checked, Clause, Fact, RuleSet, check, evaluate
from eligibility.rules.compiling import Source, compile_set

FACTS = (
    Fact("person.birth_date", "date", "date of birth"),
    Fact("person.birth_date_precision", "text", codes=("day", "month", "year")),
    Fact("person.sex", "text", "sex", codes=("F", "M")),
    Fact("person.relationship", "text", "relationship to the head"),
    Fact("person.income", "money", "monthly income"),
    Fact("person.disability", "bool", "disability"),
    Fact("person.pregnant", "bool", "pregnancy"),
    Fact("person.schooling", "int", "years of schooling", lowest=0, highest=30),
    Fact("person.weight", "decimal", "weight", unit="kg", scale=3, lowest=0, highest=300_000),
    Fact("household.region", "text", "region"),
    Fact("household.rooms", "int", "rooms", lowest=0, highest=100),
    Fact("household.land", "decimal", "land", unit="ha", scale=2),
    *(
        Fact(f"household.{name}", "bool")
        for name in ("tv", "fridge", "motorcycle", "latrine", "concrete_roof", "mud_wall", "urban")
    ),
)
CATALOGUE = Catalogue(FACTS)

_TYPES = {
    "date": sa.Date,
    "text": sa.String,
    "bool": sa.Boolean,
    "int": sa.Integer,
    "decimal": sa.BigInteger,
    "money": sa.BigInteger,
}
metadata = sa.MetaData()


def _table(name: str, *keys: sa.Column[Any]) -> sa.Table:
    facts = [f for f in FACTS if f.name.startswith(f"{name}.")]
    columns: list[sa.Column[Any]] = [sa.Column(f.name.partition(".")[2], _TYPES[str(f.type)]) for f in facts]
    return sa.Table(name, metadata, *keys, *columns, prefixes=["TEMPORARY"])


household = _table("household", sa.Column("id", sa.BigInteger, primary_key=True))
person = _table(
    "person", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("household_id", sa.BigInteger)
)
TABLES = {"person": person, "household": household}
SOURCE = Source(
    person=person,
    household=household,
    columns={f.name: TABLES[f.name.partition(".")[0]].c[f.name.partition(".")[2]] for f in FACTS},
)

PARAMETERS = {
    "age_pension": 65,
    "age_majority": 18,
    "poverty_line": Decimal("500.00"),
    "pension_amount": Decimal("150.00"),
    "child_amount": Decimal("35.50"),
    "parenting_threshold": 1200,
    "pmt_cutoff": Decimal("4.80"),
    "regions": ["N", "E"],
    "cut_off": date(2026, 1, 1),
    "share": Decimal("0.333"),
}
DERIVED = {
    "household.income": "household.members.sum(m, m.income)",
    "household.income_per_capita": "household.income / household.size",
    "household.dependents": "household.members.count(m, m.age < 15 || m.age >= 65)",
    "pmt_score": """5.10 - 0.062 * household.size - 0.055 * household.dependents
        + (household.tv ? 0.21 : 0.0) + (household.fridge ? 0.33 : 0.0) + (household.motorcycle ? 0.27 : 0.0)
        + (household.latrine ? 0.08 : 0.0) + 0.045 * household.rooms + (household.concrete_roof ? 0.18 : 0.0)
        - (household.mud_wall ? 0.19 : 0.0) + (household.urban ? 0.12 : 0.0)""",
    "person.adult": "person.age >= param.age_majority",
}
TABLE_ROWS: dict[str, dict[str | int, Any]] = {
    "region_score": {"N": 3, "E": Decimal("2.5"), "Ñandú": 0},
    "grade": {0: "none", 6: "primary"},
}

# name: (clauses, amount)
ELEVEN: dict[str, tuple[tuple[str, ...], str | None]] = {
    "old age": (
        ("person.age >= param.age_pension", "person.income < param.poverty_line"),
        "param.pension_amount",
    ),
    "disability": (("person.disability && person.age >= 18 && person.age < 62",), None),
    "child": (("person.age < 5", "household.income_per_capita < param.poverty_line"), None),
    "basic income": (("person.age >= param.age_majority && person.income == 0",), None),
    "elderly": (("person.age >= 65 && household.members.exists(m, m.disability)",), None),
    "female head": (
        (
            "household.members.exists(m, m.relationship == 'head' && m.sex == 'F')",
            "household.members.count(m, m.age < 18) >= 3",
            "person.relationship == 'head'",
        ),
        "param.child_amount * household.members.count(m, m.age < 18)",
    ),
    "skipped generation": (
        ("person.age < 18 && !household.members.exists(m, m.age >= 18 && m.age < 60)",),
        None,
    ),
    "proxy means test": (
        ("household.pmt_score < param.pmt_cutoff", "person.relationship == 'head'"),
        "40.00 * least(household.size, 6) + 12.50 * household.members.count(m, m.age < 5)",
    ),
    "region": (
        (
            "household.region in ['N','E'] && household.members.all(m, m.income < 500.0) && has(person.birth_date)",
        ),
        None,
    ),
    "parenting": (
        (
            "household.income <= param.parenting_threshold && ((household.members.count(m, m.age >= 18) == 1"
            " && household.members.exists(m, m.age < 8)) || household.members.exists(m, m.age < 6))"
            " && person.relationship == 'head'",
        ),
        None,
    ),
    "maternity": (
        (
            "person.sex == 'F' && person.pregnant && person.age >= 15 && person.age < 50"
            " && household.income_per_capita < param.poverty_line",
        ),
        None,
    ),
}


def ruleset(*expressions: str, amount: str | None = None, **more: Any) -> RuleSet:
    clauses = [Clause(f"c{n}", expression) for n, expression in enumerate(expressions)]
    settings: dict[str, Any] = {"parameters": PARAMETERS, "derived": DERIVED, "tables": TABLE_ROWS} | more
    return RuleSet(clauses, amount=amount, **settings)


def checked(*expressions: str, amount: str | None = None, **more: Any) -> Checked:
    return check(ruleset(*expressions, amount=amount, **more), CATALOGUE)


Household = Mapping[str, Any]
Verdict = tuple[int, int, int | None]


def load(connection: sa.Connection, households: Iterable[Household]) -> None:
    """Replace the people; each household is its facts and its "members"."""
    connection.execute(sa.delete(person))
    connection.execute(sa.delete(household))
    homes = [_row(household, home, id=home["id"]) for home in households]
    people = [
        _row(person, m, id=m["id"], household_id=home["id"]) for home in households for m in home["members"]
    ]
    connection.execute(sa.insert(household), homes)
    connection.execute(sa.insert(person), people)


def _row(table: sa.Table, facts: Mapping[str, Any], **keys: int) -> dict[str, Any]:
    return {column.name: facts.get(column.name) for column in table.columns} | keys


def by_row(rules: Checked, households: Iterable[Household], *, as_of: date) -> dict[int, Verdict]:
    verdicts = {}
    for home in households:
        for member in home["members"]:
            found = evaluate(rules, {"person": member, "household": home}, as_of=as_of)
            verdicts[member["id"]] = (found.fail_mask, found.unknown_mask, found.amount_minor)
    return verdicts


def by_set(rules: Checked, connection: sa.Connection, *, as_of: date) -> dict[int, Verdict]:
    rows = connection.execute(compile_set(rules, SOURCE, as_of=as_of)).all()
    verdicts = {row.person_id: (row.fail_mask, row.unknown_mask, row.amount_minor) for row in rows}
    assert len(verdicts) == len(rows)
    return verdicts
