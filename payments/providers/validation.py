"""Whether an XML file keeps its ISO 20022 schema: read as a stream, without network, entities or a tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from mis.errors import Invalid

_SCHEMAS = Path(__file__).parent / "schemas"
# A file with a wrong name in every line would report a million times the same.
_MOST_FINDINGS = 1000
# A file may be one single line; it is then fed in pieces of this size.
_MOST_BYTES_FED = 65536
_NAMESPACE = re.compile(r"\{[^}]*\}")

# Files come from outside: nothing is fetched, expanded or kept. lxml-stubs knows none of these options of lxml 6.
_HARDENED: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "collect_ids": False,
    "remove_comments": True,
    "remove_pis": True,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where the file breaks its schema; the line is the one being read when it showed."""

    line: int
    message: str


def schema_names() -> list[str]:
    """The messages whose schema is shipped, such as pain.001.001.09."""
    return sorted(path.stem for path in _SCHEMAS.glob("*.xsd"))


def validate(path: Path, schema_name: str) -> list[Finding]:
    """What the schema holds against the file, at most a thousand findings; none means valid.

    Validate before loading: a reader delivers every row before a schema's verdict is known.
    A schema sees neither a wrong control sum nor an end-to-end id used twice.
    """
    if schema_name not in schema_names():
        raise Invalid(
            f"There is no schema {schema_name!r}. Use one of: {', '.join(schema_names())}.", field="schema"
        )
    if _is_valid(path, schema_name):
        return []
    return _malformed(path) or _against_schema(path, schema_name)


def _is_valid(path: Path, schema_name: str) -> bool:
    """The quick way through a file that is right; one that is not is read again slowly, for the lines."""
    element = None
    try:
        with open(path, "rb") as file:
            events = etree.iterparse(file, schema=_schema(schema_name), **_HARDENED)
            for place, (_, element) in enumerate(events):
                if place == 0 and _has_document_type(element):
                    return False
                drop(element)
    except etree.XMLSyntaxError:
        return False
    # A few bytes of something else give neither an element nor an error.
    return element is not None


def _schema(name: str) -> etree.XMLSchema:
    # Made anew each time: a schema object keeps the state of the file it is checking, and threads must not share it.
    return etree.XMLSchema(file=str(_SCHEMAS / f"{name}.xsd"))


def parts(path: Path, *names: str) -> Iterator[tuple[str, etree._Element]]:
    """Stream the named elements of an untrusted file, each at its start and its end; a malformed file is refused."""
    tags = ["{*}" + name for name in names] if names else None
    try:
        with open(path, "rb") as file:
            events = etree.iterparse(file, events=("start", "end"), tag=tags, **_HARDENED)
            for place, (event, element) in enumerate(events):
                if place == 0 and _has_document_type(element):
                    raise Invalid(
                        "The file declares a document type (DTD), as no payment message does.", field="file"
                    )
                yield event, element
    except etree.XMLSyntaxError as broken:
        raise _refusal(broken) from None


def _has_document_type(element: etree._Element) -> bool:
    about: Any = element.getroottree().docinfo
    return bool(about.doctype)


def drop(element: etree._Element) -> None:
    """Forget an element that was read, and the one like it before it, so that memory stays flat."""
    element.clear()
    before = element.getprevious()
    parent = element.getparent()
    if before is not None and parent is not None and before.tag == element.tag:
        parent.remove(before)


def _malformed(path: Path) -> list[Finding]:
    """The first place where it is not XML at all; the schema's own messages mislead from there on."""
    element = None
    try:
        for event, element in parts(path):
            if event == "end":
                drop(element)
    except Invalid as refusal:
        cause = refusal.__context__
        line = (cause.lineno or 1) if isinstance(cause, etree.XMLSyntaxError) else 1
        return [Finding(line=line, message=refusal.sentence)]
    return [] if element is not None else [Finding(line=1, message="The file is not XML.")]


def _against_schema(path: Path, schema_name: str) -> list[Finding]:
    # libxml2 tells no line while it streams, so the file is fed line by line and each message given to its line.
    # The log lives in the thread, not in the parser: what an earlier file left there is not held against this one.
    etree.clear_error_log()
    parser: Any = etree.XMLPullParser(events=("end",), schema=_schema(schema_name), **_HARDENED)
    findings: list[Finding] = []
    for line, piece in _pieces(path):
        parser.feed(piece)
        for _, element in parser.read_events():
            drop(element)
        findings += _news(parser.feed_error_log, line, known=len(findings))
        if len(findings) >= _MOST_FINDINGS:
            return findings[:_MOST_FINDINGS]
    return findings + _found_at_the_end(parser, line, known=len(findings))


def _found_at_the_end(parser: Any, line: int, *, known: int) -> list[Finding]:
    try:
        parser.close()
    except etree.XMLSyntaxError as broken:
        return _news(broken.error_log, line, known=known)
    return []


def _news(log: Any, line: int, *, known: int) -> list[Finding]:
    return [Finding(line, _NAMESPACE.sub("", entry.message)) for entry in log[known:]]


def _pieces(path: Path) -> Iterator[tuple[int, bytes]]:
    line = 1
    with open(path, "rb") as file:
        while piece := file.readline(_MOST_BYTES_FED):
            yield line, piece
            line += piece.endswith(b"\n")


def _refusal(broken: etree.XMLSyntaxError) -> Invalid:
    line, reason = broken.lineno or 0, str(broken.msg or "it is empty").split(", line ")[0]
    return Invalid(f"Line {line}: the file is not well-formed XML ({reason}).", field="file")
