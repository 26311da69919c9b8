"""An officer takes a grievance in, from the counter or from the page of a person, a decision or a payment."""

from __future__ import annotations

import sqlalchemy as sa
from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from grievances import intake, subjects
from grievances.catalogue import catalogue
from grievances.forms import LodgeForm
from grievances.intake import Complainant, Lodged
from grievances.models import Grievance
from grievances.subjects import Subject
from grievances.views import subject_links
from grievances.views.blueprint import LODGE, READ, blueprint, office
from mis import access
from mis.access import requires
from mis.calendar import now, today
from mis.db import db
from mis.errors import Invalid
from registry import references


@blueprint.route("/lodge", methods=["GET", "POST"])
@requires(LODGE)
def lodge() -> ResponseReturnValue:
    """Take a grievance in; the address may name what it is about (?person= &decision= &enrolment= &payment=)."""
    named = _named_in_address()
    form = LodgeForm(data={"person": named.person_id, "received_on": today(), "channel": "office"})
    if form.validate_on_submit():
        with form.catching():
            return receipt(
                intake.lodge(
                    form.category.data or "",
                    form.description.data or "",
                    channel=form.channel.data or "",
                    received_on=form.received_on.data,
                    at=now(),
                    office=office(),
                    subject=_with_person(named, form.person.data),
                    area_id=form.area.data,
                    complainant=Complainant(form.name.data, form.phone.data),
                    anonymous=bool(form.anonymous.data),
                )
            )
    # Whoever comes from the page of a person is asked whether it is about one of these.
    narrow = named.payment_id or named.enrolment_id or named.determination_id
    return form.page(
        "grievances/lodge.html",
        subject=subject_links.of_subject(named),
        narrower=subject_links.latest_of(named.person_id) if named.person_id and not narrow else [],
    )


def receipt(lodged: Lodged) -> ResponseReturnValue:
    """The page to read out or print: number, word, deadlines. It is shown once, like a temporary password."""
    grievance = lodged.grievance
    return render_template(
        "grievances/receipt.html",
        lodged=lodged,
        grievance=grievance,
        category=catalogue().categories[grievance.category],
        similar=[(intake.reference(one), one) for one in _similar(grievance)],
        case_url=_seen(grievance),
    )


def _similar(grievance: Grievance) -> list[Grievance]:
    return list(intake.open_on_same_subject(grievance)) if access.may(READ) else []


def _seen(grievance: Grievance) -> str | None:
    """The page of the case, unless it is one that the officer who took it in may not see."""
    seen = sa.select(Grievance.id).where(Grievance.id == grievance.id)
    if not access.may(READ) or db.session.scalar(seen) is None:
        return None
    return url_for("grievances.case", grievance_id=grievance.id)


def _named_in_address() -> Subject:
    person = request.args.get("person", "").strip()
    person_id = references.parse(person, kind=references.PERSON, field="person")[1] if person else None
    return subjects.about(
        person_id=person_id,
        determination_id=_number("decision"),
        enrolment_id=_number("enrolment"),
        payment_id=_number("payment"),
    )


def _number(name: str) -> int | None:
    text = request.args.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid(_("“%(text)s” is not a number.", text=text[:40]), field=name)
    return int(text)


def _with_person(named: Subject, person_id: int | None) -> Subject:
    """What the address names, together with the person of the form: both must be of one and the same person."""
    return subjects.about(
        person_id=person_id,
        determination_id=named.determination_id,
        enrolment_id=named.enrolment_id,
        payment_id=named.payment_id,
    )
