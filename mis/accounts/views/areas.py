"""The names of the areas in which roles are held: accounts know them by number, the registry stands above."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from mis.accounts.models import RoleAssignment
from mis.db import Key, db
from mis.web.forms import area_text

_area = sa.table("area", sa.column("id", Key), sa.column("code", sa.Text()), sa.column("name", sa.Text()))


def area_names(held: Iterable[RoleAssignment]) -> dict[int, str]:
    """The names of the areas of these assignments, by number."""
    numbers = {one.area_id for one in held if one.area_id is not None}
    rows = db.session.execute(sa.select(_area).where(_area.c.id.in_(numbers)))
    return {row.id: area_text(row) for row in rows}
