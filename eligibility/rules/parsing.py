"""From tokens to the tree, by operator precedence; every limit is kept here, before anything else looks at the text."""

from __future__ import annotations

from dataclasses import replace

from eligibility.rules import syntax
from eligibility.rules.lexing import RESERVED, Token, tokens
from eligibility.rules.refusal import RuleError, Source
from eligibility.rules.syntax import Expression

_BINDING = {"||": 1, "&&": 2}
_BINDING |= dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3)
_BINDING |= dict.fromkeys("+-", 4) | dict.fromkeys("*/%", 5)

_MEANT = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "AND": "&&",
    "OR": "||",
    "NOT": "!",
    "is": "==",
    "True": "true",
    "False": "false",
}


def parse(text: str, *, where: str = "") -> Expression:
    """The tree of one expression, or RuleError with its place."""
    source = Source(text, where)
    if len(text) > syntax.MAX_CHARACTERS:
        raise RuleError(
            f"The rule has {len(text):,} characters; at most {syntax.MAX_CHARACTERS:,} can be read by anybody.",
            source=source,
            at=syntax.MAX_CHARACTERS,
            hint="Name a part of it as a derived fact.",
        )
    return _Parser(source).whole()


class _Parser:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens = list(tokens(source))
        self.position = 0
        self.nesting = 0

    def whole(self) -> Expression:
        if self.next.kind == "end":
            raise self.refusal("The rule is empty.")
        expression = self.expression()
        if self.next.kind != "end":
            raise self.unexpected()
        return expression

    # --- tokens ---

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.next
        self.position += 1
        return token

    def sees(self, operator: str) -> bool:
        return self.next.kind == "operator" and self.next.text == operator

    def accept(self, operator: str) -> bool:
        found = self.sees(operator)
        self.position += found
        return found

    def expect(self, operator: str, *, after: str) -> Token:
        if not self.sees(operator):
            raise self.unexpected(f"“{operator}” is missing after {after}.")
        return self.take()

    def operator(self) -> str | None:
        token = self.next
        known = token.kind == "operator" or (token.kind == "word" and token.text == "in")
        return token.text if known and token.text in _BINDING else None

    # --- refusals ---

    def refusal(self, message: str, *, hint: str | None = None) -> RuleError:
        return RuleError(message, source=self.source, at=self.next.start, hint=hint)

    def unexpected(self, message: str | None = None) -> RuleError:
        token = self.next
        meant = _MEANT.get(token.text)
        found = "The rule ends too early." if token.kind == "end" else f"“{token.text}” cannot stand here."
        return self.refusal(message or found, hint=f"Write {meant} for “{token.text}”." if meant else None)

    # --- grammar, weakest operator first ---

    def expression(self) -> Expression:
        self.nesting += 1
        if self.nesting > syntax.MAX_NESTING:
            raise self.refusal(
                f"The rule is nested more than {syntax.MAX_NESTING} deep.",
                hint="Name a part of it as a derived fact.",
            )
        condition = self.binary(1)
        if self.accept("?"):
            yes = self.binary(1)
            self.expect(":", after="the value before it")
            no = self.expression()
            condition = syntax.Choice(condition, yes, no, **self.around(condition, yes, no))
        self.nesting -= 1
        return condition

    def binary(self, weakest: int) -> Expression:
        left = self.unary()
        while (operator := self.operator()) and _BINDING[operator] >= weakest:
            if operator in ("&&", "||"):
                left = self.chain(operator, left)
                continue
            self.take()
            right = self.binary(_BINDING[operator] + 1)
            left = syntax.Binary(operator, left, right, **self.around(left, right))
        return left

    def chain(self, operator: str, first: Expression) -> Expression:
        operands = [first]
        while self.accept(operator):
            operands.append(self.binary(_BINDING[operator] + 1))
            if len(operands) > syntax.MAX_OPERANDS:
                raise self.refusal(
                    f"More than {syntax.MAX_OPERANDS} conditions are joined by {operator}.",
                    hint="A list with “in” may say the same.",
                )
        return syntax.Chain(operator, tuple(operands), **self.around(*operands))

    def unary(self) -> Expression:
        signs = []
        while self.sees("!") or self.sees("-"):
            signs.append(self.take())
            if len(signs) > syntax.MAX_NESTING:
                raise self.refusal(f"More than {syntax.MAX_NESTING} signs stand in a row.")
        operand = self.member()
        for sign in reversed(signs):
            place = {"start": sign.start, "end": operand.end, "depth": operand.depth + 1}
            operand = syntax.Unary(sign.text, operand, **place)
        return operand

    def member(self) -> Expression:
        operand = self.primary()
        while True:
            if self.accept("."):
                operand = self.selection(operand)
            elif self.accept("["):
                key = self.expression()
                end = self.expect("]", after="the key").end
                operand = syntax.Index(operand, key, **self.around(operand, key, end=end))
            else:
                return operand

    def selection(self, operand: Expression) -> Expression:
        token = self.next
        if token.kind != "word" or token.text in RESERVED:
            raise self.unexpected("A name is missing after the point.")
        self.take()
        if self.accept("("):
            arguments, end = self.items(")")
            return syntax.Call(token.text, operand, arguments, **self.around(operand, *arguments, end=end))
        return syntax.Select(operand, token.text, **self.around(operand, end=token.end))

    def primary(self) -> Expression:
        token = self.next
        place = {"start": token.start, "end": token.end}
        if token.kind in ("number", "string"):
            self.take()
            return syntax.Literal(token.value, **place)
        if token.kind == "word":
            return self.word()
        if self.accept("("):
            inner = self.expression()
            end = self.expect(")", after="what stands in parentheses").end
            return replace(inner, start=token.start, end=end)
        if self.accept("["):
            items, end = self.items("]")
            depth = 1 + max((item.depth for item in items), default=0)
            return syntax.ListOf(items, start=token.start, end=end, depth=depth)
        raise self.unexpected()

    def word(self) -> Expression:
        token = self.next
        place = {"start": token.start, "end": token.end}
        if token.text in RESERVED or token.text == "in":
            raise self.refusal(f"“{token.text}” is a reserved word and names nothing.")
        if token.text in _MEANT:
            raise self.unexpected()
        self.take()
        if token.text in ("true", "false", "null"):
            value = {"true": True, "false": False, "null": None}[token.text]
            return syntax.Literal(value, **place)
        if self.accept("("):
            arguments, end = self.items(")")
            depth = 1 + max((argument.depth for argument in arguments), default=0)
            return syntax.Call(token.text, None, arguments, start=token.start, end=end, depth=depth)
        return syntax.Name(token.text, **place)

    def items(self, closing: str) -> tuple[tuple[Expression, ...], int]:
        """Expressions between commas, and where the closing bracket ends."""
        items: list[Expression] = []
        while not self.sees(closing):
            items.append(self.expression())
            if len(items) > syntax.MAX_OPERANDS:
                raise self.refusal(
                    f"A list has at most {syntax.MAX_OPERANDS} items.", hint="Name it as a parameter."
                )
            if not self.accept(","):
                break
        return tuple(items), self.expect(closing, after="the last item").end

    def around(self, *parts: Expression, end: int | None = None) -> dict[str, int]:
        """The place of a node made of these parts."""
        depth = 1 + max(part.depth for part in parts)
        if depth > syntax.MAX_DEPTH:
            raise self.refusal(
                f"The rule has more than {syntax.MAX_DEPTH} steps in a row.",
                hint="Name a part of it as a derived fact.",
            )
        return {"start": parts[0].start, "end": parts[-1].end if end is None else end, "depth": depth}
