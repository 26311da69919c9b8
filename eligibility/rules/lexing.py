"""From characters to tokens, refusing what looks like another language with the word for it in this one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from eligibility.rules.refusal import RuleError, Source
from eligibility.rules.syntax import MAX_DIGITS

_RESERVED = (
    "as break const continue else for function if import let loop package namespace return var void while"
)
RESERVED = frozenset(_RESERVED.split())

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f]+|//[^\n]*)
  | (?P<raw>[rR](?:\"\"\"(?:[^"]|"(?!""))*\"\"\"|'''(?:[^']|'(?!''))*'''|"[^"\r\n]*"|'[^'\r\n]*'))
  | (?P<string>\"\"\"(?:\\.|[^"\\]|"(?!""))*\"\"\"|'''(?:\\.|[^'\\]|'(?!''))*'''
      |"(?:\\.|[^"\\\r\n])*"|'(?:\\.|[^'\\\r\n])*')
  | (?P<decimal>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
  | (?P<hexadecimal>0[xX][0-9a-fA-F]+)
  | (?P<integer>[0-9]+)
  | (?P<word>[_a-zA-Z][_a-zA-Z0-9]*)
  | (?P<operator>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)

_MEANT = {
    "=": "Write == to compare.",
    "&": "Write && for “and”.",
    "|": "Write || for “or”.",
    "≥": "Write >=.",
    "≤": "Write <=.",
    "≠": "Write !=.",
    "×": "Write * to multiply.",
    "÷": "Write / to divide.",
    "“": 'Write straight quotes: "text".',
    "”": 'Write straight quotes: "text".',
    "‘": "Write straight quotes: 'text'.",
    "’": "Write straight quotes: 'text'.",
    '"': "The text is not closed by a second quote on the same line.",
    "'": "The text is not closed by a second quote on the same line.",
    "{": "Maps and messages are not part of the rule language.",
    ";": "A rule is one expression, without semicolons.",
}

_SIMPLE_ESCAPES = dict(zip("abfnrtv\\'\"`?", "\a\b\f\n\r\t\v\\'\"`?", strict=True))
_ESCAPE = re.compile(
    r"\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is number, string, word, operator or end; an operator's and a word's `text` is itself."""

    kind: str
    text: str
    value: int | Decimal | str | None
    start: int
    end: int


def tokens(source: Source) -> Iterator[Token]:
    """All tokens, and one of kind "end"."""
    text, at = source.text, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise RuleError(
                f"“{text[at]}” cannot stand here.", source=source, at=at, hint=_MEANT.get(text[at])
            )
        kind = match.lastgroup
        if kind != "space":
            yield _token(str(kind), match[0], at, source)
        at = match.end()
    yield Token("end", "", None, len(text), len(text))


def _token(kind: str, text: str, at: int, source: Source) -> Token:
    end = at + len(text)
    if kind in ("word", "operator"):
        return Token(kind, text, None, at, end)
    if kind in ("raw", "string"):
        return Token("string", text, _string(kind, text, at, source), at, end)
    following = source.text[end : end + 1]
    if following.isalnum() or following == "_":
        raise RuleError(
            f"A number is followed by “{following}”.",
            source=source,
            at=end,
            hint="Write plain digits, such as 65 or 0.21.",
        )
    return Token("number", text, _number(kind, text, at, source), at, end)


def _number(kind: str, text: str, at: int, source: Source) -> int | Decimal:
    if sum(c.isalnum() for c in text) > MAX_DIGITS + 4:
        raise RuleError(f"A number has at most {MAX_DIGITS} digits.", source=source, at=at)
    value = int(text, 16) if kind == "hexadecimal" else int(text) if kind == "integer" else Decimal(text)
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)
        if exponent < -MAX_DIGITS or value.adjusted() >= MAX_DIGITS:
            raise RuleError(f"A number has at most {MAX_DIGITS} digits.", source=source, at=at)
        return value.quantize(Decimal(1)) if exponent > 0 else value
    if abs(value) >= 10**MAX_DIGITS:
        raise RuleError(f"A number has at most {MAX_DIGITS} digits.", source=source, at=at)
    return value


def _string(kind: str, text: str, at: int, source: Source) -> str:
    """The text meant, in the composed form (NFC) in which the registry stores text."""
    body = text[1:] if kind == "raw" else text
    quote = 3 if body[:3] in ('"""', "'''") else 1
    body = body[quote:-quote]

    def escaped(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code or match[4]:
            return _character(int(code, 16) if code else int(match[4], 8), at, source)
        if match[5] not in _SIMPLE_ESCAPES:
            raise RuleError(
                f"“\\{match[5]}” is not an escape.", source=source, at=at, hint="Write \\\\ for a backslash."
            )
        return _SIMPLE_ESCAPES[match[5]]

    value = unicodedata.normalize("NFC", body if kind == "raw" else _ESCAPE.sub(escaped, body))
    for character in value:
        _character(ord(character), at, source)
    return value


def _character(code: int, at: int, source: Source) -> str:
    # No database stores these in text: PostgreSQL refuses NUL, UTF-8 has no surrogates.
    if code == 0 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
        raise RuleError(f"U+{code:04X} is not a character that text can hold.", source=source, at=at)
    return chr(code)
