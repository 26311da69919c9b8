"""The rule language: a profile of CEL with two evaluators from one parse, one for a person and one for a country.

    catalogue = Catalogue([Fact("person.birth_date", "date"), Fact("person.income", "money", "monthly income")])
    rules = RuleSet(
        clauses=[Clause("age", "person.age >= param.pension_age", sentence="Is 65 or older.", article="Art. 3")],
        parameters={"pension_age": 65},
        amount="150.00",
    )
    checked = check(rules, catalogue)                              # or RuleError, with its place and a hint
    determination = evaluate(checked, facts, as_of=day)            # one person, explained
    statement = compile_set(checked, source, as_of=day)            # everybody, in one SELECT (module `compiling`)

Both give the same masks (bit n is clause n) and the same amount for every input. What is not on record is not known,
in three-valued logic: a missing fact makes a person undetermined, never eligible and never refused. Numbers are exact:
decimals and money are whole numbers with a scale, checked not to overflow. Nothing here reads a clock or a database.
"""

from eligibility.rules.catalogue import Catalogue, Fact, FactType
from eligibility.rules.checking import Checked, check, facts_used
from eligibility.rules.evaluating import evaluate
from eligibility.rules.outcome import (
    ClauseFinding,
    Counted,
    Determination,
    Explanation,
    Finding,
    Outcome,
    Step,
    UsedValue,
    outcome_of,
)
from eligibility.rules.parsing import parse
from eligibility.rules.refusal import RuleError
from eligibility.rules.ruleset import BirthDateReading, Clause, RuleSet

__all__ = [
    "BirthDateReading",
    "Catalogue",
    "Checked",
    "Clause",
    "ClauseFinding",
    "Counted",
    "Determination",
    "Explanation",
    "Fact",
    "FactType",
    "Finding",
    "Outcome",
    "RuleError",
    "RuleSet",
    "Step",
    "UsedValue",
    "check",
    "evaluate",
    "facts_used",
    "outcome_of",
    "parse",
]
