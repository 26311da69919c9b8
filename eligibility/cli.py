"""mis scheme …, assess, explain, enrol, exit: rules, decisions and enrolments from the command line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from eligibility import assessment, enrolling, enrolment, explaining, publishing
from eligibility.models import AssessmentRun, Enrolment, RuleSet
from mis.calendar import now, today
from mis.commands import DAY, Work, command
from mis.db import db, plain
from mis.errors import Conflict, Invalid
from mis.jobs import Job
from registry.references import PERSON, reference
from registry.registration import person_by_reference


@click.group("scheme")
def scheme() -> None:
    """Schemes and the versions of their rules."""


@command(scheme, "load", permission="eligibility:ruleset:draft")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(file: Path) -> dict[str, Any]:
    """Draft a version of a scheme's rules from a YAML document. The same text again changes nothing."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"{file.name} is not a text in UTF-8.", field="document") from None
    loaded = publishing.load(text, at=now())
    said = "A new draft." if loaded.is_new else "This text is known already; nothing was changed."
    return _summary(loaded.rule_set) | {"new": loaded.is_new, "message": said}


@command(scheme, "submit", permission="eligibility:ruleset:draft")
@click.argument("code")
def submit(code: str) -> dict[str, Any]:
    """Submit the newest draft of a scheme, so that a second person publishes it."""
    rule_set = publishing.waiting_for(publishing.scheme_coded(code), "submit")
    publishing.submit(rule_set)
    return _summary(rule_set)


@command(scheme, "publish", permission="eligibility:ruleset:publish")
@click.argument("code")
def publish(code: str) -> dict[str, Any]:
    """Publish the submitted version of a scheme, as a second person."""
    rule_set = publishing.waiting_for(publishing.scheme_coded(code), "publish")
    publishing.publish(rule_set)
    return _summary(rule_set)


@command(scheme, "return", permission="eligibility:ruleset:publish")
@click.argument("code")
@click.option("--reason", required=True, help="Why it goes back.")
def send_back(code: str, reason: str) -> dict[str, Any]:
    """Send the submitted version back to its authors."""
    rule_set = publishing.waiting_for(publishing.scheme_coded(code), "return")
    publishing.send_back(rule_set, reason=reason)
    return _summary(rule_set)


@command(scheme, "withdraw", permission="eligibility:ruleset:draft")
@click.argument("code")
@click.option("--reason", required=True, help="Why it is given up.")
def withdraw(code: str, reason: str) -> dict[str, Any]:
    """Give up the newest version that is not published."""
    rule_set = publishing.waiting_for(publishing.scheme_coded(code), "withdraw")
    publishing.withdraw(rule_set, reason=reason)
    return _summary(rule_set)


@command(scheme, "list", permission="eligibility:scheme:read", reads=True)
def list_() -> list[dict[str, Any]]:
    """All schemes, with the version in force today."""
    return [
        {
            "scheme": one.code,
            "name": one.name,
            "branch": one.branch,
            "currency": one.currency,
            "in_force": current.number if (current := publishing.published_on(one, today())) else None,
            "versions": len(publishing.versions(one)),
        }
        for one in publishing.schemes()
    ]


@command(scheme, "show", permission="eligibility:scheme:read", reads=True)
@click.argument("code")
def show(code: str) -> dict[str, Any]:
    """One scheme: its versions, and what the newest of them says."""
    found = publishing.scheme_coded(code)
    versions = publishing.versions(found)
    newest = publishing.published_on(found, today()) or versions[0]
    rules = publishing.understood(newest).rules
    return {
        "scheme": found.code,
        "name": found.name,
        "branch": found.branch,
        "summary": found.summary,
        "legal_basis": found.legal_basis,
        "currency": found.currency,
        "shown": newest.number,
        "clauses": [
            {"code": one.code, "sentence": one.sentence, "article": one.article, "expression": one.expression}
            for one in rules.clauses
        ],
        "parameters": {name: plain_value(one.value) for name, one in rules.parameters.items()},
        "amount": rules.amount,
        "payee": rules.payee,
        "versions": [_summary(one) for one in versions],
    }


