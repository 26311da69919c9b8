"""The register of the demo: areas by the command line, people by a list that one officer brings and another accepts."""

from __future__ import annotations

import io
import tempfile
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa

from mis.db import db
from mis.demo import office, people
from mis.paths import config_dir
from registry import areas
from registry.importing import accepting, reporting, staging
from registry.models import Area

MAPPING = "demo_roster.yaml"


def load_areas(*, day: date) -> dict[str, int]:
    """Load the areas of the Republic of Sample; returns {added, changed, unchanged}."""
    with office.at_work(None, "registry:area:manage", day=day):
        return areas.load_file(config_dir() / "demo" / "areas.csv")


def area_ids() -> dict[str, int]:
    """The number of every area by its code."""
    with db.unit_of_work(read_only=True) as session:
        return {area.code: area.id for area in session.scalars(sa.select(Area))}


def bring_roster(*, households: int, opening: date, day: date, at: datetime) -> dict[str, int]:
    """Bring the list of all households as of `opening` and accept it; returns {accepted, refused} rows."""
    # The shipped mapping is for a list of any day; this one was made on the opening day.
    mapping = f"reference_date: {opening}\n" + (config_dir() / "mappings" / MAPPING).read_text(
        encoding="utf-8"
    )
    with office.at_work(office.REGISTRAR, staging.PERMISSION, day=day):
        begun = staging.begin(
            io.BytesIO(_roster(households, opening, communes=_communes())),
            file_name="registration-drive.csv",
            mapping_text=mapping,
            mapping_name=MAPPING,
            at=at,
        )
        batch_id, job_id = begun.batch.id, begun.job_id
    assert job_id is not None
    office.finish(job_id)
    with office.at_work(office.SECOND_REGISTRAR, accepting.PERMISSION, day=day):
        job_id = accepting.accept(reporting.batch(batch_id)).id
    office.finish(job_id)
    with db.unit_of_work(read_only=True):
        batch = reporting.batch(batch_id)
        return {"accepted": batch.rows_accepted, "refused": batch.rows_refused}


def _communes() -> list[str]:
    return list(db.session.scalars(sa.select(Area.code).where(Area.kind == "commune").order_by(Area.code)))


def _roster(households: int, opening: date, *, communes: list[str]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "roster.csv")
        people.write(path, households=households, day=opening, communes=communes)
        return path.read_bytes()
