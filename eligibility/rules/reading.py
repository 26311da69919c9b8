"""From the tree of words to the tree of meaning: names are resolved and every operator finds operands of its type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from eligibility.rules import arithmetic, functions, meaning, members, syntax
from eligibility.rules.arithmetic import MAX_MEMBERS, Unfit, number
from eligibility.rules.catalogue import AGE, MEMBERS, SIZE, Catalogue, Fact, FactType
from eligibility.rules.functions import A_KIND
from eligibility.rules.meaning import BOOL, DATE, TEXT, Node, Type
from eligibility.rules.naming import NAMESPACES, Parameters, Scope, meant, typed
from eligibility.rules.parsing import parse
from eligibility.rules.refusal import RuleError, Source
from eligibility.rules.syntax import Expression

# What a rule may grow to when its derived facts are written out; the statement around it needs the rest of a hundred.
MAX_SIZE = 5_000
MAX_NESTING = 76


class Reader:
    """Reads expressions against a catalogue, parameters, tables and derived facts."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        parameters: Parameters,
        derived: dict[str, str],
        tables: dict[str, tuple[tuple[meaning.Constant, meaning.Constant], ...]],
    ) -> None:
        self.catalogue = catalogue
        self.parameters = parameters
        self.tables = tables
        self.derived = {name: (Source(text, name), parse(text, where=name)) for name, text in derived.items()}
        self._derived_meanings: dict[tuple[str, int], Node] = {}

    def read(self, node: Expression, scope: Scope) -> Node:
        """The meaning of a node, or RuleError at its place."""
        try:
            result = _READERS[type(node)](self, node, scope)
        except Unfit as unfit:
            raise self.refusal(unfit.message, node, scope, hint=unfit.hint) from None
        if result.size > MAX_SIZE or result.nesting > MAX_NESTING:
            raise self.refusal("The rule, with its derived facts written out, is too large.", node, scope)
        return result

    def refusal(self, message: str, node: Expression, scope: Scope, *, hint: str | None = None) -> RuleError:
        return RuleError(message, source=scope.source, at=node.start, hint=hint)

    def condition(self, node: Expression, scope: Scope) -> Node:
        """The meaning of a node that must be true or false."""
        result = self.read(node, scope)
        if result.type.kind != "bool":
            raise self.refusal(
                f"A condition is expected, and “{self.text(node, scope)}” is {A_KIND[result.type.kind]}.",
                node,
                scope,
                hint="Compare it with something: ==, <, >=.",
            )
        return result

    @staticmethod
    def text(node: Expression, scope: Scope) -> str:
        return scope.source.text[node.start : node.end]

    # --- words ---

    def literal(self, node: syntax.Literal, scope: Scope) -> Node:
        if node.value is None:
            raise self.refusal(
                "null can only be compared with == or !=.", node, scope, hint="Or ask has(fact)."
            )
        return typed(node.value, text=self.text(node, scope), source=scope.source, at=node.start)

    def name(self, node: syntax.Name, scope: Scope) -> Node:
        if node.name == "as_of":
            return meaning.AsOf(type=DATE, text="as_of")
        if node.name in NAMESPACES or node.name in scope.rows:
            raise self.refusal(
                f"“{node.name}” alone is not a value.", node, scope, hint=f"Name a fact of it: {node.name}.…"
            )
        known = [*NAMESPACES, *scope.rows]
        facts = [name for name in self.known_names() if name.endswith(f".{node.name}")]
        hint = f"Did you mean {facts[0]}?" if facts else meant(node.name, known)
        raise self.refusal(f"There is no “{node.name}”.", node, scope, hint=hint)

    def select(self, node: syntax.Select, scope: Scope) -> Node:
        text = self.text(node, scope)
        if not isinstance(node.operand, syntax.Name):
            raise self.refusal("A fact has one point in its name, such as person.age.", node, scope)
        owner = node.operand.name
        if owner == "param":
            return self.parameter(node, scope)
        if owner == "household":
            return self.fact(f"household.{node.field}", -1, node, scope, text)
        if owner in scope.rows:
            return self.fact(f"person.{node.field}", scope.rows[owner], node, scope, text)
        if owner == "person":
            raise self.refusal(
                "A derived fact of the household cannot ask about one person.",
                node,
                scope,
                hint="Use household.members, or name it person.… .",
            )
        if owner == "table":
            raise self.refusal("A table is asked with a key: table.name[key].", node, scope)
        raise self.refusal(
            f"There is no “{owner}”.", node, scope, hint=meant(owner, [*NAMESPACES, *scope.rows])
        )

    def parameter(self, node: syntax.Select, scope: Scope) -> Node:
        value = self.parameters.values.get(node.field)
        if value is None:
            hint = meant(node.field, self.parameters.values, shown="param.{}")
            raise self.refusal(f"There is no parameter param.{node.field}.", node, scope, hint=hint)
        if isinstance(value, tuple):
            raise self.refusal(
                f"param.{node.field} is a list.",
                node,
                scope,
                hint="Ask whether something is in it: x in param.list.",
            )
        return replace(value, text=self.text(node, scope))

    def fact(self, name: str, level: int, node: Expression, scope: Scope, text: str) -> Node:
        if name == SIZE:
            type_ = number(0, MAX_MEMBERS, whole=True)
            return meaning.Aggregate("count", 1, None, None, type=type_, text=text)
        if name == MEMBERS:
            raise self.refusal(
                "household.members is a list.",
                node,
                scope,
                hint="Ask .exists(m, …), .all, .count, .sum, .min, .max or .avg.",
            )
        if name == AGE and self.catalogue.has_age:
            return meaning.Age(level, type=number(-10_000, 10_000, whole=True), text=text)
        if name in self.derived:
            return self.derived_fact(name, level, node, scope, text)
        fact = self.catalogue.get(name)
        if fact is None:
            owner = text.partition(".")[0]
            shown = owner + ".{}"
            known = [
                n.partition(".")[2] for n in self.known_names() if n.startswith(name.partition(".")[0] + ".")
            ]
            hint = meant(name.partition(".")[2], known, shown=shown)
            raise self.refusal(f"There is no fact {text}.", node, scope, hint=hint)
        return meaning.Stored(fact, level, type=self.fact_type(fact), text=text)

    def fact_type(self, fact: Fact) -> Type:
        simple = {FactType.TEXT: TEXT, FactType.BOOL: BOOL, FactType.DATE: DATE}.get(FactType(fact.type))
        if simple:
            return simple
        low, high = fact.bounds()
        whole, money = fact.type == FactType.INT, fact.type == FactType.MONEY
        return number(low, high, scale=self.catalogue.scale(fact), whole=whole, money=money)

    def derived_fact(self, name: str, level: int, node: Expression, scope: Scope, text: str) -> Node:
        if name in scope.deriving:
            circle = " → ".join((*scope.deriving[scope.deriving.index(name) :], name))
            raise self.refusal(f"The derived facts go in a circle: {circle}.", node, scope)
        key = (name, level)
        if key not in self._derived_meanings:
            source, tree = self.derived[name]
            rows = {"person": level} if level >= 0 else {}
            inner = Scope(source, rows, max(level, 0) + 1, deriving=(*scope.deriving, name))
            self._derived_meanings[key] = self.read(tree, inner)
        return replace(self._derived_meanings[key], text=text)

    def known_names(self) -> list[str]:
        return [*self.catalogue.names(), *self.derived]

    def index(self, node: syntax.Index, scope: Scope) -> Node:
        operand = node.operand
        if not (
            isinstance(operand, syntax.Select) and operand.operand == syntax.Name("table", start=0, end=0)
        ):
            raise self.refusal("Only a table is asked with a key: table.name[key].", node, scope)
        rows = self.tables.get(operand.field)
        if rows is None:
            hint = meant(operand.field, self.tables, shown="table.{}")
            raise self.refusal(f"There is no table.{operand.field}.", operand, scope, hint=hint)
        key = self.read(node.key, scope)
        if key.type.kind != rows[0][0].type.kind or key.type.scale:
            raise self.refusal(f"The keys of table.{operand.field} are of another type.", node.key, scope)
        values = [value for _, value in rows]
        type_ = values[0].type
        if type_.kind == "number":
            low, high = min(v.type.low for v in values), max(v.type.high for v in values)
            type_ = replace(type_, low=low, high=high, whole=all(v.type.whole for v in values))
        return meaning.LookUp(key, rows, type=type_, text=self.text(node, scope))

    # --- operators ---

    def unary(self, node: syntax.Unary, scope: Scope) -> Node:
        text = self.text(node, scope)
        if node.operator == "!":
            return meaning.Not(self.condition(node.operand, scope), type=BOOL, text=text)
        zero = arithmetic.constant(0, text="0", whole=True)
        return arithmetic.combine("-", zero, self.read(node.operand, scope), text=text)

    def chain(self, node: syntax.Chain, scope: Scope) -> Node:
        items = tuple(self.condition(operand, scope) for operand in node.operands)
        joined = meaning.AllOf if node.operator == "&&" else meaning.AnyOf
        return joined(items, type=BOOL, text=self.text(node, scope))

    def binary(self, node: syntax.Binary, scope: Scope) -> Node:
        if node.operator == "in":
            return self.membership(node, scope)
        if node.operator in ("+", "-", "*", "/", "%"):
            left, right = self.read(node.left, scope), self.read(node.right, scope)
            return arithmetic.combine(node.operator, left, right, text=self.text(node, scope))
        nulls = [isinstance(side, syntax.Literal) and side.value is None for side in (node.left, node.right)]
        if any(nulls):
            return self.null_test(node, scope, nulls)
        left, right = self.read(node.left, scope), self.read(node.right, scope)
        return self.comparison(node.operator, left, right, node, scope)

    def null_test(self, node: syntax.Binary, scope: Scope, nulls: list[bool]) -> Node:
        text = self.text(node, scope)
        if node.operator not in ("==", "!="):
            raise self.refusal("null can only be compared with == or !=.", node, scope)
        if all(nulls):
            return meaning.Constant(node.operator == "==", type=BOOL, text=text)
        known = meaning.Known(self.read(node.right if nulls[0] else node.left, scope), type=BOOL, text=text)
        return known if node.operator == "!=" else meaning.Not(known, type=BOOL, text=text)

    def comparison(self, operator: str, left: Node, right: Node, node: Expression, scope: Scope) -> Node:
        text = self.text(node, scope)
        kinds = {"number" if side.type.kind == "quotient" else side.type.kind for side in (left, right)}
        if len(kinds) > 1:
            raise self.refusal(
                f"{A_KIND[left.type.kind].capitalize()} is compared with {A_KIND[right.type.kind]}.",
                node,
                scope,
                hint=_hint(left, right),
            )
        if kinds <= {"bool", "text"} and operator not in ("==", "!="):
            raise self.refusal(
                f"{operator} orders numbers and dates only.", node, scope, hint="Use == or !=."
            )
        if kinds == {"bool"}:
            other = meaning.Not(right, type=BOOL, text=f"!({right.text})")
            yes, no = (right, other) if operator == "==" else (other, right)
            return meaning.IfElse(left, yes, no, type=BOOL, text=text)
        if kinds == {"number"}:
            return arithmetic.compare(operator, left, right, text=text)
        self.check_codes(left, right, node, scope)
        return meaning.Compare(operator, left, right, type=BOOL, text=text)  # type: ignore[arg-type]

    def check_codes(self, left: Node, right: Node, node: Expression, scope: Scope) -> None:
        for fact, code in ((left, right), (right, left)):
            codes = fact.fact.codes if isinstance(fact, meaning.Stored) else None
            if codes is not None and isinstance(code, meaning.Constant) and code.value not in codes:
                hint = meant(str(code.value), codes, shown="'{}'") or f"It is one of: {', '.join(codes)}."
                raise self.refusal(f"{fact.text} is never '{code.value}'.", node, scope, hint=hint)

    def membership(self, node: syntax.Binary, scope: Scope) -> Node:
        item, text = self.read(node.left, scope), self.text(node, scope)
        values = self.list_items(node.right, scope)
        tests = tuple(self.comparison("==", item, value, node, scope) for value in values)
        if item.type.kind in ("text", "date", "number") and all(
            isinstance(v, meaning.Constant) and v.type.scale <= item.type.scale for v in values
        ):
            constants = tuple(
                arithmetic.scaled(v, item.type.scale) if item.type.kind == "number" else v for v in values
            )
            return meaning.Among(item, constants, type=BOOL, text=text)  # type: ignore[arg-type]
        return meaning.AnyOf(tests, type=BOOL, text=text)

    def list_items(self, node: Expression, scope: Scope) -> tuple[Node, ...]:
        if isinstance(node, syntax.ListOf):
            if not node.items:
                raise self.refusal("Nothing is in an empty list.", node, scope)
            return tuple(self.read(item, scope) for item in node.items)
        if isinstance(node, syntax.Select) and node.operand == syntax.Name("param", start=0, end=0):
            value = self.parameters.values.get(node.field)
            if isinstance(value, tuple):
                return value
            self.read(node, scope)
        raise self.refusal(
            "A list is expected after “in”.",
            node,
            scope,
            hint="Write ['N', 'E'] or the name of a list parameter.",
        )

    def choice(self, node: syntax.Choice, scope: Scope) -> Node:
        condition = self.condition(node.condition, scope)
        yes, no = self.read(node.yes, scope), self.read(node.no, scope)
        return functions.if_else(condition, yes, no, text=self.text(node, scope))

    def call(self, node: syntax.Call, scope: Scope) -> Node:
        if node.target is not None or node.function == "size":
            return members.aggregate(self, node, scope)
        return functions.call(self, node, scope)


def _hint(left: Node, right: Node) -> str | None:
    if {left.type.kind, right.type.kind} == {"date", "text"}:
        return 'Write a date as date("2026-01-31").'
    return None


_READERS: dict[type[Any], Callable[[Reader, Any, Scope], Node]] = {
    syntax.Literal: Reader.literal,
    syntax.Name: Reader.name,
    syntax.Select: Reader.select,
    syntax.Index: Reader.index,
    syntax.Unary: Reader.unary,
    syntax.Chain: Reader.chain,
    syntax.Binary: Reader.binary,
    syntax.Choice: Reader.choice,
    syntax.Call: Reader.call,
}


def _stray_list(reader: Reader, node: syntax.ListOf, scope: Scope) -> Node:
    raise reader.refusal("A list can only stand after “in”.", node, scope)


_READERS[syntax.ListOf] = _stray_list