@command(None, "assess", permission="eligibility:assessment:run")
@click.argument("code", metavar="SCHEME")
@click.option("--on", "day", type=DAY, required=True, help="The day as of which everybody is assessed.")
def assess(code: str, day: date) -> Work:
    """Assess everybody in the register: how many are eligible, and for which reasons the others are not."""
    asked = assessment.ask(publishing.scheme_coded(code), day, at=now())
    run_id = asked.run.id
    return Work(asked.job.id, lambda: assessment.summary(assessment.run_numbered(run_id)))


@command(None, "explain", permission="eligibility:assessment:read", reads=True)
@click.argument("code", metavar="SCHEME")
@click.argument("person")
@click.option("--on", "day", type=DAY, required=True, help="The day as of which the person is decided.")
def explain(code: str, person: str, day: date) -> dict[str, Any]:
    """Say why a person is or is not eligible, clause by clause. PERSON is a reference number (P-…)."""
    found = person_by_reference(person)
    explained = explaining.explain(publishing.scheme_coded(code), found, day)
    answer = {"scheme": explained.rule_set.scheme.code, "person": reference(PERSON, found.id)}
    return answer | explaining.as_answer(explained) | {"stored": _stored(explained)}


@command(None, "enrol", permission="eligibility:enrolment:decide")
@click.argument("code", metavar="SCHEME")
@click.option("--on", "day", type=DAY, required=True, help="The day from which they are enrolled.")
def enrol(code: str, day: date) -> Work:
    """Enrol everybody found eligible as of a day. If nobody was assessed as of that day, that is done first."""
    scheme = publishing.scheme_coded(code)
    run = assessment.last_finished(scheme, day)
    if run is not None:
        return _enrolling(run)
    asked = assessment.ask(scheme, day, at=now())
    run_id = asked.run.id
    return Work(asked.job.id, lambda: _enrolling(assessment.run_numbered(run_id)), reads=False)


@command(None, "exit", permission="eligibility:enrolment:exit")
@click.argument("person")
@click.argument("code", metavar="SCHEME")
@click.option("--reason", type=click.Choice(list(enrolment.EXIT_REASONS)), required=True)
@click.option(
    "--on", "day", type=DAY, required=True, help="The first day on which the person is no longer in it."
)
@click.option("--note", help="What there is to say about it.")
def exit_(person: str, code: str, reason: str, day: date, note: str | None) -> dict[str, Any]:
    """End the enrolment of a person. PERSON is a reference number (P-…)."""
    found, scheme_ = person_by_reference(person), publishing.scheme_coded(code)
    live = enrolment.live_enrolment(scheme_, found)
    if live is None:
        raise Conflict(f"{reference(PERSON, found.id)} is not enrolled in {scheme_}.", field="person")
    enrolment.exit_(live, code=reason, day=day, note=note)
    return _enrolment(live)


def _enrolling(run: AssessmentRun) -> Work:
    job_id = enrolling.ask(run).id
    return Work(job_id, lambda: {"scheme": run.scheme.code, **(db.session.get_one(Job, job_id).result or {})})


def _stored(explained: explaining.Explained) -> dict[str, Any] | None:
    stored = explained.stored
    if stored is None:
        return None
    return {
        "determination": stored.id,
        "run": stored.run_id,
        "as_of": plain(stored.run.as_of),
        "outcome": stored.outcome,
        "amount_minor": stored.amount_minor,
        "same": explained.same,
    }


def _enrolment(one: Enrolment) -> dict[str, Any]:
    return {
        "enrolment": one.id,
        "scheme": one.scheme.code,
        "person": reference(PERSON, one.person_id),
        "status": one.status,
        "valid_from": plain(one.valid_from),
        "valid_to": plain(one.valid_to),
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "exit_reason": one.exit_reason,
    }


def plain_value(value: Any) -> Any:
    """A parameter as JSON holds it: exact decimals as text."""
    return [plain(one) for one in value] if isinstance(value, list) else plain(value)


def _summary(rule_set: RuleSet) -> dict[str, Any]:
    return {
        "scheme": rule_set.scheme.code,
        "version": rule_set.number,
        "status": rule_set.status,
        "valid_from": plain(rule_set.valid_from),
        "valid_to": plain(rule_set.valid_to),
        "digest": rule_set.digest,
    }


commands: tuple[click.Command, ...] = (scheme, assess, explain, enrol, exit_)
