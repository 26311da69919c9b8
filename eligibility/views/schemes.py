"""Schemes and their rules: the list, a version in words, drafting, and the steps to publication."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from eligibility import documents, examples, publishing
from eligibility.forms import DraftForm
from eligibility.models import Enrolment, RuleSet, Scheme, rule_set_lifecycle
from eligibility.views import narrowing, shown
from eligibility.views.blueprint import blueprint
from mis import access
from mis.access import requires
from mis.calendar import now, today
from mis.db import db
from mis.errors import Conflict, Invalid, Missing
from mis.states import Offer
from mis.web.listing import Column, Listing

READ, READ_RULES = "eligibility:scheme:read", "eligibility:ruleset:read"
DRAFT, PUBLISH = "eligibility:ruleset:draft", "eligibility:ruleset:publish"

BRANCHES = {
    "child_and_family": _l("Children and families"),
    "maternity": _l("Maternity"),
    "sickness": _l("Sickness"),
    "unemployment": _l("Unemployment"),
    "employment_injury": _l("Employment injury"),
    "disability": _l("Disability"),
    "old_age": _l("Old age"),
    "survivors": _l("Survivors"),
    "social_assistance": _l("Social assistance"),
}
PAYEES = {"self": _l("The person"), "household": _l("The household's primary collector")}

scheme_list = Listing(
    "eligibility.schemes",
    title=_l("Schemes"),
    select=lambda: sa.select(Scheme),
    key=Scheme.id,
    columns=[
        Column("code", _l("Code"), lambda one: one.code, sort=Scheme.code),
        Column("name", _l("Name"), lambda one: one.name, sort=Scheme.name),
        Column("branch", _l("Branch"), lambda one: BRANCHES[one.branch]),
        Column("legal", _l("Legal basis"), lambda one: one.legal_basis),
    ],
    row_url=lambda one: url_for("eligibility.scheme", code=one.code),
    empty_hint=_l("Draft the rules of a scheme; a second person publishes them."),
    order="code",
)


@blueprint.get("/schemes")
@requires(READ)
def schemes() -> ResponseReturnValue:
    """All schemes."""
    return render_template(
        "eligibility/schemes.html", listing=scheme_list.page(request.args), may_draft=access.may(DRAFT)
    )


@blueprint.get("/schemes/<code>")
@requires(READ)
def scheme(code: str) -> ResponseReturnValue:
    """One scheme: what it gives, and the versions of its rules."""
    found = publishing.scheme_coded(code)
    current = publishing.published_on(found, today())
    enrolled = sa.select(sa.func.count(Enrolment.id)).where(
        Enrolment.scheme_id == found.id, Enrolment.status == "active"
    )
    return render_template(
        "eligibility/scheme.html",
        scheme=found,
        current=current,
        rules=publishing.understood(current).rules if current else None,
        versions=publishing.versions(found),
        enrolled=db.session.scalar(enrolled),
        branches=BRANCHES,
        payees=PAYEES,
        may_draft=access.may(DRAFT),
    )


@blueprint.get("/schemes/<code>/versions/<int:number>")
@requires(READ_RULES)
def rule_set(code: str, number: int) -> ResponseReturnValue:
    """One version: its requirements in words with their articles, what changed, and its steps."""
    found = _version(code, number)
    understood = publishing.understood(found)
    before = _predecessor(found)
    return render_template(
        "eligibility/rule_set.html",
        rule_set=found,
        scheme=found.scheme,
        rules=understood.rules,
        examples=examples.check(understood),
        predecessor=before,
        differences=publishing.differences(publishing.understood(before), understood) if before else [],
        text_difference=publishing.text_difference(before.document, found.document) if before else [],
        offers={permission: _offers(found, permission) for permission in (DRAFT, PUBLISH)},
        history=shown.steps_taken(found),
        payees=PAYEES,
        may_edit=found.status == "draft" and access.may(DRAFT),
    )


@blueprint.route("/schemes/draft", methods=["GET", "POST"])
@requires(DRAFT)
def new_draft() -> ResponseReturnValue:
    """Draft a new scheme, or a new version of the rules of one (`?of=CODE`)."""
    form = DraftForm(document=_starting_text(request.args.get("of")))
    if form.validate_on_submit():
        with form.catching():
            if form.check.data:
                return _checked(form, None)
            loaded = publishing.load(_one_line(form.document.data), at=now())
            if loaded.is_new:
                flash(
                    _("The draft is saved as version %(number)s.", number=loaded.rule_set.number), "success"
                )
            else:
                flash(_("This text is known already; nothing was changed."), "info")
            return redirect(_url(loaded.rule_set))
    beginnings = [] if form.document.data else narrowing.schemes()
    return form.page("eligibility/draft.html", rule_set=None, result=None, beginnings=beginnings)


@blueprint.route("/schemes/<code>/versions/<int:number>/edit", methods=["GET", "POST"])
@requires(DRAFT)
def edit_draft(code: str, number: int) -> ResponseReturnValue:
    """Give a draft another text."""
    found = _version(code, number)
    if found.status != "draft":
        raise Conflict(
            _("This version is no draft any more."), instead=_("Draft a new version of the rules.")
        )
    form = DraftForm(document=found.document, version=found.version)
    if form.validate_on_submit():
        with form.catching():
            if form.check.data:
                return _checked(form, found)
            form.version.check(found)
            publishing.redraft(found, _one_line(form.document.data))
            flash(_("The draft is saved."), "success")
            return redirect(_url(found))
    return form.page("eligibility/draft.html", rule_set=found, result=None)


@blueprint.post("/schemes/<code>/versions/<int:number>/step")
@requires(DRAFT)
def rule_set_step(code: str, number: int) -> ResponseReturnValue:
    """Submit or withdraw a version, as one of its authors."""
    return _take(_version(code, number), DRAFT)


@blueprint.post("/schemes/<code>/versions/<int:number>/publication")
@requires(PUBLISH)
def publication(code: str, number: int) -> ResponseReturnValue:
    """Publish a submitted version or send it back, as a second person."""
    return _take(_version(code, number), PUBLISH)


def _offers(found: RuleSet, permission: str) -> list[Offer]:
    return [offer for offer in rule_set_lifecycle.offers(found) if offer.step.permission == permission]


def _take(found: RuleSet, permission: str) -> ResponseReturnValue:
    step = rule_set_lifecycle.steps.get(request.form.get("step", ""))
    if step is None or step.permission != permission:
        raise Invalid(_("There is no such step."))
    if request.form.get("version", "") != str(found.version):
        raise Conflict(
            _("Somebody else has just changed this version."), instead=_("Look at it again, then decide.")
        )
    publishing.take(found, step.name, reason=request.form.get("reason"))
    flash(_("Done: %(step)s.", step=_(step.label)), "success")
    return redirect(_url(found))


def _checked(form: DraftForm, found: RuleSet | None) -> ResponseReturnValue:
    understood = documents.understand(_one_line(form.document.data))
    return form.page("eligibility/draft.html", rule_set=found, result=examples.check(understood))


def _one_line(text: str | None) -> str:
    """The document, read once, so that a mistake is told in one sentence; the drawing of it is for a console."""
    text = text or ""
    try:
        documents.understand(text)
    except Invalid as refusal:
        raise Invalid(refusal.sentence.partition("\n")[0], field="document") from None
    return text


def _starting_text(code: str | None) -> str:
    if not code:
        return ""
    return publishing.versions(publishing.scheme_coded(code))[0].document


def _version(code: str, number: int) -> RuleSet:
    scheme_ = publishing.scheme_coded(code)
    found = next((one for one in publishing.versions(scheme_) if one.number == number), None)
    if found is None:
        raise Missing(_("There is no such version of the rules."))
    return found


def _predecessor(found: RuleSet) -> RuleSet | None:
    """The version whose place this one takes: the last published one before it."""
    earlier = [
        one
        for one in publishing.versions(found.scheme)
        if one.number < found.number and one.status == "published"
    ]
    return earlier[0] if earlier else None


def _url(found: RuleSet) -> Any:
    return url_for("eligibility.rule_set", code=found.scheme.code, number=found.number)
