"""The source files of the product, read once, for the tests of the architecture."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("registry", "eligibility", "payments", "grievances")
PACKAGES = ("mis", *ROOMS)


@dataclass(frozen=True)
class Module:
    """One Python file: its dotted name, its text, its tree."""

    path: Path

    @property
    def where(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def name(self) -> str:
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def calls(self) -> Iterator[tuple[str, int]]:
        """Every call, as its dotted name (`db.session.commit`) and its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield dotted(node.func), node.lineno


def dotted(node: ast.AST) -> str:
    """The dotted name of an expression; an unnamed beginning is written `?`."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return f"{dotted(node.value)}.{node.attr}"
    return "?"


@cache
def modules() -> tuple[Module, ...]:
    """All modules of the product."""
    return tuple(Module(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))


@cache
def templates() -> tuple[Path, ...]:
    """All page templates of the product."""
    return tuple(
        path for package in PACKAGES for path in sorted((ROOT / package).rglob("templates/**/*.html"))
    )


@cache
def published() -> tuple[Path, ...]:
    """All files of the repository that belong to it: those that git knows, or would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(path for line in listed if (path := ROOT / line).is_file())


@cache
def project() -> dict[str, Any]:
    """`pyproject.toml`."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
