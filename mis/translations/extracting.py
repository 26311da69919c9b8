"""Finds the words of the tables: lifecycles, kinds of background work and the configuration.

What a function call marks with ``_("…")`` Babel finds by itself. The tables of the domain hold plain English, because
they know no reader; their words are translated where they are shown, and found here so that no list of them is kept.
"""

import ast
import tomllib
from collections.abc import Iterable, Iterator
from typing import IO, Any

from babel.messages.extract import extract_python

# Line, function or none, words, comments: as Babel takes it from an extractor.
Found = tuple[Any, ...]

# Tables of words, by the name they are assigned to.
TABLES = {"REASONS", "NOT_DUE", "WITHHELD", "label"}
# In a file of the configuration: keys whose text people read, and tables that consist of nothing else.
KEYS = {"label", "summary", "authority", "where", "beyond"}
WORD_TABLES = {"channels", "findings", "remedies"}


def python(file: IO[bytes], keywords: Any, comment_tags: Iterable[str], options: Any) -> Iterator[Found]:
    """What `_()` marks in a module, and the words of its tables."""
    text = file.read()
    file.seek(0)
    yield from extract_python(file, keywords, list(comment_tags), options)
    for node in ast.walk(ast.parse(text)):
        for word in _words(node):
            yield word.lineno, None, word.value, []


def toml(file: IO[bytes], keywords: Any, comment_tags: Iterable[str], options: Any) -> Iterator[Found]:
    """The labels in a file of the configuration."""
    for text in _labels(tomllib.load(file)):
        yield 1, None, text, []


def _words(node: ast.AST) -> Iterator[ast.Constant]:
    """The words that one node of a module brings: the label of a step, statuses, a table of words."""
    match node:
        case ast.Call(func=ast.Name(id="Step"), args=[_, ast.Constant() as label, *_]):
            yield label
        case ast.keyword(arg="statuses", value=ast.Dict() as table):
            yield from _texts(table)
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in TABLES:
            yield from _texts(value)


def _texts(value: ast.expr) -> Iterator[ast.Constant]:
    parts = value.values if isinstance(value, ast.Dict) else [value]
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part


def _labels(table: dict[str, Any], *, all_of: bool = False) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _labels(value, all_of=key in WORD_TABLES)
        elif isinstance(value, str) and (all_of or key in KEYS):
            yield value
