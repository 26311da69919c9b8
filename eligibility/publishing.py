"""Rules become law here: drafted by one person, published by another, in force from a day until their successor's day.

A published version never changes. Loading the same text twice changes nothing; another text is another version.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

import sqlalchemy as sa

from eligibility import documents, examples
from eligibility.documents import Understood
from eligibility.models import RuleSet, Scheme, rule_set_lifecycle
from mis import access, acting, temporal
from mis.db import db
from mis.errors import Conflict, Missing


@dataclass(frozen=True)
class Loaded:
    """What loading a document did: a new version, or nothing because the text is known."""

    rule_set: RuleSet
    is_new: bool


def load(text: str, *, at: datetime) -> Loaded:
    """Draft a new version of a scheme's rules from a document; make the scheme if its code is new.

    A text that a live version already has changes nothing. Raises Invalid (field `document`) with the line of a
    mistake, Conflict if the currency of the scheme would change, Forbidden if a new scheme is not the user's to make.
    """
    understood = _readable(text)
    document, day = documents.normalised(text), understood.rules.valid_from
    scheme = _scheme_of(understood, at=at)
    digest = digest_of(document, day)
    same = db.session.scalar(
        sa.select(RuleSet)
        .where(RuleSet.scheme_id == scheme.id, RuleSet.digest == digest, RuleSet.status != "withdrawn")
        .order_by(RuleSet.number.desc())
        .limit(1)
    )
    if same is not None:
        return Loaded(same, is_new=False)
    last = db.session.scalar(sa.select(sa.func.max(RuleSet.number)).where(RuleSet.scheme_id == scheme.id))
    rule_set = RuleSet(
        scheme=scheme,
        number=(last or 0) + 1,
        document=document,
        digest=digest,
        valid_from=day,
        drafted_by_id=acting.current().user_id,
        created_at=at,
    )
    db.session.add(rule_set)
    db.session.flush()
    return Loaded(rule_set, is_new=True)


def redraft(rule_set: RuleSet, text: str) -> None:
    """Give a draft another text. Raises Conflict if it is no draft, or of another scheme; Invalid for a mistake."""
    if rule_set.status != "draft":
        raise Conflict(
            f"Version {rule_set.number} is {rule_set.status_label.lower()} and cannot be edited.",
            instead="Draft a new version.",
        )
    understood = _readable(text)
    if understood.scheme.code != rule_set.scheme.code:
        raise Conflict(
            f"This is the scheme {rule_set.scheme.code}; the text is of {understood.scheme.code}.",
            field="document",
        )
    _need_same_currency(rule_set.scheme, understood)
    rule_set.document = documents.normalised(text)
    rule_set.valid_from = understood.rules.valid_from
    rule_set.digest = digest_of(rule_set.document, rule_set.valid_from)
    db.session.flush()


def submit(rule_set: RuleSet) -> None:
    """Ask a second person to publish a draft. Raises Invalid if an example is contradicted; Conflict, Forbidden."""
    rule_set_lifecycle.take(rule_set, "submit")


def publish(rule_set: RuleSet) -> None:
    """Publish a submitted version, as a second person: it is in force from its day on, and ends its predecessor.

    Raises Forbidden for whoever drafted or submitted it; Conflict if it changed since, or does not follow the version
    in force.
    """
    predecessor = _open_version(rule_set.scheme_id) if rule_set.status == "submitted" else None
    if predecessor is not None:
        _need_later(rule_set, predecessor)
        # Before the step: at no moment are two versions in force on one day, and the database would refuse it.
        predecessor.end(rule_set.valid_from)
        db.session.flush()
    rule_set_lifecycle.take(rule_set, "publish")


def send_back(rule_set: RuleSet, *, reason: str) -> None:
    """Give a submitted version back to its authors. Raises Conflict, Forbidden, Invalid without a reason."""
    rule_set_lifecycle.take(rule_set, "return", reason=reason)


def withdraw(rule_set: RuleSet, *, reason: str) -> None:
    """Give up a version that was never published. Raises Conflict, Forbidden, Invalid without a reason."""
    rule_set_lifecycle.take(rule_set, "withdraw", reason=reason)


def take(rule_set: RuleSet, step: str, *, reason: str | None = None) -> None:
    """Take a step by its name, for the buttons of a page."""
    if step == "publish":
        publish(rule_set)
    else:
        rule_set_lifecycle.take(rule_set, step, reason=reason)


def scheme_coded(code: str) -> Scheme:
    """The scheme of a code, in any case. Raises Missing."""
    found = db.session.scalar(sa.select(Scheme).where(Scheme.code == code.strip().upper()))
    if found is None:
        known = db.session.scalars(sa.select(Scheme.code).order_by(Scheme.code)).all()
        raise Missing(
            f"There is no scheme {code.strip()[:20]}.",
            instead=f"There are: {', '.join(known)}." if known else "Load one: mis scheme load FILE.yaml",
        )
    return found


def schemes() -> Sequence[Scheme]:
    """All schemes by code."""
    return db.session.scalars(sa.select(Scheme).order_by(Scheme.code)).all()


def versions(scheme: Scheme) -> Sequence[RuleSet]:
    """All versions of a scheme's rules, the newest first."""
    return db.session.scalars(
        sa.select(RuleSet).where(RuleSet.scheme_id == scheme.id).order_by(RuleSet.number.desc())
    ).all()


