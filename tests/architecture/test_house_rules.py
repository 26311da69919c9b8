"""The rules of the house that no linter knows (CONTRIBUTING.md says why each of them is there)."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.sources import ROOT, Module, modules, published, templates

# Vague names collect whatever nobody found a place for, and never stop growing.
VAGUE = {
    "base", "common", "core", "data", "helper", "helpers", "info", "lib", "manager", "misc", "service", "services",
    "shared", "tools", "util", "utils",
}  # fmt: skip

MAY_COMMIT = ("mis.db", "mis.jobs")
OTHER_CLOCKS = re.compile(r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.time|time\.localtime)$")
STOPWATCHES = {"time.perf_counter", "time.monotonic", "time.sleep"}


def _of(package: str) -> list[Module]:
    return [module for module in modules() if f"{module.name}.".startswith(f"{package}.")]


def test_modules_are_at_most_300_lines_long() -> None:
    def length(module: Module) -> int:
        return sum(1 for line in module.text.splitlines() if line.strip())

    long = {module.where: length(module) for module in modules() if length(module) > 300}
    assert not long, f"Split these by what happens in them: {long}"


def test_every_module_says_its_one_idea_in_a_docstring() -> None:
    silent = [
        module.where for module in modules() if module.text.strip() and not ast.get_docstring(module.tree)
    ]
    assert not silent


def test_modules_are_named_after_what_happens_and_not_vaguely() -> None:
    vague = [module.where for module in modules() if module.path.stem in VAGUE]
    assert not vague


def test_only_the_shell_commits() -> None:
    commits = [
        f"{module.where}:{line}"
        for module in modules()
        if not module.name.startswith(MAY_COMMIT)
        for call, line in module.calls()
        if call.split(".")[-1] in ("commit", "rollback")
        and call.split(".")[0] in ("db", "session", "connection")
    ]
    assert not commits, f"The unit of work commits once, in mis/db.py; domain code may flush: {commits}"


def test_only_the_calendar_reads_the_clock() -> None:
    readings = [
        f"{module.where}:{line}: {call}"
        for module in modules()
        if module.name != "mis.calendar"
        for call, line in module.calls()
        if OTHER_CLOCKS.search(call) and call not in STOPWATCHES
    ]
    assert not readings, f"Take the day as an argument, or ask mis.calendar: {readings}"


def test_payments_know_no_float() -> None:
    floats = [
        f"{module.where}:{node.lineno}"
        for module in [*_of("payments"), *_of("mis.money")]
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Attribute) and node.attr in ("Float", "Numeric", "REAL"))
    ]
    assert not floats, f"Money is whole minor units: {floats}"


def test_nothing_is_left_to_do_in_the_code() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    found = [
        f"{module.where}:{number}"
        for module in modules()
        for number, line in enumerate(module.text.splitlines(), start=1)
        if marks.search(line)
    ]
    assert not found


def test_no_page_carries_scripts_or_styles_within_it() -> None:
    # The Content-Security-Policy forbids them: the browser would drop them without a word.
    inline = re.compile(
        r"<style|\sstyle\s*=|<script(?![^>]*\bsrc=)|\son[a-z]+\s*=\s*[\"']|javascript:", re.IGNORECASE
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in templates()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if inline.search(line)
    ]
    assert not found


def test_no_page_asks_another_server() -> None:
    foreign = re.compile(r"(src|href|action)\s*=\s*[\"']\s*(https?:)?//", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in templates()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if foreign.search(line)
    ]
    assert not found


# Put together here, so that this file does not find itself.
MACHINES = [
    "/".join(parts) for parts in (("", "work", ""), ("", "home", ""), ("", "root", ""), ("", "opt", ""))
]


@pytest.mark.parametrize("foreign", MACHINES)
def test_the_repository_speaks_of_no_machine(foreign: str) -> None:
    found = []
    for path in published():
        if "vendor" in path.parts or path.suffix in {".png", ".mo", ".xlsx", ".ico", ".woff2"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if foreign in line:
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert not found, f"{foreign} is a path of somebody's machine: {found}"
