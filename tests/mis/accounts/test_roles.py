"""Roles: where and until when they hold, and which no one person holds together."""

from contextlib import nullcontext
from datetime import timedelta

import pytest

from mis import access, acting
from mis.accounts import roles, users
from mis.accounts.models import RoleAssignment
from mis.db import MisSession
from mis.errors import Conflict, Forbidden, Invalid
from tests.conftest import acting_as
from tests.mis.accounts.people import AT, DAY, make_areas, make_user


def assign(user, role, **given):
    return roles.assign(user, role, **({"area_id": None, "expires_on": None, "day": DAY} | given))


def test_a_role_gives_its_permissions_and_no_others(work: MisSession):
    user = make_user("p.otieno")
    assign(user, "payment_officer")
    with acting.acting(roles.actor_of(user, DAY)):
        assert access.may("payments:cycle:prepare")
        assert not access.may("payments:cycle:approve")


def test_a_role_holds_through_its_last_day_and_not_after(work: MisSession):
    user = make_user()
    assign(user, "grievance_officer", expires_on=DAY)
    assert roles.actor_of(user, DAY).grants
    assert not roles.actor_of(user, DAY + timedelta(days=1)).grants


def test_a_role_in_an_area_is_a_grant_in_that_area(work: MisSession):
    areas, user = make_areas(), make_user()
    assign(user, "enrolment_officer", area_id=areas["XX1"])
    (grant,) = roles.actor_of(user, DAY).grants
    assert grant.area_id == areas["XX1"]


def test_a_user_who_is_switched_off_has_no_grants(work: MisSession):
    user = make_user()
    assign(user, "auditor")
    user.active = False
    assert roles.actor_of(user, DAY).grants == ()


def test_every_pair_that_is_incompatible_is_refused_in_both_orders(work: MisSession):
    assert access.roles().incompatible
    for number, pair in enumerate(access.roles().incompatible):
        for turn, (one, other) in enumerate((sorted(pair), sorted(pair, reverse=True))):
            user = make_user(f"user{number}.{turn}")
            assign(user, one)
            with pytest.raises(Conflict, match="no one person may hold"):
                assign(user, other)


def test_incompatible_roles_are_refused_in_areas_that_have_nothing_in_common(work: MisSession):
    areas, user = make_areas(), make_user()
    assign(user, "payment_officer", area_id=areas["XX1"])
    with pytest.raises(Conflict):
        assign(user, "payment_approver", area_id=areas["XX2"])


def test_incompatible_roles_are_refused_across_two_accounts_of_one_person(work: MisSession):
    assign(make_user("first", staff_number="S-1"), "payment_officer")
    with pytest.raises(Conflict):
        assign(make_user("second", staff_number="S-1"), "payment_approver")


def test_a_staff_number_cannot_bring_incompatible_roles_into_one_hand(work: MisSession):
    assign(make_user("first", staff_number="S-1"), "payment_officer")
    second = make_user("second")
    assign(second, "payment_approver")
    with pytest.raises(Conflict):
        users.edit(second, name="Second", email=None, staff_number="S-1", day=DAY)


def test_a_role_that_has_run_out_stands_in_nobodys_way(work: MisSession):
    user = make_user("p.otieno", "payment_officer")
    held = roles.held_by(user, DAY)[0]
    held.expires_on = DAY - timedelta(days=1)
    work.flush()
    assert assign(user, "payment_approver").role == "payment_approver"


def test_a_role_that_has_run_out_can_be_assigned_again(work: MisSession):
    user = make_user("p.otieno", "payment_officer")
    held = roles.held_by(user, DAY)[0]
    held.expires_on = DAY - timedelta(days=1)
    work.flush()
    assert assign(user, "payment_officer") is held
    assert held.expires_on is None


def test_the_same_role_is_not_assigned_twice_in_one_place(work: MisSession):
    user = make_user()
    assign(user, "auditor")
    with pytest.raises(Conflict, match="already holds"):
        assign(user, "auditor")


