"""Every permission that the code asks for, and every one that a role grants."""

from __future__ import annotations

import ast
import re
import tomllib
from fnmatch import fnmatchcase
from functools import cache

from tests.architecture.sources import ROOT, modules, templates

PERMISSION = re.compile(r"[a-z_]+:[a-z_]+:[a-z_]+")
# A kind of background work is written `package:verb`, an icon or class otherwise: only three parts are a permission.
IN_TEMPLATE = re.compile(r"may\(\s*[\"']([a-z_]+:[a-z_]+:[a-z_]+)[\"']")


@cache
def asked_for() -> dict[str, str]:
    """Every permission written in the code, with one place where it stands."""
    return {
        node.value: f"{module.where}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and PERMISSION.fullmatch(node.value)
    }


@cache
def asked_for_in_templates() -> dict[str, str]:
    """Every permission asked for in a template, with its file."""
    return {
        permission: str(path.relative_to(ROOT))
        for path in templates()
        for permission in IN_TEMPLATE.findall(path.read_text(encoding="utf-8"))
    }


@cache
def grants() -> tuple[tuple[str, str], ...]:
    """(role, pattern) for every line of config/roles.toml."""
    roles = tomllib.loads((ROOT / "config" / "roles.toml").read_text(encoding="utf-8"))["roles"]
    return tuple((code, pattern) for code, role in roles.items() for pattern in role["permissions"])


def granted(permission: str) -> bool:
    """Whether a role of an office (not only the console) grants the permission."""
    return any(fnmatchcase(permission, pattern) for role, pattern in grants() if role != "console")
