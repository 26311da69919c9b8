"""Lifecycles: the only way to change a status, by the right person, on the content that was submitted."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from eligibility import publishing
from eligibility.models import RuleSet, rule_set_lifecycle
from grievances.models import grievance_lifecycle
from mis import access, acting, audit, calendar
from mis.accounts.roles import actor_of
from mis.acting import Actor, Grant
from mis.audit import AuditEntry
from mis.db import MisSession, db
from mis.errors import Conflict, Forbidden, Invalid
from mis.states import changes_of, touch, touched_by
from tests.conftest import acting_as
from tests.factories.eligibility import PENSION
from tests.factories.grievances import GrievanceFactory
from tests.mis.accounts.people import make_areas, make_user

DAY = calendar.parse_date("2026-01-01")


def draft() -> RuleSet:
    return publishing.load(PENSION, at=calendar.now()).rule_set


def test_a_status_is_never_assigned(work: MisSession) -> None:
    rules = draft()
    with pytest.raises(AssertionError, match=r"never by assignment"):
        rules.status = "published"


def test_a_record_is_not_born_in_another_status(work: MisSession) -> None:
    with pytest.raises(AssertionError, match=r"never by assignment"):
        RuleSet(number=1, status="published")


def test_rules_are_published_by_a_second_person(work: MisSession) -> None:
    with acting_as("drafter"):
        rules = draft()
        rule_set_lifecycle.take(rules, "submit")
        with pytest.raises(Forbidden, match="second person"):
            rule_set_lifecycle.take(rules, "publish")
    with acting_as("publisher"):
        rule_set_lifecycle.take(rules, "publish")
    assert rules.status == "published"


def test_two_accounts_of_one_person_are_one_pair_of_eyes(work: MisSession) -> None:
    with acting_as("staff:7"):
        rules = draft()
    with acting_as("somebody"):
        rule_set_lifecycle.take(rules, "submit")
    with acting_as("staff:7"), pytest.raises(Forbidden, match="second person"):
        rule_set_lifecycle.take(rules, "publish")


def test_whoever_edited_the_record_in_this_round_is_not_a_second_person(work: MisSession) -> None:
    with acting_as("drafter"):
        rules = draft()
    with acting_as("editor"):
        rules.document += "# as the committee wished"
        db.session.flush()
    with acting_as("helper"):
        touch(rules, "golden cases changed")
    assert touched_by(rules) == {"drafter", "editor", "helper"}
    with acting_as("drafter"):
        rule_set_lifecycle.take(rules, "submit")
    for person in ("editor", "helper"):
        with acting_as(person), pytest.raises(Forbidden, match="second person"):
            rule_set_lifecycle.take(rules, "publish")


def test_an_approval_binds_to_the_content_that_was_submitted(work: MisSession) -> None:
    with acting_as("drafter"):
        rules = draft()
        rule_set_lifecycle.take(rules, "submit")
        rules.document += "# as nobody has read it"
        db.session.flush()
    with acting_as("publisher"), pytest.raises(Conflict, match="no longer what was submitted"):
        rule_set_lifecycle.take(rules, "publish")


def test_sending_back_begins_a_new_round(work: MisSession) -> None:
    with acting_as("drafter"):
        rules = draft()
        rule_set_lifecycle.take(rules, "submit")
    with acting_as("publisher"):
        with pytest.raises(Invalid, match="reason"):
            rule_set_lifecycle.take(rules, "return")
        rule_set_lifecycle.take(rules, "return", reason="The age is wrong.")
    assert (rules.status, rules.round) == ("draft", 2)
    assert touched_by(rules) == set()


def test_a_step_from_the_wrong_status_says_what_can_be_done_instead(work: MisSession) -> None:
    rules = draft()
    with pytest.raises(Conflict, match="this rule set is draft") as refusal:
        rule_set_lifecycle.take(rules, "publish")
    assert refusal.value.instead == "From here: Submit, Withdraw."


def test_the_slower_of_two_is_told_so(work: MisSession) -> None:
    rules = draft()
    with audit.unaudited("somebody else's session, as this one sees it"):
        work.connection().exec_driver_sql("UPDATE rule_set SET version = version + 1")
    with pytest.raises(Conflict, match="Somebody else"):
        rule_set_lifecycle.take(rules, "submit")


def test_a_step_needs_its_permission(work: MisSession) -> None:
    rules = draft()
    with acting_as("reader", "eligibility:ruleset:read"):
        assert rule_set_lifecycle.offers(rules) == []
        with pytest.raises(Forbidden, match="eligibility:ruleset:draft"):
            rule_set_lifecycle.take(rules, "submit")


def test_each_step_is_remembered_and_audited_with_its_reason(work: MisSession) -> None:
    rules = draft()
    rule_set_lifecycle.take(rules, "withdraw", reason="The law was not passed.")
    last = changes_of(rules)[-1]
    assert (last.step, last.source, last.target, last.reason) == (
        "withdraw",
        "draft",
        "withdrawn",
        "The law was not passed.",
    )
    entry = work.scalars(sa.select(AuditEntry).where(AuditEntry.action == "withdraw")).one()
    assert entry.reason == "The law was not passed."
    assert entry.changes["status"] == ["draft", "withdrawn"]


def test_the_offers_say_why_a_step_is_closed(work: MisSession) -> None:
    with acting_as("drafter"):
        rules = draft()
        rule_set_lifecycle.take(rules, "submit")
        offers = {offer.step.name: offer.refusal for offer in rule_set_lifecycle.offers(rules)}
    assert offers["return"] is None
    assert offers["publish"] is not None and "second person" in offers["publish"]


def test_the_constraint_stands_behind_the_lifecycle(work: MisSession) -> None:
    rules = draft()
    with (
        audit.unaudited("tried behind the lifecycle's back"),
        pytest.raises(sa.exc.IntegrityError, match="rules_are_published_by_a_second_person"),
        work.begin_nested(),
    ):
        work.connection().exec_driver_sql(
            f"UPDATE rule_set SET submitted_by_id = 1, published_by_id = 1 WHERE id = {rules.id}"
        )


@pytest.mark.parametrize(("before", "after"), [(None, "7"), ("7", None), ("7", "8")])
def test_a_staff_number_that_changes_makes_nobody_a_second_person(
    work: MisSession, before: str | None, after: str | None
) -> None:
    drafter = make_user("a.mwangi", "scheme_administrator", staff_number=before)
    with acting.acting(actor_of(drafter, DAY)):
        rules = draft()
    with acting_as("somebody"):
        rule_set_lifecycle.take(rules, "submit")
    drafter.staff_number = after
    work.flush()
    with acting.acting(actor_of(drafter, DAY)), pytest.raises(Forbidden, match="second person"):
        rule_set_lifecycle.take(rules, "publish")


def test_two_accounts_that_turn_out_to_be_one_person_are_one_pair_of_eyes(work: MisSession) -> None:
    first, second = (make_user(name, "scheme_administrator") for name in ("a.mwangi", "a.mwangi2"))
    with acting.acting(actor_of(first, DAY)):
        rules = draft()
        rule_set_lifecycle.take(rules, "submit")
    first.staff_number = second.staff_number = "7"
    work.flush()
    with acting.acting(actor_of(second, DAY)), pytest.raises(Forbidden, match="second person"):
        rule_set_lifecycle.take(rules, "publish")


def test_a_step_is_taken_only_where_its_permission_is_held(work: MisSession) -> None:
    areas = make_areas()
    case = GrievanceFactory(in_general=True, area_id=areas["XX1"])
    read, acknowledge = "grievances:case:read", grievance_lifecycle.steps["acknowledge"].permission
    grants = (Grant((read,), areas["XX"]), Grant((acknowledge,), areas["XX2"]))
    with acting.acting(Actor(None, "officer", "officer", "test", grants)), access.within(read):
        assert grievance_lifecycle.offers(case) == []
        with pytest.raises(Forbidden, match=acknowledge):
            grievance_lifecycle.take(case, "acknowledge")
