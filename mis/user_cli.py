"""mis user add | list | role | password | off: the users from the command line."""

from __future__ import annotations

from datetime import date
from typing import Any

import click
import sqlalchemy as sa

from mis.accounts import console, roles, users
from mis.accounts.models import RoleAssignment, User
from mis.calendar import now, today
from mis.commands import DAY, command
from mis.db import Key, db
from mis.errors import Missing
from mis.web.forms import area_by_text

_area = sa.table("area", sa.column("id", Key), sa.column("code", sa.Text()))


@click.group("user")
def group() -> None:
    """Users: who they are, and which roles they hold where and until when."""


@command(group, "add", permission="accounts:user:manage")
@click.argument("account", metavar="USERNAME")
@click.option("--name", required=True, help="The name of the person.")
@click.option("--email", help="The e-mail address.")
@click.option("--staff-number", help="The number of the human being: two accounts with it are one person.")
def add(account: str, name: str, email: str | None, staff_number: str | None) -> dict[str, Any]:
    """Make an account, without any role, and print its temporary password."""
    made, first = users.create(account, name=name, email=email, staff_number=staff_number, at=now())
    return {"user": made.username, "temporary_password": first}


@command(group, "list", permission="accounts:user:read", reads=True)
@click.option("--role", help="Only those who hold this role today.")
def list_(role: str | None) -> list[dict[str, Any]]:
    """All users with the roles they hold today."""
    day = today()
    found = sa.select(User).order_by(User.username)
    if role:
        holders = sa.select(RoleAssignment.user_id).where(RoleAssignment.role == role, roles.in_force(day))
        found = found.where(User.id.in_(holders))
    held = _held_by_user(day)
    return [
        {
            "user": user.username,
            "name": user.name,
            "staff_number": user.staff_number,
            "active": user.active,
            "roles": held.get(user.id, []),
        }
        for user in db.session.scalars(found)
    ]


@command(group, "password", permission="accounts:user:manage")
@click.argument("account", metavar="USERNAME")
def password(account: str) -> dict[str, str]:
    """Give a temporary password to a user who has lost the old one."""
    user = console.existing(account)
    return {"user": user.username, "temporary_password": users.reset_password(user, at=now())}


@command(group, "off", permission="accounts:user:manage")
@click.argument("account", metavar="USERNAME")
def off(account: str) -> dict[str, Any]:
    """Switch an account off, and end its sessions."""
    user = console.existing(account)
    users.switch_off(user, day=today())
    return {"user": user.username, "active": user.active}


@click.group("role")
def role_group() -> None:
    """Assign roles, and withdraw them."""


group.add_command(role_group)


@command(role_group, "assign", permission=roles.ASSIGNING)
@click.argument("account", metavar="USERNAME")
@click.argument("role")
@click.option("--area", help="The code of the area; without it, the whole country.")
@click.option("--until", type=DAY, help="The last day (YYYY-MM-DD); without it, until further notice.")
def assign(account: str, role: str, area: str | None, until: date | None) -> dict[str, Any]:
    """Give a role to a user."""
    user = console.existing(account)
    area_id = area_by_text(area) if area else None
    roles.assign(user, role, area_id=area_id, expires_on=until, day=today())
    return {"user": user.username, "roles": _held_by_user(today()).get(user.id, [])}


@command(role_group, "withdraw", permission=roles.ASSIGNING)
@click.argument("account", metavar="USERNAME")
@click.argument("role")
@click.option("--area", help="The code of the area; without it, the assignment for the whole country.")
def withdraw(account: str, role: str, area: str | None) -> dict[str, Any]:
    """Take a role away from a user."""
    user = console.existing(account)
    area_id = area_by_text(area) if area else None
    there = RoleAssignment.area_id.is_(None) if area_id is None else RoleAssignment.area_id == area_id
    found = db.session.scalar(
        sa.select(RoleAssignment).where(RoleAssignment.user_id == user.id, RoleAssignment.role == role, there)
    )
    if found is None:
        raise Missing(f"{user.name} does not hold the role “{role}” there.", instead="See: mis user list")
    roles.withdraw(found, day=today())
    return {"user": user.username, "roles": _held_by_user(today()).get(user.id, [])}


def _held_by_user(day: date) -> dict[int, list[dict[str, Any]]]:
    """The roles of every user: an office has hundreds of users, not millions."""
    held = (
        sa.select(RoleAssignment.user_id, RoleAssignment.role, _area.c.code, RoleAssignment.expires_on)
        .join_from(RoleAssignment, _area, _area.c.id == RoleAssignment.area_id, isouter=True)
        .where(roles.in_force(day))
        .order_by(RoleAssignment.id)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for user_id, role, area, until in db.session.execute(held):
        found.setdefault(user_id, []).append(
            {"role": role, "area": area, "until": until and until.isoformat()}
        )
    return found


commands = (group,)
