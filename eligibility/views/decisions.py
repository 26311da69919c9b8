"""Decisions on one person: explained without being stored, stored and taken again, and printed as a notice."""

from __future__ import annotations

from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.utils import redirect

from eligibility import enrolment, explaining, notices, publishing
from eligibility.forms import ApplicantForm
from eligibility.models import Determination
from eligibility.views import shown
from eligibility.views.blueprint import blueprint
from mis import access
from mis.access import requires
from mis.calendar import now, parse_date, today
from mis.db import db
from mis.errors import Missing
from mis.money import Money
from registry.models import Household, Person
from registry.references import PERSON, reference
from registry.registration import person_by_reference

READ, DECIDE = "eligibility:assessment:read", "eligibility:enrolment:decide"


@blueprint.route("/applicants", methods=["GET", "POST"])
@requires(READ)
def applicants() -> ResponseReturnValue:
    """Look at one person under the rules of a scheme, or take up the application and decide it."""
    form = ApplicantForm(on=today())
    if not access.may(DECIDE):
        del form.decide
    if form.validate_on_submit():
        with form.catching():
            person, scheme = form.person.data, publishing.scheme_coded(form.scheme.data)
            if form.look.data:
                return redirect(
                    url_for(
                        "eligibility.explain",
                        code=scheme.code,
                        person=reference(PERSON, person.id),
                        on=form.on.data.isoformat(),
                    )
                )
            access.need(DECIDE)
            made = enrolment.apply_and_decide(scheme, person, form.on.data, at=now())
            return redirect(url_for("eligibility.enrolment", enrolment_id=made.id))
    return form.page("eligibility/applicants.html")


@blueprint.get("/explain/<code>/<person>/<on>")
@requires(READ)
def explain(code: str, person: str, on: str) -> ResponseReturnValue:
    """Why a person is or is not eligible as of a day, clause by clause; nothing is stored."""
    scheme, found = publishing.scheme_coded(code), person_by_reference(person)
    explained = explaining.explain(scheme, found, parse_date(on, field="on"))
    return render_template(
        "eligibility/explain.html",
        explained=explained,
        scheme=scheme,
        **_decision(found, explained.found, explained.understood, explained.known.facts),
    )


@blueprint.get("/determinations/<int:determination_id>")
@requires(READ)
def determination(determination_id: int) -> ResponseReturnValue:
    """A stored decision: what it rests on, and that it comes out the same when it is taken again."""
    stored = _stored(determination_id)
    replayed = explaining.replay(stored)
    understood = publishing.understood(stored.run.rule_set)
    return render_template(
        "eligibility/determination.html",
        determination=stored,
        run=stored.run,
        scheme=stored.run.rule_set.scheme,
        same=replayed.same,
        live=enrolment.live_enrolment(stored.run.rule_set.scheme, stored.person),
        may_decide=access.may(DECIDE),
        **_decision(stored.person, replayed.found, understood, stored.facts),
    )


@blueprint.get("/determinations/<int:determination_id>/notice")
@requires(READ)
def notice(determination_id: int) -> ResponseReturnValue:
    """The notice of a decision, to be printed and given to the person."""
    stored, day = _stored(determination_id), today()
    made = notices.of(stored, given_on=day)
    return render_template(
        "eligibility/notice.html",
        notice=made,
        scheme=stored.run.rule_set.scheme,
        given_on=day,
        live=enrolment.live_enrolment(stored.run.rule_set.scheme, stored.person),
        **_decision(stored.person, made.found, made.understood, stored.facts),
    )


def _decision(person: Person, found: Any, understood: Any, facts: Any) -> dict[str, Any]:
    """What every page about a decision shows."""
    names = _names(facts, person)
    household = (facts.get("household") or {}).get("id")
    home = db.session.get(Household, household) if household else None
    return {
        "person": person,
        "reference": reference(PERSON, person.id),
        "found": found,
        "clauses": shown.clauses(found, person=person, names=names),
        "steps": shown.amount_steps(found),
        "amount": None
        if found.amount_minor is None
        else Money(found.amount_minor, understood.scheme.currency),
        "bring": explaining.what_to_bring(found, understood),
        "obstacle": shown.only_obstacle(found),
        "limits": shown.limits(understood),
        "appeal": understood.rules.appeal,
        "home": home,
    }


def _names(facts: Any, person: Person) -> dict[Any, str]:
    """The names of the members whom a decision counted, as the register has them today."""
    members = (facts.get("household") or {}).get("members") or []
    found = {one["id"]: db.session.get(Person, one["id"]) for one in members if "id" in one}
    return {number: one.name for number, one in found.items() if one is not None} | {person.id: person.name}


def _stored(determination_id: int) -> Determination:
    found = explaining.decision_numbered(determination_id)
    if found is None:
        raise Missing(_("There is no such decision."))
    return found
