"""A second person accepts a batch, and a job registers what was accepted: areas, then households, then persons.

Everything is INSERT … SELECT from the rows as they were read; nothing is computed anew, so what is registered is what
was looked at. The job may be killed anywhere: a range of rows and its mark of being done are one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa

from mis import audit, jobs
from mis.calendar import now
from mis.db import db, freshen
from mis.errors import Conflict
from registry import areas
from registry.importing import staging, whole
from registry.importing.mapping import AreaRule, Mapping, columns_of, parts_of
from registry.models import (
    Area,
    Household,
    IdentityNumber,
    ImportBatch,
    ImportNumber,
    ImportRow,
    Membership,
    Person,
    Phone,
    batch_lifecycle,
)
from registry.stored_values import from_json

PERMISSION = "registry:import:accept"
_row, _number = ImportRow.__table__.c, ImportNumber.__table__.c


def accept(batch: ImportBatch) -> jobs.Job:
    """Accept a batch, as a second person, and ask for the job that registers it.

    Raises Forbidden for the one who brought the batch, Conflict if it is not waiting for acceptance, or if what it
    brings is registered by now. A batch whose acceptance was interrupted goes on.
    """
    if batch.status == "accepting":
        job = staging.latest_job(batch)
        assert job is not None, batch.id
        if not job.live:
            jobs.resume(job)
        return job
    _need_nothing_overtaken(batch)
    batch_lifecycle.take(batch, "accept")
    return jobs.ask(
        "registry:accept", {"batch": batch.id}, subject=f"import_batch:{batch.id}", permission=PERMISSION
    )


def reject(batch: ImportBatch, *, reason: str) -> None:
    """Turn a batch down; its file may then be brought again.

    Raises Invalid without a reason, Conflict once anybody of it is registered.
    """
    batch_lifecycle.take(batch, "reject", reason=reason)


def _need_nothing_overtaken(batch: ImportBatch) -> None:
    if batch.status not in ("staged", "accepting"):
        return
    if count := whole.overtaken(batch, staging.mapping_of(batch)):
        raise Conflict(
            f"{count} rows of this list were registered otherwise since it was read. Nothing was registered of it.",
            instead="Reject it and bring the file again: what is known by then is told row by row.",
        )


def _begun(batch: ImportBatch) -> str | None:
    """The sentence that forbids to turn down a batch of which something is registered, or about to be."""
    job = staging.latest_job(batch)
    if batch.status == "accepting" and job is not None and job.live:
        return f"Job {job.id} is registering it. Cancel the job first."
    for model in (Household, Person):
        if db.session.scalar(sa.select(sa.exists().where(model.__table__.c.import_batch_id == batch.id))):
            return "Some of it is registered already; the acceptance can only go on."
    return None


@jobs.kind("registry:accept")
class Accept(jobs.Kind):
    """Register the accepted rows of a batch, in order: the areas first, then households, then the people in them.

    The ranges say which: (0, 0) are the areas, row numbers the households, and the same numbers below zero the persons
    of these rows. People come last because a member may stand before the row that brings the household.
    """

    label = "Accepting a list"
    serial = True

    def plan(self, payload: dict[str, Any]) -> Iterable[tuple[int, int]]:
        """Ranges of rows; refused if the rows are no longer what was submitted."""
        batch = db.session.get_one(ImportBatch, payload["batch"])
        if batch.content_digest != whole.content_digest(batch):
            raise Conflict(
                "The rows of this batch are no longer what was read and submitted. Nothing was registered."
            )
        _need_nothing_overtaken(batch)
        accepted = sa.select(_row.row_no).where(_row.batch_id == batch.id, _row.outcome == "accepted")
        ranges = list(jobs.cut(accepted))
        households = ranges if staging.mapping_of(batch).unit != "person" else []
        return [(0, 0), *households, *((-high, -low) for low, high in ranges)]

    def work(self, payload: dict[str, Any], chunk: jobs.Chunk) -> dict[str, Any]:
        """Register one range."""
        batch = db.session.get_one(ImportBatch, payload["batch"])
        mapping = staging.mapping_of(batch)
        if chunk.low == 0:
            return {"areas": make_areas(batch, mapping)}
        if chunk.low > 0:
            households = register_households(batch, low=chunk.low, high=chunk.high)
            freshen("household")
            return {"households": households}
        persons = register_persons(batch, mapping, low=-chunk.high, high=-chunk.low)
        return {"persons": persons, "rows": persons}

    def finish(self, payload: dict[str, Any], results: list[dict[str, Any]]) -> dict[str, Any]:
        """Say that the batch is accepted, once all of its rows are persons."""
        batch = db.session.get_one(ImportBatch, payload["batch"])
        totals = jobs.total(results)
        if totals.get("persons", 0) != batch.rows_accepted:
            raise Conflict(
                f"{batch.rows_accepted - totals.get('persons', 0)} rows could not be registered: their keys are in use."
            )
        freshen("household", "person", "membership")
        batch_lifecycle.take(batch, "finish")
        return totals


def make_areas(batch: ImportBatch, mapping: Mapping) -> int:
    """Make the areas that the accepted rows lie in and that are not there yet; returns how many."""
    if mapping.area is None or not mapping.area.create:
        return 0
    first = (
        sa.select(sa.func.min(_row.row_no))
        .where(_row.batch_id == batch.id, _row.outcome == "accepted")
        .where(_row.area_code.not_in(sa.select(Area.code)))
        .group_by(_row.area_code)
    )
    raws = db.session.scalars(
        sa.select(_row.raw).where(_row.batch_id == batch.id, _row.row_no.in_(first)).order_by(_row.row_no)
    ).all()
    before = db.session.scalar(sa.select(sa.func.count(Area.id))) or 0
    for raw in raws:
        _ensure(mapping.area, raw)
    if raws:
        areas.close()
    return (db.session.scalar(sa.select(sa.func.count(Area.id))) or 0) - before


def register_households(batch: ImportBatch, *, low: int, high: int) -> int:
    """Register the households that the accepted rows low … high bring; returns how many."""
    at = sa.literal(now(), Household.__table__.c.registered_at.type)
    brought = _rows(batch, low=low, high=high).where(_row.household.is_not(sa.null()))
    values = {
        "area_id": _area_id(batch),
        "address": _text(_row.household, "address"),
        "attributes": _row.household["attributes"],
        "source": sa.literal(batch.source),
        "external_key": _row.household_key,
        "import_batch_id": _row.batch_id,
        "import_row_no": _row.row_no,
        "registered_at": at,
        "changed_at": at,
        "version": sa.literal(1),
    }
    with _recorded(batch, Household, low=low, high=high):
        return _insert(Household, values, brought)


def register_persons(batch: ImportBatch, mapping: Mapping, *, low: int, high: int) -> int:
    """Register the persons of the accepted rows low … high with their numbers and memberships; returns how many."""
    at = sa.literal(now(), Person.__table__.c.registered_at.type)
    said = _row.person
    texts = ("given_name", "family_name", "other_names", "search_name", "sex", "birth_precision", "address")
    days = ("birth_date", "death_date")
    values = {
        **{name: _text(said, name) for name in texts},
        **{name: from_json(said, name, sa.Date()) for name in days},
        "area_id": _area_id(batch),
        "attributes": said["attributes"],
        "source": sa.literal(batch.source),
        "external_key": _row.person_key,
        "import_batch_id": _row.batch_id,
        "import_row_no": _row.row_no,
        "registered_at": at,
        "changed_at": at,
        "version": sa.literal(1),
    }
    with _recorded(batch, Person, low=low, high=high):
        count = _insert(Person, values, _rows(batch, low=low, high=high))
    with audit.unaudited("what belongs to the persons of the entry above"):
        _register_numbers(batch, low=low, high=high)
        if mapping.unit != "person":
            _register_memberships(
                batch, mapping.reference_date or batch.created_at.date(), low=low, high=high
            )
    return count


def _register_numbers(batch: ImportBatch, *, low: int, high: int) -> None:
    person = Person.__table__
    for model, what in ((IdentityNumber, "identity"), (Phone, "phone")):
        values = {
            "person_id": person.c.id,
            "uid": _number.uid,
            "number_sealed": _number.number_sealed,
            "number_blind": _number.number_blind,
            "number_hint": _number.number_hint,
            "live": sa.true(),
        }
        if model is IdentityNumber:
            values["kind"] = _number.kind
        of_person = sa.and_(
            person.c.import_batch_id == _number.batch_id, person.c.import_row_no == _number.row_no
        )
        found = (
            sa.select()
            .select_from(ImportNumber.__table__.join(person, of_person))
            .where(_number.batch_id == batch.id, _number.row_no.between(low, high), _number.what == what)
        )
        _insert(model, values, found)


def _register_memberships(batch: ImportBatch, since: date, *, low: int, high: int) -> None:
    person, household = Person.__table__, Household.__table__
    values = {
        "household_id": household.c.id,
        "person_id": person.c.id,
        "relationship": _text(_row.person, "relationship"),
        "collector": _text(_row.person, "collector"),
        "valid_from": sa.literal(since, sa.Date()),
    }
    of_row = sa.and_(person.c.import_batch_id == _row.batch_id, person.c.import_row_no == _row.row_no)
    of_key = sa.and_(household.c.source == batch.source, household.c.external_key == _row.household_key)
    found = (
        sa.select()
        .select_from(ImportRow.__table__.join(person, of_row).join(household, of_key))
        .where(_row.batch_id == batch.id, _row.outcome == "accepted", _row.row_no.between(low, high))
    )
    _insert(Membership, values, found)


def _insert(model: type[Any], values: dict[str, Any], found: sa.Select[Any]) -> int:
    statement = sa.insert(model.__table__).from_select(
        list(values), found.add_columns(*values.values()), include_defaults=False
    )
    result: Any = db.session.connection().execute(statement, execution_options={"preserve_rowcount": True})
    return int(result.rowcount)


def _rows(batch: ImportBatch, *, low: int, high: int) -> sa.Select[Any]:
    source: sa.FromClause = ImportRow.__table__
    if batch.area_id is None:
        source = source.join(Area.__table__, Area.__table__.c.code == _row.area_code)
    # In the order of the file: numbers of persons rise with its rows.
    return (
        sa.select()
        .select_from(source)
        .where(_row.batch_id == batch.id, _row.outcome == "accepted", _row.row_no.between(low, high))
        .order_by(_row.row_no)
    )


def _area_id(batch: ImportBatch) -> sa.ColumnElement[Any]:
    return Area.__table__.c.id if batch.area_id is None else sa.literal(batch.area_id)


def _text(column: sa.ColumnElement[Any], key: str) -> sa.ColumnElement[Any]:
    return from_json(column, key, sa.Text())


def _recorded(batch: ImportBatch, model: type[Any], *, low: int, high: int) -> Any:
    return audit.bulk(
        "registered from a list",
        table=model,
        where={"import_batch_id": batch.id, "import_row_no": [low, high]},
        subject_type="import_batch",
        subject_id=batch.id,
    )


def _ensure(rule: AreaRule, raw: dict[str, str]) -> Area:
    parent = _ensure(rule.parent, raw) if rule.parent else None
    if parent and rule.or_parent and not all(raw[column] for column in columns_of(rule.code)):
        return parent
    code = _filled(rule.code, raw)
    return areas.ensure(
        code,
        name=_filled(rule.name or rule.code, raw),
        kind=rule.kind,
        parent_code=parent.code if parent else None,
    )


def _filled(template: str, raw: dict[str, str]) -> str:
    return "".join(text + ("" if column is None else raw[column]) for text, column in parts_of(template))


batch_lifecycle.behave("reject", unless=_begun)
