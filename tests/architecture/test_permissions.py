"""Every endpoint declares who may use it, and roles and code speak of the same permissions."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase

from flask import Flask

from tests.architecture.permissions import PERMISSION, asked_for, asked_for_in_templates, granted, grants
from tests.architecture.sources import ROOT

# Endpoints open to everybody. A new one is a decision, so it is written here too.
PUBLIC = {
    *("accounts.sign_in", "accounts.second_step", "web.language", "web.health"),
    # Whoever has no account must be able to complain, ask and appeal; tries are counted against guessing.
    *("grievances.public_lodge", "grievances.public_status", "grievances.public_appeal"),
}

# Sent by POST so that they leave a trace; they change nothing. Exports are known by their name.
DOWNLOADS = {"registry.refused_rows"}


def test_every_endpoint_declares_its_permission(application: Flask) -> None:
    undeclared = [
        endpoint
        for endpoint, view in application.view_functions.items()
        if endpoint != "static" and not hasattr(view, "mis_permission")
    ]
    assert not undeclared


def test_only_known_endpoints_are_public(application: Flask) -> None:
    views = application.view_functions.items()
    public = {endpoint for endpoint, view in views if getattr(view, "mis_permission", "") is None}
    assert public - PUBLIC == set()


def test_a_declared_permission_is_package_noun_verb(application: Flask) -> None:
    declared = {str(getattr(view, "mis_permission", None)) for view in application.view_functions.values()}
    odd = {permission for permission in declared if not PERMISSION.fullmatch(permission)}
    assert odd <= {"None", "signed-in"}


def test_a_reading_page_asks_for_no_more_than_reading_and_a_writing_one_for_more(application: Flask) -> None:
    # An auditor holds `*:*:read` and must be able to change nothing with it.
    writable = [
        rule.endpoint
        for rule in application.url_map.iter_rules()
        if rule.methods
        and "POST" in rule.methods
        and "GET" not in rule.methods
        and str(getattr(application.view_functions[rule.endpoint], "mis_permission", "")).endswith(":read")
        and not rule.endpoint.endswith("export")
        and rule.endpoint not in DOWNLOADS
    ]
    assert not writable


def test_every_permission_in_the_code_is_granted_by_some_role() -> None:
    everything = asked_for() | asked_for_in_templates()
    nobodys = {permission: where for permission, where in everything.items() if not granted(permission)}
    assert not nobodys


def test_every_grant_of_a_role_is_asked_for_somewhere() -> None:
    idle = [
        f"{role}: {pattern}"
        for role, pattern in grants()
        if not any(fnmatchcase(permission, pattern) for permission in asked_for())
    ]
    assert not idle


def test_a_permission_in_a_template_is_enforced_in_the_code() -> None:
    assert asked_for_in_templates().keys() <= asked_for().keys()


def test_incompatible_roles_exist() -> None:
    data = tomllib.loads((ROOT / "config" / "roles.toml").read_text(encoding="utf-8"))
    assert {role for pair in data["incompatible"] for role in pair} <= data["roles"].keys()
