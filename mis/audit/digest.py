"""One text, and one hash, for a row: the same on SQLite and on PostgreSQL.

The text is JSON without spaces, keys sorted; dates and moments in ISO form, bytes in hexadecimal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from mis.db import plain


def _other(value: Any) -> Any:
    text = plain(value)
    assert text is not value, f"{type(value).__name__} has no canonical text"
    return text


_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_other
).encode


def canonical(values: Sequence[Any]) -> bytes:
    """The text of a row of values."""
    text = _encode(values)
    if "e+" in text:
        # JSONB gives 1e+22 back as an integer, SQLite as a float: written out, they are the same.
        text = _encode(_written_out(values))
    return text.encode("utf-8", "surrogatepass")


def _written_out(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _written_out(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_written_out(inner) for inner in value]
    return value


def as_json(value: Any) -> Any:
    """The value as JSON will give it back: text keys, lists, no dates."""
    return json.loads(json.dumps(value, default=_other, allow_nan=False))


def row_hash(values: Iterable[Any]) -> bytes:
    """The SHA-256 of a row."""
    return sha256(canonical(tuple(values))).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; leaves and nodes are marked, so that neither can pass for the other (RFC 6962)."""
    assert leaves
    level = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]
