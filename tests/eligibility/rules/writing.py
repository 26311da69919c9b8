"""Hypothesis writes rules as text, so that the parser is in the loop, and the people they are tried on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from hypothesis import strategies as st

from tests.eligibility.rules.country import FACTS

Text = st.SearchStrategy[str]

DAYS = st.sampled_from(
    [
        date(2026, 7, 15),
        date(2024, 2, 29),
        date(2025, 2, 28),
        date(2025, 3, 1),
        date(2026, 1, 1),
        date(2026, 12, 31),
    ]
)
BIRTHS = st.one_of(
    st.sampled_from(
        [
            date(2008, 2, 29), date(2008, 2, 28), date(2008, 3, 1), date(1960, 2, 29), date(1961, 7, 15),
            date(1961, 7, 16), date(1961, 1, 1), date(1959, 3, 1), date(2007, 2, 1), date(2021, 7, 15),
            date(1900, 2, 28),
        ]
    ),
    st.dates(date(1890, 1, 1), date(2026, 12, 31)),
)  # fmt: skip
TEXTS = [
    "N",
    "E",
    "head",
    "child",
    "F",
    "M",
    "Ñandú",
    "o'clock",
    'say "x"',
    "\\",
    "%s %%",
    ":a",
    "日本",
    "n",
    "",
]
NUMBERS = [
    0,
    1,
    -1,
    2,
    3,
    5,
    6,
    17,
    18,
    49_999,
    50_000,
    50_001,
    120_000,
    -50_000,
    10**9,
    10**12,
    10**12 + 1,
    -(10**12),
]
LITERALS = [
    "0",
    "1",
    "2",
    "3",
    "5",
    "6",
    "17",
    "18",
    "65",
    "150",
    "151",
    "500",
    "500.00",
    "499.99",
    "0.21",
    "0.333",
    "-1",
    "-0.5",
    "1000000",
]


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- people ---

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "date": BIRTHS,
    "bool": st.booleans(),
    "text": st.sampled_from(TEXTS),
    "int": st.sampled_from([0, 1, 2, 6, 12, 30, 31, -1, 100, 101]),
    "decimal": st.sampled_from(NUMBERS),
    "money": st.sampled_from(NUMBERS),
}
_CODED = {
    "person.birth_date_precision": st.sampled_from(["day", "month", "year"]),
    "person.sex": st.sampled_from(["F", "M"]),
    "person.relationship": st.sampled_from(["head", "child", "Ñandú"]),
}


def _facts(owner: str) -> st.SearchStrategy[dict[str, Any]]:
    values = {
        fact.name.partition(".")[2]: st.one_of(
            st.none(), *[_CODED.get(fact.name, _VALUES[str(fact.type)])] * 4
        )
        for fact in FACTS
        if fact.name.startswith(owner)
    }
    return st.fixed_dictionaries(values).map(_first_of_period)


def _first_of_period(facts: dict[str, Any]) -> dict[str, Any]:
    """A birth date is stored as the first day of what is known."""
    born, precision = facts.get("birth_date"), facts.get("birth_date_precision")
    if born and precision in ("month", "year"):
        facts["birth_date"] = born.replace(day=1) if precision == "month" else born.replace(month=1, day=1)
    return facts


@st.composite
def populations(draw: st.DrawFn) -> list[dict[str, Any]]:
    homes = draw(st.lists(_facts("household"), min_size=1, max_size=4))
    person = 0
    for place, home in enumerate(homes, start=1):
        home["id"] = place
        home["members"] = draw(st.lists(_facts("person"), min_size=1, max_size=4))
        for member in home["members"]:
            person += 1
            member["id"] = person
    return homes


# --- rules ---

PERSON_NUMBERS = ("income", "schooling", "weight", "age")
HOUSEHOLD_NUMBERS = (
    "household.rooms",
    "household.land",
    "household.size",
    "household.dependents",
    "household.pmt_score",
)


class Writer:
    """Draws typed expressions; `rows` are the names in scope that have a person's facts."""

    def __init__(self, draw: st.DrawFn, rows: tuple[str, ...] = ("person",), macros: int = 0) -> None:
        self.draw, self.rows, self.macros = draw, rows, macros

    def pick(self, *options: Callable[[], str]) -> str:
        return self.draw(st.sampled_from(options))()

    def one(self, options: Any) -> str:
        return str(self.draw(st.sampled_from(options)))

    def row(self) -> str:
        # A member is compared with at most one other person.
        return self.rows[-1] if self.macros > 1 else self.one(self.rows[-2:])

    def condition(self, depth: int) -> str:
        simple = [self.flag, self.number_test, self.text_test, self.date_test, self.presence, self.age_test]
        if depth <= 0:
            return self.pick(*simple)
        if self.macros < 2:
            simple += [lambda: self.macro_test(depth)] * 3
        return self.pick(
            *simple,
            lambda: f"!({self.condition(depth - 1)})",
            lambda: f"({self.condition(depth - 1)} && {self.condition(depth - 1)})",
            lambda: f"({self.condition(depth - 1)} || {self.condition(depth - 1)})",
            lambda: f"!{self.flag()} && {self.condition(depth - 1)} || {self.condition(depth - 1)}",
            lambda: (
                f"({self.condition(depth - 1)} ? {self.condition(depth - 1)} : {self.condition(depth - 1)})"
            ),
            lambda: f"(({self.condition(depth - 1)}) {self.one(['==', '!='])} ({self.condition(depth - 1)}))",
            lambda: f"({self.number(depth)} {self.comparison()} {self.number(depth)})",
            lambda: f"({self.quotient(depth)} {self.comparison()} {self.number(1)})",
            lambda: f"({self.quotient(depth)} {self.comparison()} {self.quotient(1)})",
            lambda: f"({self.number(depth - 1)} in [{self.literal()}, {self.literal()}, {self.number(0)}])",
        )

    def comparison(self) -> str:
        return self.one(["==", "!=", "<", "<=", ">", ">="])

    def literal(self) -> str:
        return self.one(LITERALS)

    def flag(self) -> str:
        return self.one(
            [
                f"{self.row()}.disability",
                f"{self.row()}.pregnant",
                f"{self.row()}.adult",
                "household.tv",
                "true",
                "false",
            ]
        )

    def age_test(self) -> str:
        age, years = f"{self.row()}.age", self.one([0, 1, 5, 17, 18, 64, 65, 66, 149, 150, 151, -1])
        return self.one([f"({age} {self.comparison()} {years})", f"({years} {self.comparison()} {age})"])

    def number_test(self) -> str:
        return f"({self.number(0)} {self.comparison()} {self.literal()})"

    def text(self) -> str:
        options = [
            f"{self.row()}.relationship",
            "household.region",
            quoted(self.one(TEXTS)),
            quoted(self.one(TEXTS)),
        ]
        return self.one([*options, f"({self.flag()} ? household.region : {quoted(self.one(TEXTS))})"])

    def text_test(self) -> str:
        several = ", ".join(quoted(self.one(TEXTS)) for _ in range(3))
        return self.one(
            [
                f"({self.text()} {self.one(['==', '!='])} {self.text()})",
                f"({self.text()} in [{several}])",
                f"({self.text()} in param.regions)",
                f"({self.row()}.sex == 'F')",
            ]
        )

    def date_test(self) -> str:
        days = [f"{self.row()}.birth_date", "param.cut_off", "as_of", 'date("2008-02-29")']
        return f"({self.one(days)} {self.comparison()} {self.one(days)})"

    def presence(self) -> str:
        fact = self.one(
            [
                f"{self.row()}.age",
                f"{self.row()}.income",
                f"{self.row()}.sex",
                "household.income_per_capita",
                "household.land",
                "table.region_score[household.region]",
                f"{self.row()}.adult",
            ]
        )
        return self.one([f"has({fact})", f"({fact} == null)", f"({fact} != null)"])

    def number(self, depth: int) -> str:
        facts = [
            f"{self.row()}.{self.one(PERSON_NUMBERS)}",
            self.one(HOUSEHOLD_NUMBERS),
            self.literal(),
            "param.age_pension",
            "param.share",
            "table.region_score[household.region]",
        ]
        if depth <= 0:
            return self.one(facts)
        deeper = [lambda: self.macro_figure(depth)] * 3 if self.macros < 2 else []
        return self.pick(
            lambda: self.one(facts),
            *deeper,
            lambda: f"({self.number(depth - 1)} {self.one('+-*')} {self.number(depth - 1)})",
            lambda: f"({self.number(depth - 1)} - ({self.number(depth - 1)} - {self.literal()}))",
            lambda: f"({self.count(depth)} {self.one('/%')} {self.count(depth)})",
            lambda: f"-({self.number(depth - 1)})",
            lambda: f"({self.condition(depth - 1)} ? {self.number(depth - 1)} : {self.number(depth - 1)})",
            lambda: f"{self.one(['least', 'greatest'])}({self.number(depth - 1)}, {self.number(depth - 1)})",
            lambda: f"div_round({self.number(depth - 1)}, {self.number(depth - 1)}{self.one(['', ', 2'])})",
        )

    def count(self, depth: int) -> str:
        """A whole number, for / and % that truncate."""
        facts = [
            f"{self.row()}.schooling",
            "household.rooms",
            "household.size",
            f"({self.row()}.schooling - 6)",
            f"{self.row()}.age",
        ]
        return self.one([*facts, "3", "-2", "2", f"-{self.row()}.schooling"])

    def quotient(self, depth: int) -> str:
        simple = [
            "household.income_per_capita",
            f"{self.row()}.income / {self.row()}.schooling",
            f"household.land / ({self.row()}.schooling - 6)",
            f"{self.literal()} / ({self.row()}.weight - 1)",
        ]
        if self.macros == 0:
            simple.append(f"household.members.avg(m, {self.inner('m').number(depth - 1)})")
        return self.one(simple)

    def inner(self, name: str) -> Writer:
        return Writer(self.draw, (*self.rows, name), self.macros + 1)

    def members(self, depth: int) -> str:
        if self.draw(st.booleans()):
            return "household.members"
        name = "f" + str(self.macros)
        return f"household.members.filter({name}, {self.inner(name).condition(depth - 2)})"

    def macro_test(self, depth: int) -> str:
        name = "m" + str(self.macros)
        body = self.inner(name).condition(depth - 1)
        return f"{self.members(depth)}.{self.one(['exists', 'all', 'exists_one'])}({name}, {body})"

    def macro_figure(self, depth: int) -> str:
        name = "m" + str(self.macros)
        if self.draw(st.booleans()):
            body = self.inner(name).condition(depth - 1)
            return f"{self.members(depth)}.{self.one(['count', 'count_known'])}({name}, {body})"
        body = self.inner(name).number(depth - 1)
        return f"{self.members(depth)}.{self.one(['sum', 'sum_known', 'min', 'max'])}({name}, {body})"


@st.composite
def conditions(draw: st.DrawFn) -> str:
    return Writer(draw).condition(draw(st.integers(0, 3)))


@st.composite
def amounts(draw: st.DrawFn) -> str:
    formula = Writer(draw).number(draw(st.integers(0, 2)))
    if draw(st.booleans()):
        return f"greatest(0, {formula})"
    return f"greatest(0, {formula}) / {draw(st.sampled_from(['3', '0.07', 'household.size', 'household.rooms']))}"
