"""A file is kept, a batch is made of it, and a job reads it: row by row accepted or refused, nothing registered yet.

The same file with the same mapping is the same batch: asking again changes nothing and answers with the first one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import sqlalchemy as sa

from mis import access, acting, jobs, settings
from mis.db import db
from mis.errors import Invalid
from registry.importing import layout, mapping, rows, sheets, whole
from registry.importing.mapping import Mapping
from registry.models import Area, IdentityNumber, ImportBatch, ImportNumber, ImportRow, Phone, batch_lifecycle

PERMISSION = "registry:import:create"
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Begun:
    """A batch, the job that reads it, and whether it was there already (`again`)."""

    batch: ImportBatch
    job_id: int | None
    again: bool


def begin(
    file: IO[bytes],
    *,
    file_name: str,
    mapping_text: str,
    mapping_name: str,
    at: datetime,
    area_id: int | None = None,
) -> Begun:
    """Keep a file, make a batch of it and ask for the job that reads it.

    `area_id` is the area of all rows, where the mapping names none. Raises Invalid with the field `file` or `mapping`
    for what cannot be read as a list, or lacks the columns of the mapping.
    """
    chosen = mapping.read(mapping_text, name=mapping_name)
    digest, path = keep(file)
    existing = _same(digest, mapping.digest(mapping_text))
    if existing is not None:
        return Begun(existing, _job_of(existing), again=True)
    _need_area(chosen, area_id)
    sheets.header_of(path, chosen.format, wanted=chosen.columns())
    batch = ImportBatch(
        source=chosen.source, file_name=file_name[:200], file_sha256=digest, file_path=path.name,
        mapping_name=mapping_name, mapping_text=mapping_text, mapping_sha256=mapping.digest(mapping_text),
        area_id=area_id, reference_date=chosen.reference_date, created_by_id=acting.current().user_id, created_at=at,
    )  # fmt: skip
    db.session.add(batch)
    db.session.flush()
    return Begun(batch, _ask(batch).id, again=False)


def keep(file: IO[bytes]) -> tuple[str, Path]:
    """Keep an upload under the digest of its content; returns both. Raises Invalid if it is too large."""
    limit = settings.current().upload_megabytes * 1024 * 1024
    draft = settings.current().instance_path("uploads", f"{uuid4().hex}.draft")
    digest, size = sha256(), 0
    # Whole lists of people lie here: nobody else on the machine reads them.
    draft.touch(mode=0o600)
    try:
        with draft.open("wb") as target:
            while block := file.read(_BLOCK):
                size += len(block)
                if size > limit:
                    raise Invalid(
                        f"The file is larger than {settings.current().upload_megabytes} MB.",
                        field="file",
                        instead="Cut it into parts, and import them one after another.",
                    )
                digest.update(block)
                target.write(block)
        path = upload_path(digest.hexdigest())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return digest.hexdigest(), path


def upload_path(name: str) -> Path:
    """Where an upload lies."""
    return settings.current().instance_path("uploads", name)


def mapping_of(batch: ImportBatch) -> Mapping:
    """The mapping that a batch was read with."""
    return mapping.read(batch.mapping_text, name=batch.mapping_name)


@jobs.kind("registry:stage")
class Stage(jobs.Kind):
    """Read the file of a batch: lay it out, read its rows, then look at all of them together."""

    label = "Reading a list"

    def plan(self, payload: dict[str, Any]) -> Iterable[tuple[int, int]]:
        """Ranges of bytes of the layout."""
        batch = db.session.get_one(ImportBatch, payload["batch"])
        return layout.lay_out(batch.id, upload_path(batch.file_path), mapping_of(batch))

    def work(self, payload: dict[str, Any], chunk: jobs.Chunk) -> dict[str, Any]:
        """Read the rows in a range of bytes."""
        if chunk.high == 0:
            return {"rows": 0}
        batch = db.session.get_one(ImportBatch, payload["batch"])
        return {"rows": stage(batch, layout.rows_between(batch.id, chunk.low, chunk.high))}

    def finish(self, payload: dict[str, Any], results: list[dict[str, Any]]) -> dict[str, Any]:
        """Check the rows together, count them, and offer the batch for acceptance; or say why it cannot be read."""
        batch = db.session.get_one(ImportBatch, payload["batch"])
        failure = layout.failure_of(batch.id)
        if failure is None and not any(result["rows"] for result in results):
            failure = "The file has a header and no rows."
        if failure is not None:
            batch.failure = failure
            batch_lifecycle.take(batch, "fail")
            return {"failure": failure}
        whole.check(batch, mapping_of(batch))
        db.session.flush()
        batch_lifecycle.take(batch, "stage")
        return {"rows": batch.rows_read}


def stage(batch: ImportBatch, numbered: Iterable[sheets.Row]) -> int:
    """Read rows of a batch into `import_row`; returns how many."""
    chosen = mapping_of(batch)
    reader = rows.Reader(chosen, layout.header(batch.id), day=_last_day(batch, chosen))
    readings = [reader.read(row_no, cells) for row_no, cells in numbered]
    _check_areas(readings, chosen)
    session = db.session
    if readings:
        session.execute(sa.insert(ImportRow.__table__), [_row(batch, one) for one in readings])  # type: ignore[arg-type]
    numbers = [number for one in readings if not one.problems for number in _numbers(batch, one)]
    if numbers:
        session.execute(sa.insert(ImportNumber.__table__), numbers)  # type: ignore[arg-type]
    return len(readings)


def _row(batch: ImportBatch, row: rows.Reading) -> dict[str, Any]:
    refused = bool(row.problems)
    return {
        "batch_id": batch.id, "row_no": row.row_no, "outcome": "refused" if refused else "accepted",
        "reason_code": row.problems[0]["code"] if refused else None, "problems": row.problems, "raw": row.raw,
        "household_key": row.household_key, "person_key": row.person_key,
        "area_code": row.area_code, "area_name": row.area_name,
        "household": None if refused else row.household, "person": None if refused else row.person,
        "content_digest": None if refused else row.digest(),
    }  # fmt: skip


def _numbers(batch: ImportBatch, row: rows.Reading) -> Iterator[dict[str, Any]]:
    models: dict[str, type[IdentityNumber | Phone]] = {"identity": IdentityNumber, "phone": Phone}
    for no, (what, kind, number) in enumerate(row.numbers):
        model, uid = models[what], uuid4().hex
        columns = model.number.columns(number, table=model.__tablename__, column="number", uid=uid)
        yield {
            "batch_id": batch.id,
            "row_no": row.row_no,
            "no": no,
            "what": what,
            "kind": kind,
            "uid": uid,
            **columns,
        }


def _check_areas(readings: Sequence[rows.Reading], chosen: Mapping) -> None:
    """Refuse rows in areas that are not there and may not be made, or that the one who imports does not see."""
    if chosen.area is None:
        return
    codes = {one.area_code for one in readings if one.area_code}
    seen = set(db.session.scalars(sa.select(Area.code).where(Area.code.in_(codes), access.in_scope(Area.id))))
    # An officer of a district may not add areas beside it; one of the whole country may.
    if chosen.area.create and access.seen_areas() is None:
        return
    for one in readings:
        if one.area_code and one.area_code not in seen:
            column = ", ".join(mapping.columns_of(chosen.area.code)) or "area"
            one.refuse(column, "unknown_area", f"The area {one.area_code} is not among those you work in.")


def _last_day(batch: ImportBatch, chosen: Mapping) -> date:
    """Nobody in the list was born after the day on which it was made, or brought here."""
    return chosen.reference_date or batch.created_at.date()


def _same(file_digest: str, mapping_digest: str) -> ImportBatch | None:
    return db.session.scalar(
        sa.select(ImportBatch).where(
            ImportBatch.file_sha256 == file_digest,
            ImportBatch.mapping_sha256 == mapping_digest,
            ImportBatch.status.not_in(("rejected", "failed")),
        )
    )


def _ask(batch: ImportBatch) -> jobs.Job:
    return jobs.ask(
        "registry:stage", {"batch": batch.id}, subject=f"import_batch:{batch.id}", permission=PERMISSION
    )


def _job_of(batch: ImportBatch) -> int | None:
    """The job that still has to read an earlier batch; one that was stopped goes on."""
    if batch.status != "reading":
        return None
    job = latest_job(batch)
    if job is None:
        return _ask(batch).id
    if not job.live and job.status != jobs.DONE:
        jobs.resume(job)
    return job.id


def latest_job(batch: ImportBatch) -> jobs.Job | None:
    """The latest job of a batch, whether it reads or accepts."""
    return db.session.scalar(
        sa.select(jobs.Job)
        .where(jobs.Job.subject == f"import_batch:{batch.id}")
        .order_by(jobs.Job.id.desc())
        .limit(1)
    )


def _need_area(chosen: Mapping, area_id: int | None) -> None:
    if chosen.area is None and area_id is None:
        raise Invalid(
            "The mapping names no area: choose the area in which all rows of this list lie.", field="area_id"
        )
