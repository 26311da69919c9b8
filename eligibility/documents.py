"""A scheme's document: one YAML text that holds its rules, their articles, the right of appeal, and worked examples.

The text is the legal artefact. Reading it checks everything that can be known without the register: its outline, every
name and type in every expression, and that nothing can overflow. A mistake is told with its line, and what was meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from eligibility import strict_yaml
from eligibility.models.schemes import BRANCHES
from eligibility.rules import Checked, Clause, RuleError, RuleSet, check, facts_used
from eligibility.rules.catalogue import FactType
from eligibility.strict_yaml import Path, Written
from eligibility.vocabulary import vocabulary
from mis import money, settings
from mis.errors import Invalid


def _one_of_the_branches(value: str) -> str:
    if value not in BRANCHES:
        raise ValueError(f"is none of: {', '.join(BRANCHES)}")
    return value


def _a_currency(value: str) -> str:
    try:
        money.exponent(value)
    except Invalid as refusal:
        raise ValueError(refusal.sentence) from None
    return value


def _a_plain_value(value: object) -> object:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, int | Decimal | str | bool | date) for one in values):
        raise ValueError("is a number, a text, true or false, a day, or a list of these")
    return value


Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=4_000)]
Plain: TypeAlias = Annotated[Any, BeforeValidator(_a_plain_value)]
Reason: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SchemePart(_Part):
    """What the scheme is. The code stands in payment references, so it is short."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,5}$")]
    name: Text
    branch: Annotated[str, AfterValidator(_one_of_the_branches)]
    summary: Text
    legal_basis: Text
    currency: Annotated[str, AfterValidator(_a_currency)]


class ClausePart(_Part):
    """One requirement: how it is decided, its reason code, its words, its article, and what proves it."""

    code: Reason
    expression: Text
    sentence: Text
    article: Text
    bring: Text | None = None


class ParameterPart(_Part):
    """A number that the law sets, apart from the rule that uses it."""

    value: Plain
    article: Text
    unit: Text | None = None


class AppealPart(_Part):
    """To whom, within how many days of the notice, and where one may appeal."""

    authority: Text
    days: Annotated[int, Field(ge=1, le=3650)]
    where: Text


class RulesPart(_Part):
    """The rules in force from a day on."""

    valid_from: date
    birth_date_reading: Literal["earliest", "middle", "latest"] = "earliest"
    clauses: Annotated[list[ClausePart], Field(min_length=1)]
    parameters: dict[str, ParameterPart] = Field(default_factory=dict)
    derived: dict[str, Text] = Field(default_factory=dict)
    tables: dict[str, dict[str | int, Plain]] = Field(default_factory=dict)
    amount: Text
    rounding: Literal["half_up", "half_even", "half_down", "up", "down"] = "half_up"
    rounding_step_minor: Annotated[int, Field(ge=1, le=10**9)] = 1
    payee: Literal["self", "household"] = "self"
    recertification_months: Annotated[int, Field(ge=1, le=600)] | None = None
    appeal: AppealPart
    sources: list[Text] = Field(default_factory=list)


class ExpectedPart(_Part):
    """What an example must come to: the outcome, its amount, the codes that fail or are not known."""

    outcome: Literal["eligible", "not_eligible", "undetermined"]
    amount: Plain = None
    reasons: list[Reason] | None = None
    unknown: list[Reason] | None = None


class ExamplePart(_Part):
    """A worked example: given these facts on a day, then this outcome. `others` are the other members."""

    name: Text
    on: date
    person: dict[str, Any] = Field(default_factory=dict)
    household: dict[str, Any] | None = None
    others: list[dict[str, Any]] = Field(default_factory=list)
    then: ExpectedPart


class Document(_Part):
    """The whole document as it is written."""

    scheme: SchemePart
    rules: RulesPart
    examples: list[ExamplePart] = Field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Understood:
    """A document with the meaning of its rules, ready to be evaluated."""

    said: Document
    checked: Checked
    written: Written

    @property
    def scheme(self) -> SchemePart:
        """What the scheme is."""
        return self.said.scheme

    @property
    def rules(self) -> RulesPart:
        """The rules as written."""
        return self.said.rules

    @property
    def codes(self) -> tuple[str, ...]:
        """The reason codes; the place of each is its bit in the masks."""
        return tuple(clause.code for clause in self.rules.clauses)

    def reasons(self, mask: int) -> list[str]:
        """The reason codes of a mask; AMOUNT stands for an amount that is not known."""
        found = [code for bit, code in enumerate(self.codes) if mask >> bit & 1]
        return [*found, AMOUNT] if mask & self.checked.amount_bit else found


# The reason code of those who meet everything while what they would be paid is not known.
AMOUNT = "AMOUNT"


def normalised(text: str) -> str:
    """The text with one kind of line end and none of the blanks that nobody sees."""
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n")) + "\n"


def understand(text: str) -> Understood:
    """Read and check a document. Raises Invalid (field `document`) with the line of the first mistake."""
    return _understood(normalised(text), settings.current().default_currency)


