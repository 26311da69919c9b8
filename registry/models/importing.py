"""Import batches: a file as it came, row by row, and what became of each row."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from mis.db import Base, Json, primary_key
from mis.states import HasLifecycle, Lifecycle, Step

# A row without a household has none, which is not the same as a household of JSON's null.
_JsonOrNothing = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

batch_lifecycle = Lifecycle(
    "import_batch",
    noun="import batch",
    initial="reading",
    statuses={
        "reading": "Being read",
        "staged": "Waiting for acceptance",
        "accepting": "Being accepted",
        "accepted": "Accepted",
        "rejected": "Rejected",
        "failed": "Not readable",
    },
    steps=(
        Step("stage", "Finish reading", ("reading",), "staged", "registry:import:create", submits=True),
        Step("fail", "Give up reading", ("reading",), "failed", "registry:import:create"),
        Step(
            "accept",
            "Accept",
            ("staged",),
            "accepting",
            "registry:import:accept",
            four_eyes=True,
            bound=True,
            stamps="accepted_by_id",
        ),
        Step("finish", "Finish accepting", ("accepting",), "accepted", "registry:import:accept"),
        Step(
            "reject",
            "Reject",
            ("staged", "accepting"),
            "rejected",
            "registry:import:accept",
            reason="required",
            danger=True,
        ),
    ),
    digest=lambda batch: str(batch.content_digest),
)


class ImportBatch(HasLifecycle, Base):
    """One file, read with one mapping. The same file with the same mapping is never taken twice."""

    __tablename__ = "import_batch"
    __table_args__ = (
        sa.CheckConstraint("accepted_by_id <> created_by_id", name="a_batch_is_accepted_by_a_second_person"),
        sa.Index(
            "one_batch_per_file_and_mapping",
            "file_sha256",
            "mapping_sha256",
            unique=True,
            sqlite_where=sa.text("status NOT IN ('rejected', 'failed')"),
            postgresql_where=sa.text("status NOT IN ('rejected', 'failed')"),
        ),
    )
    lifecycle = batch_lifecycle

    id: Mapped[int] = primary_key()
    source: Mapped[str]
    file_name: Mapped[str]
    file_sha256: Mapped[str]
    file_path: Mapped[str]
    mapping_name: Mapped[str]
    mapping_text: Mapped[str]
    mapping_sha256: Mapped[str]
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"))
    reference_date: Mapped[date | None]
    rows_read: Mapped[int] = mapped_column(default=0)
    rows_accepted: Mapped[int] = mapped_column(default=0)
    rows_refused: Mapped[int] = mapped_column(default=0)
    rows_unchanged: Mapped[int] = mapped_column(default=0)
    content_digest: Mapped[str | None]
    failure: Mapped[str | None]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    accepted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    created_at: Mapped[datetime]


class ImportRow(Base):
    """A row of the file: as it stood there (`raw`), what was made of it (`household`, `person`), and each problem.

    `problems` is a list of {column, code, sentence}. `outcome` is accepted, refused or unchanged (known already, with
    the same content). `household` stands on the row that brings the household (its head's) and `content_digest` is of
    all that the row says, so that the same row in a later file is recognised.
    """

    __tablename__ = "import_row"
    __audit__ = False  # Written once by the reading job; its digest is bound by the acceptance of the batch.
    __table_args__ = (
        sa.CheckConstraint("outcome IN ('accepted', 'refused', 'unchanged')", name="each_row_has_an_outcome"),
        sa.Index("ix_import_row_batch_outcome", "batch_id", "outcome", "row_no"),
        sa.Index("ix_import_row_household_key", "batch_id", "household_key"),
        sa.Index("ix_import_row_person_key", "batch_id", "person_key"),
    )

    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("import_batch.id"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    reason_code: Mapped[str | None]
    problems: Mapped[list[Any]] = mapped_column(Json, default=list)
    raw: Mapped[dict[str, Any]]
    household_key: Mapped[str | None]
    person_key: Mapped[str | None]
    area_code: Mapped[str | None]
    area_name: Mapped[str | None]
    household: Mapped[dict[str, Any] | None] = mapped_column(_JsonOrNothing)
    person: Mapped[dict[str, Any] | None] = mapped_column(_JsonOrNothing)
    content_digest: Mapped[str | None]


class ImportNumber(Base):
    """An identity number or phone of a row, sealed when the row was read for the record that it will become.

    The row's uid is chosen here and moves on with the sealed value, which opens nowhere else.
    """

    __tablename__ = "import_number"
    __audit__ = False  # It belongs to its row, as above.
    __table_args__ = (
        sa.CheckConstraint("what IN ('identity', 'phone')", name="a_number_is_identity_or_phone"),
    )

    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("import_batch.id"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str]
    kind: Mapped[str | None]
    uid: Mapped[str]
    number_sealed: Mapped[bytes]
    number_blind: Mapped[str]
    number_hint: Mapped[str]
