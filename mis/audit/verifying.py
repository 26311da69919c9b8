"""Verification: recompute every hash, seal and signature, and name what was changed behind the application's back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mis.audit import signing
from mis.audit.digest import merkle_root
from mis.audit.findings import Finding, Report
from mis.audit.reading import read, snapshot
from mis.audit.recording import entries, signed_text, unsealed
from mis.audit.row_checking import check_rows
from mis.audit.sealing import FIRST_HEAD, head_of, leaf, seals, unpacked_ids, unpacked_leaves

_IDS_PER_QUERY = 1_000
_IDS_PER_RANGE = 10_000

Row = dict[str, Any]


def verify(*, expected_head: str | None = None) -> Report:
    """Check the whole trail, and every sealed row against it, in flat memory.

    `expected_head` is the head of an earlier report, kept outside of the database: it shows if seals were cut off.
    """
    report = Report()
    with snapshot() as connection:
        report.entries = connection.scalar(sa.select(sa.func.count()).select_from(entries)) or 0
        _check_seals(connection, report, expected_head)
        _check_waiting(connection, report)
        if report.sealed + report.unsealed != report.entries:
            _name_unlisted(connection, report)
        check_rows(connection, report)
    return report


def _check_seals(connection: Connection, report: Report, expected_head: str | None) -> None:
    previous, expected_seen = FIRST_HEAD, expected_head is None
    for values in read(connection, list(seals.columns), lambda query: query.order_by(seals.c.id), exact=True):
        seal = dict(zip(seals.columns.keys(), values, strict=True))
        if sentence := _fault(seal, previous):
            report.find(Finding("seal", sentence, seal_id=seal["id"]))
        _check_sealed_entries(connection, report, seal)
        report.seals += 1
        previous = _bytes(seal["head"])
        report.head = previous.hex()
        expected_seen = expected_seen or report.head == expected_head
    if not expected_seen:
        report.find(
            Finding("seal", f"No seal has the head {expected_head}: seals were removed, or made anew.")
        )


def _fault(seal: Row, previous: bytes) -> str | None:
    """What is wrong with a seal by itself, and as the one that follows `previous`."""
    number = seal["id"]
    parts = ("entry_ids", "leaves", "merkle_root", "previous_head", "head", "public_key", "signature")
    if not all(isinstance(seal[part], bytes) for part in parts):
        return f"Seal {number} cannot be read."
    ids, leaves = unpacked_ids(seal["entry_ids"]), unpacked_leaves(seal["leaves"])
    said = (seal["entry_count"], seal["first_entry_id"], seal["last_entry_id"])
    if not ids or len(leaves) != len(ids) or said != (len(ids), min(ids), max(ids)):
        return f"Seal {number} was changed: it does not hold the entries that it names."
    if merkle_root(leaves) != seal["merkle_root"] or head_of(seal) != seal["head"]:
        return f"Seal {number} was changed: its hashes do not add up to its head."
    if not signing.is_ours(seal["public_key"]):
        return f"Seal {number} is signed with a key that is not one of this deployment's."
    if not signing.signature_is_right(seal["public_key"], seal["signature"], seal["head"]):
        return f"Seal {number} bears a signature that was not made over it."
    if seal["previous_head"] != previous:
        return (
            f"Seal {number} does not follow the seal before it: a seal between them was removed or changed."
        )
    return None


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _check_sealed_entries(connection: Connection, report: Report, seal: Row) -> None:
    ids, leaves = unpacked_ids(_bytes(seal["entry_ids"])), unpacked_leaves(_bytes(seal["leaves"]))
    for start in range(0, len(ids), _IDS_PER_QUERY):
        some = ids[start : start + _IDS_PER_QUERY]
        found = {row[0]: row for row in _entries(connection, some)}
        report.sealed += len(found)
        for entry_id, expected in zip(some, leaves[start : start + _IDS_PER_QUERY], strict=False):
            if entry_id not in found:
                sentence = f"Audit entry {entry_id}, sealed on {_day(seal)}, was deleted."
                report.find(Finding("entry-deleted", sentence, entry_id, seal["id"]))
            elif leaf(found[entry_id]) != expected:
                sentence = f"{_name(found[entry_id])} is not what was sealed on {_day(seal)}."
                report.find(Finding("entry-changed", sentence, entry_id, seal["id"]))
            else:
                _check_mac(report, found[entry_id], seal["id"])


def _check_waiting(connection: Connection, report: Report) -> None:
    """Entries without a seal yet: their MACs, and whether they are still there."""
    pairs = (
        sa.select(unsealed.c.entry_id)
        .order_by(unsealed.c.entry_id)
        .execution_options(yield_per=_IDS_PER_QUERY)
    )
    for part in connection.scalars(pairs).partitions():
        found = {row[0]: row for row in _entries(connection, part)}
        report.unsealed += len(found)
        for entry_id in part:
            if entry_id in found:
                _check_mac(report, found[entry_id], None)
            else:
                sentence = f"Audit entry {entry_id}, which waited for its seal, was deleted."
                report.find(Finding("entry-deleted", sentence, entry_id))


def _name_unlisted(connection: Connection, report: Report) -> None:
    """Name the entries that neither a seal nor the queue knows."""
    highest = connection.scalar(sa.select(sa.func.max(entries.c.id))) or 0
    lowest = connection.scalar(sa.select(sa.func.min(entries.c.id))) or 0
    for low in range(lowest, highest + 1, _IDS_PER_RANGE):
        high = low + _IDS_PER_RANGE - 1
        known = set(
            connection.scalars(sa.select(unsealed.c.entry_id).where(unsealed.c.entry_id.between(low, high)))
        )
        overlapping = sa.select(seals.c.entry_ids).where(
            seals.c.first_entry_id <= high, seals.c.last_entry_id >= low
        )
        for packed in connection.scalars(overlapping):
            known.update(unpacked_ids(_bytes(packed)))
        present = connection.scalars(sa.select(entries.c.id).where(entries.c.id.between(low, high)))
        for row in _entries(connection, sorted(set(present) - known)):
            sentence = f"{_name(row)} is in no seal and waits for none: it was written by hand or renumbered."
            report.find(Finding("entry-unlisted", sentence, row[0]))


def _entries(connection: Connection, ids: Any) -> Iterator[tuple[Any, ...]]:
    return read(
        connection, list(entries.columns), lambda query: query.where(entries.c.id.in_(ids)), exact=True
    )


def _check_mac(report: Report, row: tuple[Any, ...], seal_id: int | None) -> None:
    entry = _entry(row)
    if not signing.mac_is_right(signed_text(entry), str(entry["mac"])):
        sentence = f"{_name(row)} is not what the application wrote: it was changed, or written by hand."
        report.find(Finding("entry-changed", sentence, row[0], seal_id))


def _entry(row: tuple[Any, ...]) -> Row:
    return dict(zip(entries.columns.keys(), row, strict=True))


def _name(row: tuple[Any, ...]) -> str:
    entry = _entry(row)
    subject = (
        f"{entry['subject_type']} {entry['subject_id'] or ''}".strip()
        if entry["subject_type"]
        else "no record"
    )
    return f"Audit entry {entry['id']} ({entry['action']}, {subject}, by {entry['actor_name']})"


def _day(seal: Row) -> str:
    return f"{seal['at']:%Y-%m-%d %H:%M} UTC" if not isinstance(seal["at"], str) else "an unreadable day"