@lru_cache(maxsize=64)
def _understood(text: str, currency: str) -> Understood:
    written = strict_yaml.read(text)
    try:
        said = Document.model_validate(written.values)
    except ValidationError as error:
        raise Invalid(_outline_mistakes(error, written), field="document") from None
    try:
        checked = check(_rule_set(said.rules), vocabulary())
    except RuleError as error:
        raise Invalid(_rule_mistake(error, said, written), field="document") from None
    _need_fitting_currency(said, checked, currency=currency)
    if AMOUNT in (clause.code for clause in said.rules.clauses):
        raise Invalid(f"The reason code {AMOUNT} is kept for an amount that is not known.", field="document")
    return Understood(said, checked, written)


def _rule_set(rules: RulesPart) -> RuleSet:
    return RuleSet(
        clauses=[Clause(c.code, c.expression, c.sentence, c.article) for c in rules.clauses],
        parameters={name: parameter.value for name, parameter in rules.parameters.items()},
        derived=rules.derived,
        tables=rules.tables,
        amount=rules.amount,
        rounding=rules.rounding,
        rounding_step_minor=rules.rounding_step_minor,
        birth_date_reading=rules.birth_date_reading,
    )


def _need_fitting_currency(said: Document, checked: Checked, *, currency: str) -> None:
    """Facts about money are in the currency of the register; a scheme that pays in another may not compare them."""
    pays = said.scheme.currency
    if pays == currency:
        return
    asks_money = any(
        checked.catalogue.facts[name].type == FactType.MONEY
        for name in facts_used(checked)
        if name in checked.catalogue.facts
    )
    if asks_money or money.exponent(pays) != money.exponent(currency):
        raise Invalid(
            f"The scheme pays in {pays}, but the register keeps money in {currency}.", field="document"
        )


def _outline_mistakes(error: ValidationError, written: Written) -> str:
    """The first mistakes in the outline of the document, each with its line."""
    return " ".join(_outline_mistake(dict(one), written) for one in error.errors()[:3])


def _outline_mistake(one: Mapping[str, Any], written: Written) -> str:
    path: Path = tuple(part for part in one["loc"] if part != "[key]")
    line, name = written.line(path), ".".join(str(part) for part in path) or "the document"
    kind, context = one["type"], one.get("ctx", {})
    if kind == "missing":
        return f"Line {line}: {name} is missing."
    if kind == "extra_forbidden":
        known = _keys_beside(path)
        meant = get_close_matches(str(path[-1]), known, n=1)
        return f"Line {line}: {name} is not known here." + (f" Did you mean {meant[0]}?" if meant else "")
    if kind == "value_error":
        return f"Line {line}: {name} {context['error']}."
    if kind == "literal_error":
        return f"Line {line}: {name} is none of: {context['expected']}."
    if kind == "string_pattern_mismatch":
        return f"Line {line}: {name} does not have the form {context['pattern']}."
    return f"Line {line}: {name}: {str(one['msg']).lower()}."


def _keys_beside(path: Path) -> Sequence[str]:
    """The keys that may stand where an unknown one was found."""
    part: Any = Document
    for step in path[:-1]:
        field = part.model_fields.get(step) if isinstance(step, str) and part else None
        inner = _PARTS.get((part, step)) if field else part
        part = inner
    return list(part.model_fields) if part else []


_PARTS: dict[tuple[Any, Any], Any] = {
    (Document, "scheme"): SchemePart,
    (Document, "rules"): RulesPart,
    (Document, "examples"): ExamplePart,
    (RulesPart, "clauses"): ClausePart,
    (RulesPart, "parameters"): ParameterPart,
    (RulesPart, "appeal"): AppealPart,
    (ExamplePart, "then"): ExpectedPart,
}


def _rule_mistake(error: RuleError, said: Document, written: Written) -> str:
    """A mistake in an expression, at its line and column in the document."""
    path = _path_of(error.where, said)
    place = written.places.get(path)
    if place is None or len(path) == 1:
        return f"Line {written.line(path)}: {error.message}{' ' + error.hint if error.hint else ''}"
    # Inside a block of several lines its indentation is unknown here: then the column is the expression's own.
    line = place.line + error.line - 1
    column = error.column + (place.column if error.line == 1 else 0)
    hint = f" {error.hint}" if error.hint else ""
    return f"Line {line}, column {column} ({error.where}): {error.message}{hint}\n{error.caret()}"


def _path_of(where: str, said: Document) -> Path:
    if where.startswith("clause "):
        codes = [clause.code for clause in said.rules.clauses]
        return ("rules", "clauses", codes.index(where.removeprefix("clause ")), "expression")
    bare = where.rpartition(".")[2]
    for name in said.rules.derived:
        if where in (name, f"person.{name}", f"household.{name}") or bare == name:
            return ("rules", "derived", name)
    return ("rules", where) if where in RulesPart.model_fields else ("rules",)
