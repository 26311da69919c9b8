"""Households: the list, the page of one, registering one with its members, who joins, leaves, leads, collects."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import aliased

from mis import access
from mis.access import requires
from mis.calendar import now, today
from mis.db import db
from mis.errors import Missing
from mis.web import history
from mis.web.filters import AreaFilter, TextFilter
from mis.web.forms import Form
from mis.web.listing import Column, Listing
from registry import belonging, birth_dates, registration, search
from registry.forms import (
    COLLECTORS,
    RELATIONSHIPS,
    SEXES,
    JoinForm,
    MembershipForm,
    fact_values,
    household_form,
)
from registry.models import Area, Household, Membership, Person
from registry.references import HOUSEHOLD, reference
from registry.views import panels
from registry.views.blueprint import blueprint
from registry.views.persons import fact_groups, known_facts, one_person

READ, EDIT = "registry:household:read", "registry:household:edit"

_area, _head, _member = aliased(Area), aliased(Person), aliased(Membership)
_size = (
    sa.select(sa.func.count(Membership.id))
    .where(Membership.household_id == Household.id, Membership.valid_to.is_(None))
    .correlate(Household)
    .scalar_subquery()
)


def _rows() -> sa.Select[Any]:
    leads = sa.and_(
        _member.household_id == Household.id,
        _member.valid_to.is_(None),
        _member.relationship_to_head == "head",
    )
    return (
        sa.select(Household, _area.name.label("area"), _head, _size.label("size"))
        .join(_area, _area.id == Household.area_id)
        .outerjoin(_member, leads)
        .outerjoin(_head, _head.id == _member.person_id)
    )


def _of(query: str) -> sa.ColumnElement[bool]:
    belongs = sa.select(Membership.household_id).join(Person, Person.id == Membership.person_id)
    return Household.id.in_(belongs.where(Membership.valid_to.is_(None), search.any_of(query)))


def _head_name(row: Any) -> str | None:
    return row[2].name if row[2] is not None else None


household_list = Listing(
    "registry.households",
    title=_l("Households"),
    select=_rows,
    key=Household.id,
    columns=[
        Column(
            "reference",
            _l("Reference"),
            value=lambda row: reference(HOUSEHOLD, row.Household.id),
            sort=Household.id,
        ),
        Column("head", _l("Head"), value=_head_name, sort=_head.search_name),
        Column("members", _l("Members"), value=lambda row: row.size, kind="number"),
        Column("area", _l("Area"), value=lambda row: row.area),
        Column("address", _l("Address"), value=lambda row: row.Household.address),
        Column(
            "registered",
            _l("Registered"),
            value=lambda row: row.Household.registered_at,
            sort=Household.registered_at,
            kind="moment",
        ),
    ],
    filters=[
        TextFilter("q", _l("Name or number of a member"), _of),
        AreaFilter("area", _l("Area"), Household.area_id),
    ],
    row_url=lambda row: url_for("registry.household", household_id=row.Household.id),
    empty_hint=_l("Register a household, or bring a list."),
    export_permission="registry:person:export",
    order="reference",
)


@blueprint.get("/households")
@requires(READ)
def households() -> ResponseReturnValue:
    """All households of the areas one works in."""
    page = household_list.page(request.args)
    return render_template("registry/households.html", listing=page, may_add=access.may(EDIT))


@blueprint.route("/households/new", methods=["GET", "POST"])
@requires(EDIT)
def new_household() -> ResponseReturnValue:
    """Register a household with its members; the button for a further row works without a script."""
    form = household_form()
    if "add_row" in request.form:
        form.members.append_entry()
    elif form.validate_on_submit():
        with form.catching():
            made = registration.register_household(
                [entry.form.member() for entry in form.rows],
                area_id=form.area_id.data,
                address=form.address.data,
                attributes=fact_values(form, "household"),
                day=today(),
                at=now(),
            )
            flash(
                _("Household %(reference)s is registered.", reference=reference(HOUSEHOLD, made.id)),
                "success",
            )
            return redirect(url_for("registry.household", household_id=made.id))
    elif request.method == "GET":
        form.members[0].form.relationship.data = "head"
    return form.page("registry/new_household.html", groups=fact_groups(form))  # type: ignore[no-any-return]


@blueprint.get("/households/<int:household_id>")
@requires(READ)
def household(household_id: int) -> ResponseReturnValue:
    """One household: who lives there, what is known."""
    return _page(_one(household_id))


@blueprint.route("/households/<int:household_id>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit_household(household_id: int) -> ResponseReturnValue:
    """Correct what is recorded of a household."""
    found = _one(household_id)
    form = household_form(found)
    if form.validate_on_submit():
        with form.catching():
            form.version.check(found)
            registration.edit_household(
                found,
                area_id=form.area_id.data,
                address=form.address.data,
                attributes=fact_values(form, "household"),
                at=now(),
            )
            flash(_("The changes are saved."), "success")
            return redirect(url_for("registry.household", household_id=found.id))
    return form.page("registry/edit_household.html", household=found, groups=fact_groups(form))  # type: ignore[no-any-return]


@blueprint.post("/households/<int:household_id>/members")
@requires(EDIT)
def join(household_id: int) -> ResponseReturnValue:
    """Let a registered person join, or move here from another household."""
    found, form = _one(household_id), JoinForm()
    if form.validate_on_submit():
        with form.catching():
            person, day = form.person.data, form.day.data
            if belonging.present(person) is not None:
                belonging.move(person, found, relationship=form.relationship.data, day=day)
            else:
                belonging.join(found, person, relationship=form.relationship.data, day=day)
            flash(_("%(name)s is a member now.", name=person.name), "success")
            return redirect(url_for("registry.household", household_id=found.id))
    return _page(found, join_form=form)


@blueprint.route("/households/<int:household_id>/members/<int:person_id>", methods=["GET", "POST"])
@requires(EDIT)
def member(household_id: int, person_id: int) -> ResponseReturnValue:
    """Change what a member is to the household."""
    found, person, form = _one(household_id), one_person(person_id), MembershipForm()
    if form.validate_on_submit():
        with form.catching():
            day, change = form.day.data or today(), form.change.data
            if change == "leave":
                belonging.leave(person, day=day)
            elif change == "head":
                belonging.change_head(found, person, former_becomes=form.former_becomes.data or "", day=day)
            else:
                belonging.set_collector(found, person, role=None if change == "none" else change, day=day)
            flash(_("The change is recorded."), "success")
            return redirect(url_for("registry.household", household_id=found.id))
    return form.page("registry/member.html", household=found, person=person)


def _one(household_id: int) -> Household:
    found = db.session.scalar(sa.select(Household).where(Household.id == household_id))
    if found is None:
        raise Missing(_("There is no such household among those you may see."))
    return found


def _page(found: Household, *, join_form: JoinForm | None = None) -> ResponseReturnValue:
    form: Form = join_form or JoinForm(formdata=None)
    page = render_template(
        "registry/household.html",
        household=found,
        area=db.session.get_one(Area, found.area_id),
        members=belonging.members(found),
        ages={one.id: birth_dates.age(one.person.birth_date, on=today()) for one in belonging.members(found)},
        relationships=dict(RELATIONSHIPS),
        collectors=dict(COLLECTORS),
        sexes=dict(SEXES),
        known=known_facts(found.attributes, "household"),
        join_form=form,
        may_edit=access.may(EDIT),
        panels=panels.shown(found),
        history=history.of(found) if access.may("audit:trail:read") else None,
    )
    return page, form.status