def in_force(scheme: Scheme, day: date) -> RuleSet:
    """The published version that holds on a day. Raises Conflict if there is none."""
    found = published_on(scheme, day)
    if found is None:
        raise Conflict(
            f"No published rules of {scheme} are in force on {day}.",
            instead="Publish rules, or choose another day.",
        )
    return found


def published_on(scheme: Scheme, day: date) -> RuleSet | None:
    """The published version that holds on a day, if there is one."""
    return db.session.scalar(
        sa.select(RuleSet).where(
            RuleSet.scheme_id == scheme.id, RuleSet.status == "published", temporal.in_force(RuleSet, day)
        )
    )


def waiting_for(scheme: Scheme, step: str) -> RuleSet:
    """The newest version of a scheme from which a step can be taken. Raises Conflict if there is none."""
    sources = rule_set_lifecycle.steps[step].sources
    found = next((one for one in versions(scheme) if one.status in sources), None)
    if found is None:
        wanted = " or ".join(rule_set_lifecycle.label(source).lower() for source in sources)
        raise Conflict(
            f"No version of {scheme} is {wanted}.",
            instead="Load a document first." if step == "submit" else "Submit a draft first.",
        )
    return found


def understood(rule_set: RuleSet) -> Understood:
    """The document of a version with the meaning of its rules."""
    return documents.understand(rule_set.document)


def digest_of(document: str, valid_from: date) -> str:
    """What an approval binds to: the SHA-256 of the text and of the day it is in force from."""
    return sha256(f"{valid_from.isoformat()}\n{document}".encode()).hexdigest()


def differences(old: Understood, new: Understood) -> list[str]:
    """What changed from one version to the next, in sentences."""
    found = [
        *_changed_clauses(old, new),
        *_changed_parameters(old, new),
    ]
    for name, label in (
        ("amount", "The amount"),
        ("rounding", "The rounding"),
        ("birth_date_reading", "The reading of birth dates"),
        ("payee", "Who is paid"),
        ("recertification_months", "The months until the next assessment"),
        ("derived", "What is derived"),
        ("tables", "The tables"),
        ("appeal", "The right of appeal"),
    ):
        before, after = getattr(old.rules, name), getattr(new.rules, name)
        if before != after:
            shown = f": {before} before, {after} now" if isinstance(after, str | int) else ""
            found.append(f"{label} changed{shown}.")
    return found


