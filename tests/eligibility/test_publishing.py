"""Rules are drafted by one person and published by another; what is published never changes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from eligibility import publishing
from eligibility.models import RuleSet, Scheme
from mis.calendar import now
from mis.db import MisSession
from mis.errors import Conflict, Forbidden, Invalid
from mis.paths import config_dir
from tests.conftest import acting_as

PENSION = (config_dir() / "schemes" / "old_age_pension.yaml").read_text(encoding="utf-8")
LATER = PENSION.replace("valid_from: 1995-01-01", "valid_from: 2027-01-01").replace("150.00", "175.00")


def published(text: str) -> RuleSet:
    """A version drafted by Ada and published by Ben."""
    with acting_as("ada"):
        rule_set = publishing.load(text, at=now()).rule_set
        publishing.submit(rule_set)
    with acting_as("ben"):
        publishing.publish(rule_set)
    return rule_set


@pytest.mark.parametrize("name", ["old_age_pension", "child_grant", "disability_allowance"])
def test_the_shipped_schemes_can_be_published(work: MisSession, name: str) -> None:
    text = Path(config_dir() / "schemes" / f"{name}.yaml").read_text(encoding="utf-8")
    rule_set = published(text)
    assert rule_set.status == "published"
    assert publishing.in_force(rule_set.scheme, date(2026, 1, 1)) is rule_set


def test_loading_the_same_text_again_changes_nothing_and_says_so(work: MisSession) -> None:
    first = publishing.load(PENSION, at=now())
    again = publishing.load(PENSION.replace("\n", "\r\n"), at=now())
    assert (first.is_new, again.is_new) == (True, False)
    assert work.scalar(sa.select(sa.func.count()).select_from(RuleSet)) == 1


def test_another_text_is_another_version(work: MisSession) -> None:
    publishing.load(PENSION, at=now())
    assert publishing.load(LATER, at=now()).rule_set.number == 2
    assert work.scalar(sa.select(sa.func.count()).select_from(Scheme)) == 1


def test_who_drafted_or_submitted_the_rules_does_not_publish_them(work: MisSession) -> None:
    with acting_as("ada"):
        rule_set = publishing.load(PENSION, at=now()).rule_set
    with acting_as("ben"):
        publishing.submit(rule_set)
    for person in ("ada", "ben"):
        with acting_as(person), pytest.raises(Forbidden, match="second person"):
            publishing.publish(rule_set)
    with acting_as("cyd"):
        publishing.publish(rule_set)
    assert rule_set.status == "published"


def test_a_successor_ends_its_predecessor(work: MisSession) -> None:
    first, second = published(PENSION), published(LATER)
    assert (first.valid_to, second.valid_to) == (date(2027, 1, 1), None)
    assert publishing.in_force(first.scheme, date(2026, 12, 31)) is first
    assert publishing.in_force(first.scheme, date(2027, 1, 1)) is second


def test_a_version_that_would_begin_before_the_one_in_force_is_not_published(work: MisSession) -> None:
    published(LATER)
    with pytest.raises(Conflict, match="begin later"):
        published(PENSION)


def test_rules_that_contradict_their_example_cannot_be_submitted(work: MisSession) -> None:
    wrong = PENSION.replace("value: 65", "value: 66")
    rule_set = publishing.load(wrong, at=now()).rule_set
    with pytest.raises(Invalid, match="sixty-fifth birthday"):
        publishing.submit(rule_set)


def test_rules_without_an_example_cannot_be_submitted(work: MisSession) -> None:
    rule_set = publishing.load(PENSION.partition("examples:")[0], at=now()).rule_set
    with pytest.raises(Invalid, match="no examples"):
        publishing.submit(rule_set)


def test_a_text_that_changed_after_it_was_submitted_is_not_published(work: MisSession) -> None:
    with acting_as("ada"):
        rule_set = publishing.load(PENSION, at=now()).rule_set
        publishing.submit(rule_set)
        rule_set.document = rule_set.document.replace("150.00", "950.00")
        work.flush()
    with acting_as("ben"), pytest.raises(Conflict, match="no longer what was submitted"):
        publishing.publish(rule_set)


def test_a_published_text_cannot_be_changed_even_by_the_database(work: MisSession) -> None:
    rule_set = published(PENSION)
    with pytest.raises(sa.exc.DBAPIError), work.begin_nested():
        rule_set.document = LATER
        work.flush()
    work.refresh(rule_set)


def test_no_rules_in_force_on_a_day_is_said_with_what_to_do(work: MisSession) -> None:
    rule_set = published(LATER)
    with pytest.raises(Conflict, match="No published rules"):
        publishing.in_force(rule_set.scheme, date(2026, 1, 1))


def test_a_scheme_keeps_its_currency(work: MisSession) -> None:
    publishing.load(PENSION, at=now())
    with pytest.raises(Conflict, match="keeps its currency"):
        publishing.load(PENSION.replace("currency: XTS", "currency: KES"), at=now())


def test_what_changed_between_two_versions_is_told_in_sentences(work: MisSession) -> None:
    first, second = published(PENSION), published(LATER)
    found = publishing.differences(publishing.understood(first), publishing.understood(second))
    assert found == ["Monthly pension is 175.00 XTS a month, before 150.00."]


def test_a_draft_is_edited_and_a_published_version_is_not(work: MisSession) -> None:
    draft = publishing.load(PENSION, at=now()).rule_set
    publishing.redraft(draft, LATER)
    assert draft.valid_from == date(2027, 1, 1)
    publishing.withdraw(draft, reason="A mistake.")
    with pytest.raises(Conflict, match="cannot be edited"):
        publishing.redraft(published(PENSION), LATER)
