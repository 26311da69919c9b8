"""A rule set is checked as a whole before anybody is assessed: names known, types right, nothing can overflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eligibility.rules import arithmetic, meaning, syntax
from eligibility.rules.arithmetic import Unfit
from eligibility.rules.catalogue import BIRTH_DATE, BIRTH_DATE_PRECISION, Catalogue
from eligibility.rules.meaning import Constant, Node
from eligibility.rules.naming import Parameters, Scope, typed
from eligibility.rules.parsing import parse
from eligibility.rules.reading import Reader
from eligibility.rules.refusal import RuleError, Source
from eligibility.rules.ruleset import MAX_CLAUSES, BirthDateReading, Clause, RuleSet, Value
from eligibility.rules.syntax import Expression

ROUNDINGS = ("half_up", "half_even", "half_down", "up", "down")
STEPS = range(1, 10**9 + 1)
MAX_SIZE = 15_000


@dataclass(frozen=True, slots=True)
class Checked:
    """A rule set with its meaning; the only thing that the evaluators accept.

    `amount` is in whole minor units, or None for a rule set that pays nothing.
    """

    rules: RuleSet
    catalogue: Catalogue
    clauses: tuple[tuple[Clause, Node], ...]
    amount: Node | None

    @property
    def amount_bit(self) -> int:
        """The bit of `unknown_mask` that says: all requirements are met, but the amount is not known."""
        return 1 << len(self.clauses)

    @property
    def reading(self) -> BirthDateReading:
        return BirthDateReading(self.rules.birth_date_reading)


def check(rules: RuleSet, catalogue: Catalogue) -> Checked:
    """The meaning of a rule set, or RuleError with the place of the first mistake."""
    _check_outline(rules)
    derived = _named_derived(rules.derived, catalogue)
    tables = {name: _table(name, rows) for name, rows in rules.tables.items()}
    reader = Reader(catalogue, parameters=Parameters.of(rules.parameters), derived=derived, tables=tables)
    for name, (source, tree) in reader.derived.items():
        level = 0 if name.startswith("person.") else -1
        reader.derived_fact(name, level, tree, Scope(source, {}, 1), name)
    clauses = tuple((clause, _clause(clause, reader)) for clause in rules.clauses)
    amount = None if rules.amount is None else _amount(rules.amount, rules, reader)
    checked = Checked(rules, catalogue, clauses, amount)
    if sum(node.size for node in _roots(checked)) > MAX_SIZE:
        raise RuleError(
            "The rule set, with its derived facts written out, is too large.", source=Source("", "clauses")
        )
    return checked


def facts_used(checked: Checked) -> frozenset[str]:
    """The stored facts that a caller must provide, such as person.birth_date for person.age."""
    found: set[str] = set()
    for root in _roots(checked):
        for node in meaning.walk(root):
            if isinstance(node, meaning.Stored):
                found.add(node.fact.name)
            if isinstance(node, meaning.Age):
                found.add(BIRTH_DATE)
                if checked.reading != BirthDateReading.EARLIEST and checked.catalogue.get(
                    BIRTH_DATE_PRECISION
                ):
                    found.add(BIRTH_DATE_PRECISION)
    return frozenset(found)


def _roots(checked: Checked) -> Iterator[Node]:
    yield from (node for _, node in checked.clauses)
    if checked.amount is not None:
        yield checked.amount


def _check_outline(rules: RuleSet) -> None:
    codes = [clause.code for clause in rules.clauses]
    double = next((code for code in codes if codes.count(code) > 1), None)
    reads = [str(reading) for reading in BirthDateReading]
    problems = {
        "A rule set has at least one clause.": not codes,
        f"A rule set has at most {MAX_CLAUSES} clauses.": len(codes) > MAX_CLAUSES,
        f"The reason code “{double}” stands for two clauses.": double is not None,
        f"The rounding is one of: {', '.join(ROUNDINGS)}.": rules.rounding not in ROUNDINGS,
        "The rounding step is a number of minor units from 1 up.": rules.rounding_step_minor not in STEPS,
        f"A birth date is read as one of: {', '.join(reads)}.": rules.birth_date_reading not in reads,
    }
    for message, applies in problems.items():
        if applies:
            raise RuleError(message, source=Source("", "rule set"))


def _clause(clause: Clause, reader: Reader) -> Node:
    where = f"clause {clause.code}"
    return reader.condition(
        parse(clause.expression, where=where), Scope(Source(clause.expression, where), {"person": 0}, 1)
    )


def _amount(text: str, rules: RuleSet, reader: Reader) -> Node:
    source = Source(text, "amount")
    formula = reader.read(parse(text, where="amount"), Scope(source, {"person": 0}, 1))
    if formula.type.kind not in ("number", "quotient"):
        raise RuleError("The amount is not a number.", source=source)
    if formula.type.low < 0 or (isinstance(formula, meaning.Quotient) and formula.divisor.type.low < 0):
        raise RuleError(
            "The amount can fall below zero.",
            source=source,
            hint="Write greatest(0, …), or give its facts a lowest value in the catalogue.",
        )
    try:
        return arithmetic.round_to(
            formula,
            scale=reader.catalogue.minor_digits,
            rounding=rules.rounding,
            step=rules.rounding_step_minor,
            text=text,
        )
    except Unfit as unfit:
        raise RuleError(unfit.message, source=source, hint=unfit.hint) from None


def _named_derived(derived: Mapping[str, str], catalogue: Catalogue) -> dict[str, str]:
    """Full names; a bare name belongs to the household unless its expression asks about the person."""
    named: dict[str, str] = {}
    for written, text in derived.items():
        namespace, _, bare = written.rpartition(".")
        if namespace not in ("", "person", "household") or not bare.isidentifier():
            raise RuleError(
                f"“{written}” cannot be derived.",
                source=Source(text, written),
                hint="Name it person.… or household.… .",
            )
        owner = namespace or ("person" if _asks_person(parse(text, where=written)) else "household")
        name = f"{owner}.{bare}"
        if name in catalogue.names() or name in named:
            raise RuleError(
                f"{name} is already a fact.", source=Source(text, written), hint="Choose another name."
            )
        named[name] = text
    return named


def _asks_person(tree: Expression) -> bool:
    waiting: list[object] = [tree]
    while waiting:
        node = waiting.pop()
        if node == syntax.Name("person", start=0, end=0):
            return True
        if isinstance(node, tuple):
            waiting.extend(node)
        elif hasattr(node, "__slots__") and not isinstance(node, str):
            waiting.extend(getattr(node, slot) for slot in type(node).__slots__)
    return False


def _table(name: str, rows: Mapping[str | int, Value]) -> tuple[tuple[Constant, Constant], ...]:
    """Keys and values as constants, each of one type; decimals at the finest scale."""
    source = Source(name, "tables")
    typed_rows = [
        (typed(k, text=repr(k), source=source), typed(v, text=str(v), source=source)) for k, v in rows.items()
    ]
    if not typed_rows or len(typed_rows) > syntax.MAX_OPERANDS or not name.isidentifier():
        raise RuleError(
            f"Table {name} needs a plain name and 1 to {syntax.MAX_OPERANDS} rows.", source=source
        )
    keys, values = {k.type.kind for k, _ in typed_rows}, {v.type.kind for _, v in typed_rows}
    if not (keys == {"text"} or keys == {"number"}) or len(values) > 1 or values == {"bool"}:
        raise RuleError(f"Table {name} mixes types, or has a type that a table cannot have.", source=source)
    if values != {"number"}:
        return tuple(typed_rows)
    scale = max(v.type.scale for _, v in typed_rows)
    return tuple((k, arithmetic.scaled(v, scale)) for k, v in typed_rows)  # type: ignore[misc]
