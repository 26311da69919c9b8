"""mis scheme … : load, submit, publish, list and show the rules of schemes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eligibility import publishing
from eligibility.models import RuleSet
from mis.calendar import now, today
from mis.commands import command
from mis.db import plain
from mis.errors import Invalid


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


commands: tuple[click.Command, ...] = (scheme,)
