"""YAML as a legal text needs it: what is written is what is meant, and every value knows its line.

Numbers with decimals are exact, only `true` and `false` are truth values (`no` and `on` are words), a key stands once,
and there are no references by which a short text could unfold into a long one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import yaml

from mis.errors import Invalid

LONGEST = 200_000
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where the text of a value begins: its line, and the column before its first character."""

    line: int
    column: int


@dataclass(frozen=True)
class Written:
    """The values of a document, and the place of each."""

    values: Any
    places: dict[Path, Place]

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest thing around it that stands in the text."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places[path].line if path in self.places else 1


class _Loader(yaml.SafeLoader):
    """SafeLoader with other words for scalars."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?[0-9]+\.[0-9]+", "-+0123456789"),
    ("timestamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789"),
    ("null", r"~|null|", ["~", "n", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def _exact(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(node.value)


def _day(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> date:
    try:
        return date.fromisoformat(node.value)
    except ValueError:
        raise Invalid(
            f"Line {node.start_mark.line + 1}: {node.value} is not a day.", field="document"
        ) from None


_Loader.add_constructor("tag:yaml.org,2002:float", _exact)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _day)


def read(text: str) -> Written:
    """The values of a YAML text with their places. Raises Invalid with the line."""
    if len(text) > LONGEST:
        raise Invalid(f"The document is longer than {LONGEST:,} characters.", field="document")
    try:
        if any(isinstance(token, yaml.AliasToken | yaml.AnchorToken) for token in yaml.scan(text, _Loader)):
            raise Invalid(
                "References (& and *) are not used in rules: write the value out.", field="document"
            )
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            raise Invalid("The document is empty.", field="document")
        places = dict(_places(node, ()))
        return Written(yaml.load(text, Loader=_Loader), places)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Invalid(f"Line {line}: this is not YAML ({error.problem}).", field="document") from None
    except (yaml.YAMLError, RecursionError):
        raise Invalid("This is not a YAML document of plain text.", field="document") from None


def _places(node: yaml.Node, path: Path) -> Iterator[tuple[Path, Place]]:
    mark = node.start_mark
    block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    quoted = isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
    yield path, Place(mark.line + 1 + block, 0 if block else mark.column + quoted)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise Invalid(f"Line {key.start_mark.line + 1}: {name} stands here twice.", field="document")
            seen.add(name)
            yield from _places(value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _places(value, (*path, number))
