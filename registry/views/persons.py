"""Persons: the list, the page of one, registering and correcting, identity numbers and telephones."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import aliased

from mis import access, sealed
from mis.access import requires
from mis.calendar import now, today
from mis.db import db
from mis.errors import Missing, Refusal
from mis.web import history, i18n
from mis.web.filters import AreaFilter, ChoiceFilter, TextFilter
from mis.web.listing import Column, Listing
from registry import belonging, birth_dates, facts, identification, registration, search
from registry.forms import NUMBER_KINDS, RELATIONSHIPS, SEXES, NumberForm, PhoneForm, fact_values, person_form
from registry.models import Area, IdentityNumber, Person, Phone
from registry.references import PERSON, reference
from registry.views import panels
from registry.views.blueprint import blueprint

READ, EDIT, REVEAL = "registry:person:read", "registry:person:edit", "registry:person:reveal"
EXPORT = "registry:person:export"

_area = aliased(Area)
AGES = [
    ("0-4", _l("0–4 years")),
    ("5-17", _l("5–17 years")),
    ("18-59", _l("18–59 years")),
    ("60-64", _l("60–64 years")),
    ("65-", _l("65 years and more")),
]


def _rows() -> Any:
    return sa.select(Person, _area.name.label("area")).join(_area, _area.id == Person.area_id)


def _of_age(group: str) -> sa.ColumnElement[bool]:
    youngest, _dash, oldest = group.partition("-")
    born = [Person.birth_date <= birth_dates.born_by(int(youngest), on=today())]
    if oldest:
        born.append(Person.birth_date > birth_dates.born_by(int(oldest) + 1, on=today()))
    return sa.and_(*born)


person_list = Listing(
    "registry.persons",
    title=_l("Persons"),
    select=_rows,
    key=Person.id,
    columns=[
        Column(
            "reference", _l("Reference"), value=lambda row: reference(PERSON, row.Person.id), sort=Person.id
        ),
        Column("name", _l("Name"), value=lambda row: row.Person.name, sort=Person.search_name),
        Column("sex", _l("Sex"), value=lambda row: dict(SEXES)[row.Person.sex]),
        Column(
            "born",
            _l("Born"),
            value=lambda row: birth_dates.written(row.Person.birth_date, row.Person.birth_precision),
            sort=Person.birth_date,
        ),
        Column("area", _l("Area"), value=lambda row: row.area),
        Column(
            "registered",
            _l("Registered"),
            value=lambda row: row.Person.registered_at,
            sort=Person.registered_at,
            kind="moment",
        ),
    ],
    filters=[
        TextFilter("q", _l("Name or number"), search.any_of),
        AreaFilter("area", _l("Area"), Person.area_id),
        ChoiceFilter("sex", _l("Sex"), SEXES, lambda sex: Person.sex == sex),
        ChoiceFilter("age", _l("Age"), AGES, _of_age),
    ],
    row_url=lambda row: url_for("registry.person", person_id=row.Person.id),
    empty_hint=_l("Register a household, or bring a list."),
    export_permission=EXPORT,
    order="reference",
)


@blueprint.get("/persons")
@requires(READ)
def persons() -> ResponseReturnValue:
    """All persons of the areas one works in."""
    return render_template(
        "registry/persons.html", listing=person_list.page(request.args), may_add=access.may(EDIT)
    )


@blueprint.route("/persons/new", methods=["GET", "POST"])
@requires(EDIT)
def new_person() -> ResponseReturnValue:
    """Register a person who belongs to no household."""
    form = person_form()
    if form.validate_on_submit():
        with form.catching():
            made = registration.register_person(
                form.said(fact_values(form, "person")), area_id=form.area_id.data, day=today(), at=now()
            )
            flash(_("%(name)s is registered.", name=made.name), "success")
            return redirect(url_for("registry.person", person_id=made.id))
    return form.page("registry/person_form.html", person=None, groups=fact_groups(form))  # type: ignore[no-any-return]


@blueprint.get("/persons/<int:person_id>")
@requires(READ)
def person(person_id: int) -> ResponseReturnValue:
    """One person: who he or she is, what is known, where he or she belongs."""
    return person_page(one_person(person_id))


@blueprint.route("/persons/<int:person_id>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit_person(person_id: int) -> ResponseReturnValue:
    """Correct what is recorded of a person."""
    found = one_person(person_id)
    form = person_form(found)
    # The area of a member is that of the household; moving is done there.
    member = belonging.present(found) is not None
    if member:
        del form.area_id
    if form.validate_on_submit():
        with form.catching():
            form.version.check(found)
            registration.edit_person(found, form.said(fact_values(form, "person")), day=today(), at=now())
            if not member:
                found.area_id = form.area_id.data
            flash(_("The changes are saved."), "success")
            return redirect(url_for("registry.person", person_id=found.id))
    return form.page("registry/person_form.html", person=found, groups=fact_groups(form))  # type: ignore[no-any-return]


@blueprint.post("/persons/<int:person_id>/numbers")
@requires(EDIT)
def give_number(person_id: int) -> ResponseReturnValue:
    """Record an identity number."""
    found, form = one_person(person_id), NumberForm()
    if form.validate_on_submit():
        with form.catching():
            identification.give_number(found, form.kind.data, form.identity_number.data or "")
            flash(_("The number is recorded."), "success")
            return redirect(url_for("registry.person", person_id=found.id))
    return person_page(found, number_form=form)


@blueprint.post("/persons/<int:person_id>/phones")
@requires(EDIT)
def give_phone(person_id: int) -> ResponseReturnValue:
    """Record a telephone number."""
    found, form = one_person(person_id), PhoneForm()
    if form.validate_on_submit():
        with form.catching():
            identification.give_phone(found, form.phone.data or "")
            flash(_("The number is recorded."), "success")
            return redirect(url_for("registry.person", person_id=found.id))
    return person_page(found, phone_form=form)


@blueprint.post("/persons/<int:person_id>/<any(numbers, phones):what>/<int:number_id>/remove")
@requires(EDIT)
def take_number_away(person_id: int, what: str, number_id: int) -> ResponseReturnValue:
    """A number is no longer this person's."""
    identification.take_away(_number(one_person(person_id), what, number_id))
    flash(_("The number is removed."), "success")
    return redirect(url_for("registry.person", person_id=person_id))


