"""Taking in a provider's answer: the file is kept as it came, read line by line in a job, and never taken twice.

The whole file is read once before anything is stored: one that breaks off in the middle is refused as a whole. A line
that cannot be read stops nothing; it stands on the exception list like every other line that fits no payment.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from lxml import etree

from mis import acting, audit, jobs, settings
from mis.audit.subjects import table_of
from mis.db import db
from mis.errors import Conflict, Invalid, Missing
from mis.jobs import Chunk
from payments import filing, matching, resuming, scheduling
from payments.models import AnswerFile, AnswerLine, Cycle, PaymentBatch
from payments.providers import pain002, payment_csv, validation
from payments.providers.answers import Answer, BadLine, GroupStatus, StatusLine
from payments.providers.statuses import State, state_of
from payments.providers.streaming import whole_file

RECONCILE = "payments:cycle:reconcile"
FORMATS = ("csv", "pain002")

# A part of the file is read from its start on, so parts are large.
LINES_AT_ONCE = 100_000
_ROWS_PER_INSERT = 5_000
_MOST_FINDINGS = 20
_LONGEST = 500

_line = table_of(AnswerLine)


@dataclass(frozen=True)
class Received:
    """An answer file and the job that takes it in; `again` says that the very same file was here before."""

    file: AnswerFile
    job_id: int
    again: bool


def receive(cycle: Cycle, source: Path, *, name: str, at: datetime, form: str | None = None) -> Received:
    """Take a file from the provider; the job returned loads and matches it.

    The same file again has no effect, except that a job that failed half way goes on. Raises Conflict before the
    export or after the closing, Invalid for a file that is no answer, breaks off, or belongs to another cycle.
    """
    scheduling.need_whole_country(RECONCILE)
    cycle = scheduling.lock(cycle)
    sha256 = _checksum(source)
    there = db.session.scalar(
        sa.select(AnswerFile).where(AnswerFile.cycle_id == cycle.id, AnswerFile.sha256 == sha256)
    )
    if there is not None:
        return Received(there, resuming.go_on("payments:answer", f"answer:{there.id}").id, again=True)
    if cycle.status not in ("exported", "reconciled"):
        raise Conflict(
            f"An answer cannot be taken: this payment cycle is {cycle.status_label.lower()}.",
            instead="Answers are taken between the export and the closing.",
        )
    form = form or _format_of(source)
    about = _look_through(source, form, cycle)
    kept = _keep(source, sha256, form)
    file = AnswerFile(
        cycle_id=cycle.id,
        sha256=sha256,
        name=name[:_LONGEST],
        path=str(kept.name),
        format=form,
        received_by_id=acting.current().user_id,
        received_at=at,
        findings=about.findings,
    )
    db.session.add(file)
    db.session.flush()
    payload = {"file": file.id, "lines": about.last_line, "groups": about.groups}
    job = jobs.ask("payments:answer", payload, subject=f"answer:{file.id}", permission=RECONCILE)
    file.job_id = job.id
    return Received(file, job.id, again=False)


def get(file_id: int) -> AnswerFile:
    """The answer file with this number. Raises Missing."""
    file = db.session.get(AnswerFile, file_id)
    if file is None:
        raise Missing(f"There is no answer file number {file_id}.")
    return file


@jobs.kind("payments:answer")
class TakeIn(jobs.Kind):
    """Taking in one answer file, in the order of its lines: of two lines about one payment, the first counts."""

    label = "Take in an answer"
    serial = True

    def plan(self, payload: dict[str, Any]) -> list[tuple[int, int]]:
        """Parts of the file; last, what is said of the message as a whole (numbered below zero)."""
        parts = list(jobs.spans(1, payload["lines"], rows=LINES_AT_ONCE))
        return parts + ([(-payload["groups"], -1)] if payload["groups"] else [])

    def work(self, payload: dict[str, Any], chunk: Chunk) -> dict[str, Any]:
        """Load one part, say of each line what it is, and let the payments follow."""
        file = get(payload["file"])
        # Locked: whatever else is said of these payments, in another file or by telephone, comes before or after.
        cycle = scheduling.lock(scheduling.get(file.cycle_id))
        if chunk.low < 0:
            groups = [group for group in _read(file, cycle) if isinstance(group, GroupStatus)]
            return {"rows": _take_groups(file, cycle, groups)}
        loaded = _load(file, cycle, chunk.low, chunk.high)
        matching.match(file, low=chunk.low, high=chunk.high, at=file.received_at)
        return {"rows": loaded}

    def finish(self, payload: dict[str, Any], results: list[dict[str, Any]]) -> dict[str, Any]:
        """Store how the lines ended, class by class."""
        file = get(payload["file"])
        counts = matching.counts(file)
        assert sum(counts.values()) == sum(result.get("rows", 0) for result in results), (counts, results)
        file.counts = counts
        audit.record("payments.answer_taken", file, details={"sha256": file.sha256, "counts": counts})
        return counts


@dataclass(frozen=True)
class _About:
    """What the first reading found: the number of the last line, statuses of the message, breaches of the schema."""

    last_line: int
    groups: int
    findings: list[str]


def _look_through(source: Path, form: str, cycle: Cycle) -> _About:
    batch = filing.batch_of(cycle)
    assert batch is not None, cycle
    findings = _against_schema(source) if form == "pain002" else []
    last, groups, lines = 0, 0, 0
    for said in _answers(source, form, cycle.currency):
        if isinstance(said, GroupStatus):
            groups += 1
            findings.append(f"{said.original_msg_id}: {said.status} {said.reason_code}".strip())
            _need_own_message(said.original_msg_id, batch)
        else:
            last, lines = max(last, said.line_no), lines + 1
            if isinstance(said, StatusLine) and said.original_msg_id:
                _need_own_message(said.original_msg_id, batch)
    if not lines and not groups:
        raise Invalid("The file says nothing of any payment.", field="file")
    return _About(last, groups, findings[:_MOST_FINDINGS])


def _need_own_message(message_id: str, batch: PaymentBatch) -> None:
    """Refuse an answer to somebody else's message: what it says of references that look like ours is no evidence."""
    if message_id in ("", batch.message_id):
        return
    other = db.session.scalar(sa.select(PaymentBatch).where(PaymentBatch.message_id == message_id))
    where = "it belongs to another cycle" if other is not None else "we never sent that one"
    raise Invalid(
        f"This file answers message {message_id[:40]}, not {batch.message_id}: {where}.",
        field="file",
        instead="Ask the provider for the answer to our message.",
    )


