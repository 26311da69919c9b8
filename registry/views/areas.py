"""Areas: the places of the country, as a tree one walks down, and the list they are loaded from."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import aliased

from mis import access
from mis.access import requires
from mis.db import db
from mis.errors import Missing
from mis.web.filters import TextFilter
from mis.web.listing import Column, Listing
from registry import areas as places
from registry.forms import AreaListForm
from registry.models import Area, AreaClosure, Household, Person
from registry.views.blueprint import blueprint

READ, MANAGE = "registry:area:read", "registry:area:manage"

_parent = aliased(Area)


def _rows() -> Any:
    return sa.select(Area, _parent.name.label("parent")).outerjoin(_parent, _parent.id == Area.parent_id)


area_list = Listing(
    "registry.areas",
    title=_l("Areas"),
    select=_rows,
    key=Area.id,
    columns=[
        Column("code", _l("Code"), value=lambda row: row.Area.code, sort=Area.code),
        Column("name", _l("Name"), value=lambda row: row.Area.name, sort=Area.name),
        Column("kind", _l("Kind"), value=lambda row: row.Area.kind, sort=Area.kind),
        Column("parent", _l("Lies in"), value=lambda row: row.parent),
    ],
    filters=[
        TextFilter(
            "q",
            _l("Name or code"),
            lambda text: sa.or_(
                Area.name.icontains(text, autoescape=True), Area.code.istartswith(text, autoescape=True)
            ),
        )
    ],
    row_url=lambda row: url_for("registry.area", area_id=row.Area.id),
    empty_hint=_l("Load the list of areas, as CSV with the columns code, name, kind, parent_code."),
    export_permission=READ,
    order="code",
)


@blueprint.get("/areas")
@requires(READ)
def areas() -> ResponseReturnValue:
    """All areas."""
    listing = area_list.page(request.args)
    return render_template("registry/areas.html", listing=listing, may_load=access.may(MANAGE))


@blueprint.get("/areas/<int:area_id>")
@requires(READ)
def area(area_id: int) -> ResponseReturnValue:
    """One area: what lies above and below it, and how many people live there."""
    found = db.session.get(Area, area_id)
    if found is None:
        raise Missing(_("There is no such area."))
    return render_template(
        "registry/area.html",
        area=found,
        above=places.above(found),
        below=places.children(found),
        counts=_counts(found) if access.may("registry:person:read") else None,
    )


@blueprint.route("/areas/load", methods=["GET", "POST"])
@requires(MANAGE)
def load_areas() -> ResponseReturnValue:
    """Load the list of areas."""
    form = AreaListForm()
    if form.validate_on_submit():
        with form.catching(), tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "areas.csv"
            form.file.data.save(path)
            counts = places.load_file(path)
            flash(
                _("%(added)s areas added, %(changed)s changed, %(unchanged)s as before.", **counts), "success"
            )
            return redirect(url_for("registry.areas"))
    return form.page("registry/load_areas.html")


def _counts(found: Area) -> dict[str, int]:
    below = sa.select(AreaClosure.descendant_id).where(AreaClosure.ancestor_id == found.id)
    with access.within("registry:person:read"):
        return {
            "persons": db.session.scalar(sa.select(sa.func.count(Person.id)).where(Person.area_id.in_(below)))
            or 0,
            "households": db.session.scalar(
                sa.select(sa.func.count(Household.id)).where(Household.area_id.in_(below))
            )
            or 0,
        }
