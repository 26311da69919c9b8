"""What is declared is locked, what is locked is used, and the wheel holds what the program needs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT, modules, project

# Needed without being imported: programs, and what a URL or another library loads by name.
LOADED_BY_NAME = {"gunicorn", "psycopg", "celery"}


def _plain(requirement: str) -> str:
    name = re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def _locked(name: str) -> set[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {_plain(line) for line in lines if "==" in line}


def _declared() -> set[str]:
    base = project()["project"]
    extras = [requirement for extra in base["optional-dependencies"].values() for requirement in extra]
    return {_plain(requirement) for requirement in [*base["dependencies"], *extras]}


def _groups() -> set[str]:
    return {_plain(requirement) for group in project()["dependency-groups"].values() for requirement in group}


def test_every_dependency_is_in_the_lock() -> None:
    build = {_plain(requirement) for requirement in project()["dependency-groups"]["build"]}
    assert _declared() | build <= _locked("requirements.txt"), "Run: make lock"
    assert _declared() | _groups() <= _locked("requirements-dev.txt"), "Run: make lock"


def test_the_development_lock_has_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return {line.rstrip(" \\") for line in lines if "==" in line}

    assert pins("requirements.txt") <= pins("requirements-dev.txt")


def test_every_locked_version_has_its_hash() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        entries = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8").strip())
        assert not [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]


def test_every_dependency_is_used() -> None:
    imported = {
        name.split(".")[0]
        for module in modules()
        for node in ast.walk(module.tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    imported |= {"alembic"}  # migrations/ are not modules of the product
    sources = metadata.packages_distributions()
    used = {_plain(distribution) for name in imported for distribution in sources.get(name, [])}
    assert _declared() - used - LOADED_BY_NAME == set(), (
        "Nothing imports these: take them out of pyproject.toml"
    )


def test_everything_imported_is_declared() -> None:
    allowed = _declared() | _indirect("flask") | _indirect("celery")
    sources = metadata.packages_distributions()
    undeclared = {
        f"{module.where}: {name}"
        for module in modules()
        for node in ast.walk(module.tree)
        for name in _imported(node)
        if name not in sys.stdlib_module_names
        and name not in PACKAGES
        and not {_plain(distribution) for distribution in sources.get(name, [])} & allowed
    }
    assert not undeclared


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [(node.module or "").split(".")[0]]
    return []


def _indirect(name: str) -> set[str]:
    """What a framework is made of belongs to it: Werkzeug and MarkupSafe come with Flask."""
    return {
        _plain(requirement) for requirement in metadata.requires(name) or [] if "extra ==" not in requirement
    }


@pytest.mark.slow
def test_the_wheel_holds_packages_settings_migrations_and_pages(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        str(ROOT),
    ]
    subprocess.run([*command, "--wheel-dir", str(tmp_path)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"mis/_config/default.toml", "mis/_config/roles.toml", "mis/_migrations/env.py"} <= names
    assert {"mis/web/templates/base.html", "mis/web/static/mis.css"} <= names
    assert {f"{package}/__init__.py" for package in PACKAGES} <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == set(PACKAGES)


def test_make_prints_what_there_is() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for target in ("demo", "demo-reset", "pg-demo", "test", "check", "lock", "bench"):
        assert f"make {target} " in shown