def text_difference(old: str, new: str) -> list[str]:
    """The changed lines of the text, as a unified difference without its head."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=2, lineterm="")
    return list(lines)[2:]


def _changed_clauses(old: Understood, new: Understood) -> list[str]:
    before = {clause.code: clause for clause in old.rules.clauses}
    after = {clause.code: clause for clause in new.rules.clauses}
    found = [f"Requirement {code} is new: {after[code].sentence}" for code in after if code not in before]
    found += [f"Requirement {code} is gone: {before[code].sentence}" for code in before if code not in after]
    for code in before.keys() & after.keys():
        one, other = before[code], after[code]
        if one.expression != other.expression:
            found.append(
                f"Requirement {code} is decided by “{other.expression}”, before by “{one.expression}”."
            )
        if (one.sentence, one.article) != (other.sentence, other.article):
            found.append(f"Requirement {code} is worded: {other.sentence} ({other.article})")
    return sorted(found)


def _changed_parameters(old: Understood, new: Understood) -> list[str]:
    before, after = old.rules.parameters, new.rules.parameters
    found = []
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one == other:
            continue
        said = f"{other.value} {other.unit or ''}".strip() if other else "no longer used"
        was = f", before {one.value}" if one else " (new)"
        found.append(f"{name.replace('_', ' ').capitalize()} is {said}{was}.")
    return found


def _readable(text: str) -> Understood:
    """The document, with examples whose facts exist; whether they hold is asked when it is submitted."""
    understood = documents.understand(text)
    examples.check(understood)
    return understood


def _scheme_of(understood: Understood, *, at: datetime) -> Scheme:
    said = understood.scheme
    scheme = db.session.scalar(sa.select(Scheme).where(Scheme.code == said.code))
    if scheme is not None:
        _need_same_currency(scheme, understood)
        return scheme
    access.need("eligibility:scheme:manage")
    scheme = Scheme(
        code=said.code,
        name=said.name,
        branch=said.branch,
        summary=said.summary,
        legal_basis=said.legal_basis,
        currency=said.currency,
        created_at=at,
    )
    db.session.add(scheme)
    db.session.flush()
    return scheme


def _need_same_currency(scheme: Scheme, understood: Understood) -> None:
    if scheme.currency != understood.scheme.currency:
        raise Conflict(
            f"{scheme} pays in {scheme.currency}; a scheme keeps its currency.",
            field="document",
            instead="Give the scheme in the other currency a code of its own.",
        )


def _open_version(scheme_id: int) -> RuleSet | None:
    """The published version that has no successor yet."""
    return db.session.scalar(
        sa.select(RuleSet).where(
            RuleSet.scheme_id == scheme_id, RuleSet.status == "published", RuleSet.valid_to.is_(None)
        )
    )


def _need_later(rule_set: RuleSet, predecessor: RuleSet) -> None:
    if rule_set.valid_from <= predecessor.valid_from:
        raise Conflict(
            f"Version {predecessor.number} is in force from {predecessor.valid_from}; a later version cannot be in "
            f"force from {rule_set.valid_from}.",
            instead="Send it back, and let it begin later.",
        )


def _examples_hold(rule_set: RuleSet) -> None:
    examples.need_to_hold(understood(rule_set))


def _contradiction(rule_set: RuleSet) -> str | None:
    """The sentence that forbids publication, if the catalogue or the examples no longer agree with the rules."""
    from_document = [one for one in examples.check(understood(rule_set)) if one.difference]
    return f"The example “{from_document[0].name}” {from_document[0].difference}." if from_document else None


def _adopt_description(rule_set: RuleSet) -> None:
    """The scheme is described as the version that was published last describes it."""
    said = understood(rule_set).scheme
    scheme = db.session.get_one(Scheme, rule_set.scheme_id)
    scheme.name, scheme.branch = said.name, said.branch
    scheme.summary, scheme.legal_basis = said.summary, said.legal_basis


# The digest is taken from the text itself, so that a column edited behind our back does not pass.
rule_set_lifecycle.digest_with(lambda rule_set: digest_of(rule_set.document, rule_set.valid_from))
rule_set_lifecycle.behave("submit", then=_examples_hold)
rule_set_lifecycle.behave("publish", unless=_contradiction, then=_adopt_description)
