"""What can only be seen when all rows of a batch are there: keys and numbers that stand twice, households without a
head, people who are registered already.

Each check is one statement that finds the rows it refuses; they come in the order in which a row that falls takes its
household with it. What is found is read in pages, so that a bad file costs time and not memory.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from mis.db import db, freshen
from registry.importing.mapping import Mapping, columns_of
from registry.models import Household, IdentityNumber, ImportBatch, ImportNumber, ImportRow, Person

PAGE = 1_000
Found = sa.Select[*tuple[Any, ...]]
Tell = Callable[[Any], str]


def check(batch: ImportBatch, mapping: Mapping) -> None:
    """Refuse the rows that do not go together, mark those that are known, count all, and digest the content."""
    freshen("import_row")
    person_column = ", ".join(columns_of(mapping.key.person)) or "key"
    _refuse(batch, _same_key(batch), person_column, "duplicate_key",
            lambda row: f"The key {row.key} stands already in row {row.first}.")  # fmt: skip
    _mark_unchanged(batch)
    _refuse(batch, _known_otherwise(batch), person_column, "known_otherwise",
            lambda row: f"{row.key} is already registered with other values: correct the record instead.")  # fmt: skip
    numbers = (
        ", ".join(name for rule in mapping.identity_numbers for name in rule.names()) or "identity number"
    )
    _refuse(batch, _number_taken(batch), numbers, "number_taken",
            lambda row: "This identity number belongs to somebody who is registered already.")  # fmt: skip
    _refuse(batch, _same_number(batch), numbers, "duplicate_number",
            lambda row: f"The same identity number stands already in row {row.first}.")  # fmt: skip
    if mapping.unit != "person":
        _check_households(batch, mapping)
    _count(batch)
    batch.content_digest = content_digest(batch)


def overtaken(batch: ImportBatch, mapping: Mapping) -> int:
    """How many of the accepted rows cannot be registered any more: other lists and officers came first."""
    found = [_known_otherwise(batch), _number_taken(batch)]
    if mapping.unit != "person":
        found.append(_household_known(batch))
    rows = sa.union(*(sa.select(one.subquery().c.row_no) for one in found)).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(rows)) or 0


def content_digest(batch: ImportBatch) -> str:
    """The digest of what would be registered: of every row with its outcome, in order."""
    digest = sha256()
    columns = (ImportRow.row_no, ImportRow.outcome, ImportRow.content_digest)
    found = db.session.execute(
        sa.select(*columns)
        .where(ImportRow.batch_id == batch.id)
        .order_by(ImportRow.row_no)
        .execution_options(yield_per=PAGE)
    )
    for row_no, outcome, content in found:
        digest.update(f"{row_no} {outcome} {content}\n".encode())
    return digest.hexdigest()


def _check_households(batch: ImportBatch, mapping: Mapping) -> None:
    column = ", ".join(columns_of(mapping.key.household or "")) or "key"
    _refuse(batch, _household_known(batch), column, "household_known",
            lambda row: f"The household {row.key} is registered already: add the member there.")  # fmt: skip
    if mapping.unit == "member":
        _refuse(batch, _without_one_head(batch), column, "head_count",
                lambda row: f"The household {row.key} has {row.first} heads here; it must have one.")  # fmt: skip
        _refuse(batch, _with_refused(batch), column, "household_refused",
                lambda row: f"Row {row.first} of the household {row.key} was refused.")  # fmt: skip


def _accepted(batch: ImportBatch) -> sa.ColumnElement[bool]:
    return sa.and_(ImportRow.batch_id == batch.id, ImportRow.outcome == "accepted")


def _same_key(batch: ImportBatch) -> Found:
    first = sa.func.min(ImportRow.row_no).over(partition_by=ImportRow.person_key).label("first")
    ranked = (
        sa.select(ImportRow.row_no, ImportRow.person_key.label("key"), first)
        .where(_accepted(batch))
        .subquery()
    )
    return sa.select(ranked).where(ranked.c.row_no > ranked.c.first)


def _same_number(batch: ImportBatch) -> Found:
    number = ImportNumber
    first = sa.func.min(number.row_no).over(partition_by=(number.kind, number.number_blind)).label("first")
    ranked = (
        sa.select(number.row_no, first)
        .join(ImportRow, sa.and_(ImportRow.batch_id == number.batch_id, ImportRow.row_no == number.row_no))
        .where(_accepted(batch), number.what == "identity")
        .subquery()
    )
    return sa.select(ranked).where(ranked.c.row_no > ranked.c.first).distinct()


def _number_taken(batch: ImportBatch) -> Found:
    number = ImportNumber
    held = sa.and_(
        IdentityNumber.kind == number.kind,
        IdentityNumber.number_blind == number.number_blind,
        IdentityNumber.live,
    )
    return (
        sa.select(number.row_no)
        .join(ImportRow, sa.and_(ImportRow.batch_id == number.batch_id, ImportRow.row_no == number.row_no))
        .join(IdentityNumber, held)
        .where(_accepted(batch), number.what == "identity")
        .distinct()
    )


def _mark_unchanged(batch: ImportBatch) -> None:
    earlier = aliased(ImportRow)
    person = Person.__table__.c
    same = (
        sa.select(person.id)
        .join(
            earlier,
            sa.and_(earlier.batch_id == person.import_batch_id, earlier.row_no == person.import_row_no),
        )
        .where(
            person.source == batch.source,
            person.external_key == ImportRow.person_key,
            earlier.content_digest == ImportRow.content_digest,
        )
    )
    table = ImportRow.__table__
    db.session.execute(sa.update(table).where(_accepted(batch), same.exists()).values(outcome="unchanged"))  # type: ignore[arg-type]


def _known_otherwise(batch: ImportBatch) -> Found:
    person = Person.__table__.c
    return (
        sa.select(ImportRow.row_no, ImportRow.person_key.label("key"))
        .join(
            Person.__table__,
            sa.and_(person.source == batch.source, person.external_key == ImportRow.person_key),
        )
        .where(_accepted(batch))
    )


def _household_known(batch: ImportBatch) -> Found:
    household = Household.__table__.c
    known = sa.and_(household.source == batch.source, household.external_key == ImportRow.household_key)
    return (
        sa.select(ImportRow.row_no, ImportRow.household_key.label("key"))
        .join(Household.__table__, known)
        .where(_accepted(batch))
    )


def _without_one_head(batch: ImportBatch) -> Found:
    is_head = sa.case((ImportRow.household.is_not(sa.null()), 1))
    counted = (
        sa.select(
            ImportRow.row_no,
            ImportRow.outcome,
            ImportRow.household_key.label("key"),
            sa.func.count(is_head).over(partition_by=ImportRow.household_key).label("first"),
        )
        .where(ImportRow.batch_id == batch.id, ImportRow.household_key.is_not(None))
        .where(ImportRow.outcome.in_(("accepted", "unchanged")))
        .subquery()
    )
    return sa.select(counted.c.row_no, counted.c.key, counted.c.first).where(
        counted.c.outcome == "accepted", counted.c.first != 1
    )


def _with_refused(batch: ImportBatch) -> Found:
    refused = (
        sa.select(ImportRow.household_key, sa.func.min(ImportRow.row_no).label("first"))
        .where(
            ImportRow.batch_id == batch.id,
            ImportRow.outcome == "refused",
            ImportRow.household_key.is_not(None),
        )
        .group_by(ImportRow.household_key)
        .subquery()
    )
    return (
        sa.select(ImportRow.row_no, refused.c.household_key.label("key"), refused.c.first)
        .join(refused, refused.c.household_key == ImportRow.household_key)
        .where(_accepted(batch))
    )


def _refuse(batch: ImportBatch, found: Found, column: str, code: str, tell: Tell) -> None:
    """Refuse the rows that a statement finds (row_no, and what its sentence needs), page by page."""
    table: Any = ImportRow.__table__
    row_no = found.selected_columns["row_no"]
    marked = (
        sa.update(table)
        .where(table.c.batch_id == batch.id, table.c.row_no == sa.bindparam("of_row"))
        .values(outcome="refused", reason_code=code, problems=sa.bindparam("told", type_=table.c.problems.type),
                household=sa.null(), person=sa.null(), content_digest=None)
    )  # fmt: skip
    after = 0
    while rows := db.session.execute(found.where(row_no > after).order_by(row_no).limit(PAGE)).all():
        db.session.connection().execute(
            marked,
            [
                {"of_row": row.row_no, "told": [{"column": column, "code": code, "sentence": tell(row)}]}
                for row in rows
            ],
        )
        after = rows[-1].row_no


def _count(batch: ImportBatch) -> None:
    outcomes = db.session.execute(
        sa.select(ImportRow.outcome, sa.func.count())
        .where(ImportRow.batch_id == batch.id)
        .group_by(ImportRow.outcome)
    )
    counts: dict[str, int] = {str(row[0]): int(row[1]) for row in outcomes}
    batch.rows_read = sum(counts.values())
    batch.rows_accepted = counts.get("accepted", 0)
    batch.rows_refused = counts.get("refused", 0)
    batch.rows_unchanged = counts.get("unchanged", 0)
