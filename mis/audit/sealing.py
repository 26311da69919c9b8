"""Seals: entries that wait are taken in batches, hashed into a Merkle tree, and signed together with the seal before.

A chain inside every transaction would make all writers wait for each other. Until its seal comes, an entry is kept by
its MAC; from then on, an edit, a deletion or an exchange shows, even to one who holds the database alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mis.audit import signing
from mis.audit.digest import canonical, merkle_root
from mis.audit.recording import entries, unsealed
from mis.audit.subjects import table_of
from mis.audit.tables import AuditSeal
from mis.calendar import now
from mis.db import db, plain

FIRST_HEAD = bytes(32)
LEAF_BYTES = 32

# One sealing transaction at a time: two would both follow the same head.
_SEALING_LOCK = 0x6D69735F7365616C

seals = table_of(AuditSeal)


def seal_pending(*, limit: int = 1000) -> int:
    """Put the oldest waiting entries, `limit` at the most, under one seal; returns how many, 0 when none waits.

    Call it in a unit of work of its own, again until it returns 0: each seal is then committed by itself.
    """
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SEALING_LOCK)))
    waiting = sa.select(unsealed.c.entry_id).order_by(unsealed.c.entry_id).limit(limit)
    query = sa.select(entries).where(entries.c.id.in_(waiting)).order_by(entries.c.id)
    rows = [tuple(row) for row in connection.execute(query)]
    if not rows:
        return 0
    ids = [row[0] for row in rows]
    connection.execute(sa.insert(seals), _sealed(connection, ids, [leaf(row) for row in rows]))
    connection.execute(sa.delete(unsealed).where(unsealed.c.entry_id.in_(ids)))
    return len(ids)


def _sealed(connection: Connection, ids: list[int], leaves: list[bytes]) -> dict[str, Any]:
    newest = sa.select(seals.c.head).order_by(seals.c.id.desc()).limit(1)
    seal: dict[str, Any] = {
        "at": now(),
        "first_entry_id": min(ids),
        "last_entry_id": max(ids),
        "entry_count": len(ids),
        "entry_ids": packed_ids(ids),
        "leaves": b"".join(leaves),
        "merkle_root": merkle_root(leaves),
        "previous_head": connection.scalar(newest) or FIRST_HEAD,
    }
    seal["head"] = head_of(seal)
    seal["public_key"], seal["signature"] = signing.sign(seal["head"])
    return seal


def leaf(row: Sequence[Any]) -> bytes:
    """The hash of an entry: its number and every other column."""
    return sha256(canonical(row)).digest()


def head_of(seal: Any) -> bytes:
    """The head of a seal, which contains the head before it, the root over its entries, and what it says of itself."""
    said = canonical([plain(seal[name]) for name in ("at", "first_entry_id", "last_entry_id", "entry_count")])
    ids = sha256(seal["entry_ids"]).digest()
    return sha256(seal["previous_head"] + seal["merkle_root"] + ids + said).digest()


def packed_ids(ids: Iterable[int]) -> bytes:
    """Entry numbers, 8 bytes each."""
    return b"".join(struct.pack(">q", entry_id) for entry_id in ids)


def unpacked_ids(packed: bytes) -> list[int]:
    """The numbers back; a torn end, which only tampering leaves, is passed over."""
    return [number for (number,) in struct.iter_unpack(">q", packed[: len(packed) // 8 * 8])]


def unpacked_leaves(packed: bytes) -> list[bytes]:
    """The leaf hashes of a seal."""
    return [packed[start : start + LEAF_BYTES] for start in range(0, len(packed), LEAF_BYTES)]