@blueprint.post("/persons/<int:person_id>/<any(numbers, phones):what>/<int:number_id>/reveal")
@requires(REVEAL)
def reveal_number(person_id: int, what: str, number_id: int) -> ResponseReturnValue:
    """Show a number in full, once, to somebody who says what for."""
    found = one_person(person_id)
    record = _number(found, what, number_id)
    try:
        text = sealed.reveal(record, "number", purpose=request.form.get("purpose", ""))
    except Refusal as refusal:
        flash(str(refusal), "error")
        return redirect(url_for("registry.person", person_id=person_id))
    return person_page(found, revealed={(what, number_id): text})


def one_person(person_id: int) -> Person:
    """The person with a number, in the areas seen here."""
    found = db.session.scalar(sa.select(Person).where(Person.id == person_id))
    if found is None:
        raise Missing(_("There is no such person among those you may see."))
    return found


def person_page(
    found: Person,
    *,
    number_form: NumberForm | None = None,
    phone_form: PhoneForm | None = None,
    revealed: dict[tuple[str, int], str] | None = None,
) -> ResponseReturnValue:
    """The page of a person; with the errors of a form on it, or a number that is shown in full."""
    numbers, phones = identification.numbers_of(found)
    forms = (number_form or NumberForm(formdata=None), phone_form or PhoneForm(formdata=None))
    page = render_template(
        "registry/person.html",
        person=found,
        area=db.session.get_one(Area, found.area_id),
        sexes=dict(SEXES),
        relationships=dict(RELATIONSHIPS),
        number_kinds=dict(NUMBER_KINDS),
        age=birth_dates.age(found.birth_date, on=today()),
        born=birth_dates.written(found.birth_date, found.birth_precision),
        known=known_facts(found.attributes, "person"),
        numbers=numbers,
        phones=phones,
        revealed=revealed or {},
        memberships=belonging.history(found),
        number_form=forms[0],
        phone_form=forms[1],
        may_edit=access.may(EDIT),
        may_reveal=access.may(REVEAL),
        panels=panels.shown(found),
        history=history.of(found) if access.may("audit:trail:read") else None,
    )
    return page, max(form.status for form in forms)


def known_facts(attributes: dict[str, Any], subject: str) -> list[tuple[str, str | None]]:
    """The recorded facts with their labels; what is sensitive is shown to those who may edit or reveal."""
    may = access.may(EDIT) or access.may(REVEAL)
    hidden = _("recorded, not shown to you")
    return [
        (fact.label, hidden if fact.sensitive and not may else i18n.words(facts.shown(fact, attributes[key])))
        for key, fact in facts.attributes_of(subject).items()
        if key in attributes
    ]


def _number(found: Person, what: str, number_id: int) -> IdentityNumber | Phone:
    model: type[IdentityNumber | Phone] = IdentityNumber if what == "numbers" else Phone
    record: Any = db.session.get(model, number_id)
    if record is None or record.person_id != found.id or not record.live:
        raise Missing(_("There is no such number."))
    found_record: IdentityNumber | Phone = record
    return found_record


def fact_groups(form: Any) -> list[tuple[Any, list[str]]]:
    """The facts stand below the rest, in a group of their own."""
    return [
        (_("What is known"), [field.short_name for field in form if field.short_name.startswith("fact_")])
    ]