def _against_schema(source: Path) -> list[str]:
    """Breaches of the schema are noted and not refused: banks break it, and their statuses count all the same."""
    try:
        with open(source, "rb") as file:
            _, root = next(etree.iterparse(file, events=("start",), resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, StopIteration):
        return []  # The reader says what is wrong, with the line.
    schema = str(etree.QName(root).namespace or "").rpartition(":")[2]
    if schema not in validation.schema_names():
        return [f"There is no schema {schema!r} to check it with."]
    return [f"Line {one.line}: {one.message}" for one in validation.validate(source, schema)[:_MOST_FINDINGS]]


def _format_of(source: Path) -> str:
    with open(source, "rb") as file:
        start = file.read(200).lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
    return "pain002" if start.startswith(b"<") else "csv"


def _answers(path: Path, form: str, currency: str) -> Iterator[Answer]:
    return pain002.read(path) if form == "pain002" else payment_csv.read(path, currency=currency)


def _read(file: AnswerFile, cycle: Cycle) -> Iterator[Answer]:
    return _answers(_place(file.path), file.format, cycle.currency)


def _load(file: AnswerFile, cycle: Cycle, low: int, high: int) -> int:
    said = (one for one in _read(file, cycle) if not isinstance(one, GroupStatus))
    part = itertools.takewhile(lambda one: one.line_no <= high, said)
    rows = (_row(file.id, one) for one in part if one.line_no >= low)
    count = 0
    while some := list(itertools.islice(rows, _ROWS_PER_INSERT)):
        db.session.connection().execute(sa.insert(_line), some)
        count += len(some)
    return count


def _row(file_id: int, said: StatusLine | BadLine) -> dict[str, Any]:
    empty = dict.fromkeys(_COLUMNS)
    about = {"answer_file_id": file_id, "line_no": said.line_no}
    if isinstance(said, BadLine):
        return empty | about | {
            "match": "unreadable", "problem": _clean(said.sentence), "reason_text": _clean(said.raw),
        }  # fmt: skip
    return empty | about | {
        "end_to_end_id": _clean(said.end_to_end_id or ""),
        "status": str(state_of(said.status)),
        "raw_status": _clean(said.status),
        "reason": _clean(said.reason_code),
        "reason_text": _clean(said.reason_text),
        "amount_minor": said.amount_minor,
        "currency": said.currency,
        "provider_reference": _clean(said.provider_reference),
    }  # fmt: skip


_COLUMNS = (
    "end_to_end_id", "status", "raw_status", "reason", "reason_text", "amount_minor", "currency",
    "provider_reference", "problem", "match",
)  # fmt: skip


def _take_groups(file: AnswerFile, cycle: Cycle, groups: list[GroupStatus]) -> int:
    """What is said of the message as a whole speaks for every payment only if none is answered by itself."""
    taken = 0
    for number, group in enumerate(groups, start=1):
        state = state_of(group.status)
        if group.items or state is State.UNKNOWN:
            continue
        row = dict.fromkeys(_COLUMNS) | {
            "answer_file_id": file.id, "line_no": -number, "status": str(state), "raw_status": group.status,
            "reason": _clean(group.reason_code), "reason_text": _clean(group.reason_text),
        }  # fmt: skip
        db.session.connection().execute(sa.insert(_line), row)
        matching.match_group(file, cycle, line_no=-number, own=_speaks_of(group, cycle), at=file.received_at)
        taken += 1
    return taken


def _speaks_of(group: GroupStatus, cycle: Cycle) -> bool:
    batch = filing.batch_of(cycle)
    return batch is not None and group.original_msg_id == batch.message_id


def _clean(text: str) -> str | None:
    """A text as the databases take it, and not without end."""
    return text.replace("\0", "").strip()[:_LONGEST] or None


def _checksum(source: Path) -> str:
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(source: Path, sha256: str, form: str) -> Path:
    place = _place(f"{sha256}.{'xml' if form == 'pain002' else 'csv'}")
    with open(source, "rb") as given, whole_file(place) as out:
        while piece := given.read(1 << 20):
            out.write(piece)
    return place


def _place(name: str) -> Path:
    return settings.current().instance_path("answers", name)
