"""The users, as the system administrator keeps them: accounts, their roles, their passwords."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import selectinload

from mis import access
from mis.access import requires
from mis.accounts import roles, second_factor, signing_in
from mis.accounts import users as accounts
from mis.accounts.forms import NewUserForm, RoleForm, UserForm
from mis.accounts.models import RoleAssignment, User
from mis.accounts.views.areas import area_names
from mis.accounts.views.blueprint import blueprint
from mis.calendar import now, today
from mis.db import db
from mis.web import history
from mis.web.forms import Form
from mis.web.listing import ChoiceFilter, Column, Listing, TextFilter
from mis.web.shell import register_menu

READ, MANAGE, ASSIGN = "accounts:user:read", "accounts:user:manage", roles.ASSIGNING

register_menu("administration", _l("Users"), "accounts.users", "users", READ, 10)


def _named(text: str) -> sa.ColumnElement[bool]:
    columns = (User.name, User.username, User.staff_number, User.email)
    return sa.or_(*(column.icontains(text, autoescape=True) for column in columns))


def _with_role(role: str) -> sa.ColumnElement[bool]:
    return User.id.in_(
        sa.select(RoleAssignment.user_id).where(RoleAssignment.role == role, roles.in_force(today()))
    )


def _role_labels(user: User) -> str:
    known, day = access.roles().by_code, today()
    held = {one.role for one in user.assignments if one.expires_on is None or one.expires_on >= day}
    return ", ".join(sorted(_(known[role].label) for role in held if role in known))


user_list = Listing(
    "accounts.users",
    title=_l("Users"),
    select=lambda: sa.select(User).options(selectinload(User.assignments)),
    key=User.id,
    columns=[
        Column("name", _l("Name"), value=lambda user: user.name, sort=User.name),
        Column("username", _l("User name"), value=lambda user: user.username, sort=User.username),
        Column(
            "staff_number", _l("Staff number"), value=lambda user: user.staff_number, sort=User.staff_number
        ),
        Column("roles", _l("Roles"), value=_role_labels),
        Column(
            "status", _l("Status"), value=lambda user: "active" if user.active else "inactive", kind="status"
        ),
        Column(
            "second_factor",
            _l("Second factor"),
            value=lambda user: bool(user.totp_confirmed_at),
            kind="yesno",
        ),
        Column(
            "last_signed_in_at",
            _l("Last signed in"),
            value=lambda user: user.last_signed_in_at,
            sort=User.last_signed_in_at,
            kind="moment",
        ),
    ],
    filters=[
        TextFilter("q", _l("Name or number"), _named),
        ChoiceFilter(
            "role",
            _l("Role"),
            lambda: [(role.code, _(role.label)) for role in roles.assignable()],
            _with_role,
        ),
        ChoiceFilter(
            "status",
            _l("Status"),
            [("active", _l("Active")), ("inactive", _l("Switched off"))],
            lambda status: User.active.is_(status == "active"),
        ),
    ],
    row_url=lambda user: url_for("accounts.user", user_id=user.id),
    empty_hint=_l("Add the first user, then give him or her a role."),
    export_permission=READ,
    order="name",
)


@blueprint.get("/users")
@requires(READ)
def users() -> ResponseReturnValue:
    """All users."""
    return render_template(
        "accounts/users.html", listing=user_list.page(request.args), may_add=access.may(MANAGE)
    )


@blueprint.route("/users/new", methods=["GET", "POST"])
@requires(MANAGE)
def new_user() -> ResponseReturnValue:
    """Make an account."""
    form = NewUserForm()
    if form.validate_on_submit():
        with form.catching():
            made, first = accounts.create(
                form.username.data or "",
                name=form.name.data or "",
                email=form.email.data,
                staff_number=form.staff_number.data,
                at=now(),
            )
            return render_template("accounts/temporary_password.html", user=made, password=first, is_new=True)
    return form.page("accounts/new_user.html")


@blueprint.get("/users/<int:user_id>")
@requires(READ)
def user(user_id: int) -> ResponseReturnValue:
    """One user: who he or she is, which roles are held, what can be done."""
    return _user_page(accounts.get(user_id), RoleForm())


@blueprint.route("/users/<int:user_id>/edit", methods=["GET", "POST"])
@requires(MANAGE)
def edit_user(user_id: int) -> ResponseReturnValue:
    """Correct what is known of the person."""
    found = accounts.get(user_id)
    form = UserForm(obj=found)
    if form.validate_on_submit():
        with form.catching():
            accounts.edit(
                found,
                name=form.name.data or "",
                email=form.email.data,
                staff_number=form.staff_number.data,
                day=today(),
            )
            flash(_("Saved."), "success")
            return _to(found)
    return form.page("accounts/edit_user.html", user=found)


@blueprint.post("/users/<int:user_id>/roles")
@requires(ASSIGN)
def assign_role(user_id: int) -> ResponseReturnValue:
    """Give the user a role."""
    found, form = accounts.get(user_id), RoleForm()
    if form.validate_on_submit():
        with form.catching():
            roles.assign(
                found, form.role.data, area_id=form.area.data, expires_on=form.expires_on.data, day=today()
            )
            flash(
                _("The role is assigned. It holds from the next page that %(name)s opens.", name=found.name),
                "success",
            )
            return _to(found)
    return _user_page(found, form)


@blueprint.post("/users/<int:user_id>/roles/<int:assignment_id>/withdraw")
@requires(ASSIGN)
def withdraw_role(user_id: int, assignment_id: int) -> ResponseReturnValue:
    """Take a role away."""
    found = accounts.get(user_id)
    roles.withdraw(roles.assignment(assignment_id, user=found), day=today())
    flash(_("The role is withdrawn."), "success")
    return _to(found)


@blueprint.post("/users/<int:user_id>/reset-password")
@requires(MANAGE)
def reset_password(user_id: int) -> ResponseReturnValue:
    """Give a temporary password, shown once."""
    found = accounts.get(user_id)
    first = accounts.reset_password(found, at=now())
    return render_template("accounts/temporary_password.html", user=found, password=first, is_new=False)


@blueprint.post("/users/<int:user_id>/switch-off")
@requires(MANAGE)
def switch_off(user_id: int) -> ResponseReturnValue:
    """End the account."""
    found = accounts.get(user_id)
    accounts.switch_off(found, day=today())
    flash(_("%(name)s is switched off and signed out.", name=found.name), "success")
    return _to(found)


@blueprint.post("/users/<int:user_id>/switch-on")
@requires(MANAGE)
def switch_on(user_id: int) -> ResponseReturnValue:
    """Let the account sign in again."""
    found = accounts.get(user_id)
    accounts.switch_on(found)
    flash(_("%(name)s is switched on.", name=found.name), "success")
    return _to(found)


@blueprint.post("/users/<int:user_id>/unlock")
@requires(MANAGE)
def unlock(user_id: int) -> ResponseReturnValue:
    """Let a locked user try again."""
    found = accounts.get(user_id)
    accounts.unlock(found)
    flash(_("%(name)s may try again at once.", name=found.name), "success")
    return _to(found)


@blueprint.post("/users/<int:user_id>/remove-second-factor")
@requires(MANAGE)
def remove_users_second_factor(user_id: int) -> ResponseReturnValue:
    """Take the second factor of a lost telephone away."""
    found = accounts.get(user_id)
    accounts.remove_second_factor(found)
    flash(_("The second factor of %(name)s is removed.", name=found.name), "success")
    return _to(found)


def _to(found: User) -> ResponseReturnValue:
    return redirect(url_for("accounts.user", user_id=found.id), 303)


def _user_page(found: User, form: Form) -> ResponseReturnValue:
    held = db.session.scalars(
        sa.select(RoleAssignment).where(RoleAssignment.user_id == found.id).order_by(RoleAssignment.id)
    ).all()
    context: dict[str, Any] = {
        "held": held,
        "today": today(),
        "labels": access.roles().by_code,
        "areas": area_names(held),
        "history": history.of(found) if access.may("audit:trail:read") else None,
        "locked": signing_in.locked(found.username, now()),
        "may_manage": access.may(MANAGE),
        "may_assign": access.may(ASSIGN),
        "codes_left": second_factor.codes_left(found),
    }
    return form.page("accounts/user.html", user=found, **context)