def test_nobody_assigns_a_role_to_himself_by_whatever_account(work: MisSession):
    user = make_user(staff_number="S-7")
    with acting_as("staff:S-7"), pytest.raises(Forbidden, match="Nobody assigns a role to himself"):
        assign(user, "auditor")


def test_only_who_may_assign_roles_assigns_them(work: MisSession):
    user = make_user()
    with acting_as("clerk", "accounts:user:manage"), pytest.raises(Forbidden):
        assign(user, "auditor")


def test_an_administrator_of_a_district_assigns_roles_in_that_district_only(work: MisSession):
    areas, user = make_areas(), make_user()
    with acting_as("district administrator", roles.ASSIGNING, area_id=areas["XX1"]):
        assign(user, "enrolment_officer", area_id=areas["XX1"])
        for outside in (areas["XX2"], areas["XX"], None):
            with pytest.raises(Forbidden):
                assign(user, "grievance_officer", area_id=outside)


@pytest.mark.parametrize(("theirs", "may"), [("XX1", True), ("XX2", False), (None, False), ("none", True)])
@pytest.mark.parametrize("act", ["reset", "edit", "off", "on", "factor", "unlock"])
def test_an_administrator_of_a_district_takes_over_no_account_from_beyond(
    work: MisSession, act: str, theirs: str | None, may: bool
):
    areas = make_areas()
    root = make_user("root1", "system_administrator", area_id=areas["XX1"])
    user = make_user("a.mwangi")
    make_user("root2", "system_administrator")
    if theirs != "none":
        work.add(RoleAssignment(user_id=user.id, role="enrolment_officer", area_id=areas.get(theirs or "")))
    user.totp_confirmed_at = AT
    work.flush()
    acts = {
        "reset": lambda: users.reset_password(user, at=AT),
        "edit": lambda: users.edit(user, name="A", email=None, staff_number=None, day=DAY),
        "off": lambda: users.switch_off(user, day=DAY),
        "on": lambda: users.switch_on(user),
        "factor": lambda: users.remove_second_factor(user),
        "unlock": lambda: users.unlock(user),
    }
    with (
        acting.acting(roles.actor_of(root, DAY)),
        nullcontext() if may else pytest.raises(Forbidden, match="beyond the areas"),
    ):
        acts[act]()


@pytest.mark.parametrize("role", ["console", "president"])
def test_a_role_that_is_not_there_to_be_assigned_is_refused_by_name(work: MisSession, role: str):
    with pytest.raises(Invalid, match="There is no role") as refusal:
        assign(make_user(), role)
    assert refusal.value.field == "role"


def test_a_last_day_in_the_past_is_refused(work: MisSession):
    with pytest.raises(Invalid, match="in the past"):
        assign(make_user(), "auditor", expires_on=DAY - timedelta(days=1))


def test_the_last_system_administrator_keeps_the_role(work: MisSession):
    last = make_user("root1", "system_administrator")
    with pytest.raises(Conflict, match="last system administrator"):
        roles.withdraw(roles.held_by(last, DAY)[0], day=DAY)
    make_user("root2", "system_administrator")
    roles.withdraw(roles.held_by(last, DAY)[0], day=DAY)
    assert not roles.held_by(last, DAY)


def test_assigning_and_withdrawing_stand_in_the_audit_trail(work: MisSession):
    from mis.audit import AuditEntry

    made = assign(make_user(), "auditor")
    roles.withdraw(made, day=DAY)
    entries = (
        work.query(AuditEntry)
        .filter_by(subject_type=RoleAssignment.__tablename__)
        .order_by(AuditEntry.id)
        .all()
    )
    assert len(entries) == 2


def test_roles_name_only_permissions_with_three_parts():
    for role in access.roles().by_code.values():
        assert all(permission.count(":") == 2 for permission in role.permissions), role.code


def test_the_auditor_may_change_nothing():
    verbs = {permission.split(":")[2] for permission in access.roles().by_code["auditor"].permissions}
    assert verbs == {"read", "verify", "export", "sensitive"}
