"""People of an office, made through the process functions, for the tests of accounts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import sqlalchemy as sa

from mis.accounts import passwords, users
from mis.accounts.models import RoleAssignment, User
from mis.db import db
from registry.models import Area, AreaClosure

DAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "seven brown herons wading"


def make_user(
    username: str = "a.mwangi",
    *roles: str,
    staff_number: str | None = None,
    area_id: int | None = None,
    password: str = PASSWORD,
) -> User:
    """A user who has chosen a password, with roles."""
    user, _first = users.create(
        username, name=username.replace(".", " ").title(), staff_number=staff_number, at=AT
    )
    user.password_hash, user.must_change_password = passwords.hashed(password), False
    for role in roles:
        db.session.add(RoleAssignment(user_id=user.id, role=role, area_id=area_id))
    db.session.flush()
    return user


def make_areas() -> dict[str, int]:
    """A country of two districts, by code."""
    country = Area(code="XX", name="Country", kind="country", level=0)
    db.session.add(country)
    db.session.flush()
    districts = [
        Area(code=code, name=code, kind="district", level=1, parent_id=country.id) for code in ("XX1", "XX2")
    ]
    db.session.add_all(districts)
    db.session.flush()
    areas = [country, *districts]
    db.session.add_all([AreaClosure(ancestor_id=area.id, descendant_id=area.id, depth=0) for area in areas])
    db.session.add_all(
        [AreaClosure(ancestor_id=country.id, descendant_id=one.id, depth=1) for one in districts]
    )
    db.session.flush()
    return {area.code: area.id for area in areas}


def actions() -> list[str]:
    """What the audit trail says was done, oldest first."""
    from mis.audit import AuditEntry

    return list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))
