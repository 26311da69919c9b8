"""Which roles a person holds, where and until when; and who may not hold which together.

A role is held in an area and below, through its last day. Two roles of an incompatible pair are refused to one person
for good: in whatever areas, and by whatever accounts, because the same two hands would prepare and approve.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from mis import access, acting, audit
from mis.access import Role
from mis.accounts.models import RoleAssignment, User
from mis.acting import Actor, Grant
from mis.db import db
from mis.errors import Conflict, Forbidden, Invalid, Missing

SYSTEM_ADMINISTRATOR = "system_administrator"
CONSOLE = "console"  # The role of the command line, which nobody assigns.
ASSIGNING = "accounts:role:assign"


def actor_of(user: User, day: date, *, via: str = "web") -> Actor:
    """The user at work, with the grants of all roles held on this day; one who is switched off has none."""
    grants = tuple(
        Grant(access.roles().by_code[held.role].permissions, held.area_id)
        for held in (held_by(user, day) if user.active else ())
        if held.role in access.roles().by_code
    )
    return Actor(user_id=user.id, name=user.name, person=user.person, via=via, grants=grants)


def grants_of(user_id: int, day: date) -> tuple[Grant, ...]:
    """What a user may do on this day; nothing, if there is no such user."""
    user = db.session.get(User, user_id)
    return actor_of(user, day).grants if user else ()


def held_by(user: User, day: date) -> Sequence[RoleAssignment]:
    """The role assignments of a user that hold on this day."""
    return db.session.scalars(
        sa.select(RoleAssignment)
        .where(RoleAssignment.user_id == user.id, in_force(day))
        .order_by(RoleAssignment.id)
    ).all()


def in_force(day: date) -> sa.ColumnElement[bool]:
    """Whether an assignment holds on this day; the day it expires on is its last."""
    return sa.or_(RoleAssignment.expires_on.is_(None), RoleAssignment.expires_on >= day)


def assignable() -> list[Role]:
    """The roles that can be assigned, as `config/roles.toml` lists them."""
    return [role for role in access.roles().by_code.values() if role.code != CONSOLE]


def assign(
    user: User, role: str, *, area_id: int | None, expires_on: date | None, day: date
) -> RoleAssignment:
    """Give a role to a user, in an area and below (or the whole country), through a last day (or further notice)."""
    access.need(ASSIGNING)
    found = next((known for known in assignable() if known.code == role), None)
    if found is None:
        names = ", ".join(known.code for known in assignable())
        raise Invalid(f"There is no role “{role}” to assign. There are: {names}.", field="role")
    if expires_on is not None and expires_on < day:
        raise Invalid("The last day lies in the past. Give a later one, or none.", field="expires_on")
    _refuse_own_role(user)
    _refuse_outside(area_id)
    refuse_incompatible(user, found.code, day=day)
    held = _held_again(user, found, area_id, expires_on, day) or _held_anew(user, found, area_id, expires_on)
    audit.record("role assigned", user, changes={"role": [None, found.code]})
    return held


def withdraw(assignment: RoleAssignment, *, day: date) -> None:
    """Take a role away from its user. The last system administrator keeps hers."""
    access.need(ASSIGNING)
    _refuse_outside(assignment.area_id)
    user = db.session.get_one(User, assignment.user_id)
    if assignment.role == CONSOLE:
        raise Forbidden(
            "The role of the command line is not withdrawn.",
            instead="Switch it off by MIS_CONSOLE_USER_ENABLED.",
        )
    if assignment.role == SYSTEM_ADMINISTRATOR and assignment.area_id is None:
        refuse_without_administrator(user, day=day)
    db.session.delete(assignment)
    db.session.flush()
    audit.record("role withdrawn", user, changes={"role": [assignment.role, None]})


def assignment(assignment_id: int, *, user: User) -> RoleAssignment:
    """A role assignment of this user."""
    found = db.session.get(RoleAssignment, assignment_id)
    if found is None or found.user_id != user.id:
        raise Missing("This role has already been withdrawn.")
    return found


def refuse_incompatible(user: User, role: str, *, day: date) -> None:
    """Refuse a role that goes against another one that this person holds, by any of his or her accounts."""
    _lock_person(user)
    theirs = {held.role for held in _of_person(user, day)}
    for pair in access.roles().incompatible:
        against = pair - {role}
        if role in pair and against & theirs:
            labels = access.roles().by_code
            raise Conflict(
                f"{user.name} holds the role {labels[min(against)].label.lower()}, which no one person may hold "
                f"together with {labels[role].label.lower()}.",
                field="role",
                instead="Withdraw that role first, or choose a colleague.",
            )


def refuse_wider_hands(user: User, permission: str) -> None:
    """Refuse to touch an account that holds a role where the one who acts has no say.

    A new password is a way in: the administrator of a district must not take over an account of the whole country.
    """
    if access.areas_of(permission) is None:
        return
    places = set(
        db.session.scalars(sa.select(RoleAssignment.area_id).where(RoleAssignment.user_id == user.id))
    )
    if None in places or not access.holds_in(permission, (place for place in places if place is not None)):
        raise Forbidden(
            f"{user.name} works beyond the areas where you are administrator.",
            instead="Ask an administrator of the whole country.",
        )


def refuse_without_administrator(user: User, *, day: date) -> None:
    """Refuse what would leave nobody to keep the users: at least one other administrator must remain."""
    # Locked, all of them: of two administrators who remove each other at one moment, one must come too late.
    administrators = db.session.scalars(
        sa.select(User)
        .where(User.active, User.id.in_(_holders(SYSTEM_ADMINISTRATOR, day)))
        .order_by(User.id)
        .with_for_update()
    ).all()
    if user in administrators and len(administrators) == 1:
        raise Conflict(
            f"{user.name} is the last system administrator.", instead="Give somebody else that role first."
        )


def _holders(role: str, day: date) -> sa.Select[Any]:
    """Users who hold the role in the whole country: only they can do everything it is for."""
    return sa.select(RoleAssignment.user_id).where(
        RoleAssignment.role == role, RoleAssignment.area_id.is_(None), in_force(day)
    )


def _refuse_own_role(user: User) -> None:
    if user.person == acting.current().person:
        raise Forbidden(
            "Nobody assigns a role to himself or herself.", instead="Ask another system administrator."
        )


def _refuse_outside(area_id: int | None) -> None:
    if access.areas_of(ASSIGNING) is None:
        return
    with access.within(ASSIGNING):
        inside = area_id is not None and db.session.scalar(sa.select(access.in_scope(sa.literal(area_id))))
    if not inside:
        raise Forbidden(
            "You assign roles only in the areas where you are administrator yourself.", field="area"
        )


def _accounts_of_person(user: User) -> sa.ColumnElement[bool]:
    return User.staff_number == user.staff_number if user.staff_number else User.id == user.id


def _lock_person(user: User) -> None:
    # Two administrators could each give one half of an incompatible pair at the same moment.
    db.session.flush()
    db.session.scalars(
        sa.select(User.id).where(_accounts_of_person(user)).order_by(User.id).with_for_update()
    ).all()


def _of_person(user: User, day: date) -> Sequence[RoleAssignment]:
    accounts = sa.select(User.id).where(_accounts_of_person(user))
    held = sa.select(RoleAssignment).where(RoleAssignment.user_id.in_(accounts), in_force(day))
    return db.session.scalars(held).all()


def _held_again(
    user: User, role: Role, area_id: int | None, expires_on: date | None, day: date
) -> RoleAssignment | None:
    """An assignment of the same role and area that has run out is taken up again; one that has not is refused."""
    there = RoleAssignment.area_id.is_(None) if area_id is None else RoleAssignment.area_id == area_id
    found = db.session.scalar(
        sa.select(RoleAssignment).where(
            RoleAssignment.user_id == user.id, RoleAssignment.role == role.code, there
        )
    )
    if found is None:
        return None
    if found.expires_on is None or found.expires_on >= day:
        raise Conflict(
            f"{user.name} already holds the role {role.label.lower()} there.",
            field="role",
            instead="To change its last day, withdraw it and assign it again.",
        )
    found.expires_on, found.assigned_by_id = expires_on, acting.current().user_id
    db.session.flush()
    return found


def _held_anew(user: User, role: Role, area_id: int | None, expires_on: date | None) -> RoleAssignment:
    made = RoleAssignment(
        user_id=user.id,
        role=role.code,
        area_id=area_id,
        expires_on=expires_on,
        assigned_by_id=acting.current().user_id,
    )
    db.session.add(made)
    db.session.flush()
    return made
