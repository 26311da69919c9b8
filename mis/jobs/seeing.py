"""Which jobs a person sees: the own ones, and those whose areas all lie where he or she may look at background work."""

from __future__ import annotations

import sqlalchemy as sa

from mis import access, acting
from mis.db import Json, Key, db
from mis.jobs.models import Job


def seen() -> sa.ColumnElement[bool]:
    """The criterion for the jobs that may be seen in the areas of this unit of work."""
    if access.seen_areas() is None:
        return sa.true()
    user_id = acting.current().user_id
    return _worked_here() if user_id is None else sa.or_(Job.created_by == user_id, _worked_here())


def _worked_here() -> sa.ColumnElement[bool]:
    """Whether the job keeps to areas that are seen here; one for the whole country has none of its own."""
    postgresql = db.dialect == "postgresql"
    kind = (sa.func.jsonb_typeof if postgresql else sa.func.json_type)(Job.areas)
    areas = sa.case((kind == "array", Job.areas), else_=sa.literal([], Json))
    listed = (sa.func.jsonb_array_elements_text if postgresql else sa.func.json_each)(areas).table_valued(
        "value"
    )
    outside = (
        sa.select(sa.literal(1)).select_from(listed).where(~access.in_scope(sa.cast(listed.c.value, Key)))
    )
    return sa.and_(kind == "array", ~sa.exists(outside))


def sees_inside(job: Job) -> bool:
    """Whether the one who acts may see what a job did: one's own, and what one may read in its room."""
    package, noun, _verb = job.permission.split(":")
    own = job.created_by is not None and job.created_by == acting.current().user_id
    return own or access.may(f"{package}:{noun}:read")
