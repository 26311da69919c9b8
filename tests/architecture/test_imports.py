"""Every module has its place in the contracts that import-linter keeps (`make lint`)."""

from __future__ import annotations

import ast

from tests.architecture.sources import PACKAGES, ROOT, modules, project


def _layers() -> list[str]:
    contracts = project()["tool"]["importlinter"]["contracts"]
    chain = next(contract for contract in contracts if contract["id"] == "chain")
    return [name.strip(" ()") for layer in chain["layers"] for name in layer.replace("|", ":").split(":")]


def test_every_module_of_the_ground_has_its_place_in_the_chain() -> None:
    children = {
        ".".join(module.name.split(".")[:2]) for module in modules() if module.name.startswith("mis.")
    }
    placed = _layers()
    assert children - set(placed) == set(), "Give these a line in the contract “chain” of pyproject.toml"
    assert set(placed) - children - set(PACKAGES) == set(), "The contract “chain” names what is not there"
    assert len(placed) == len(set(placed))


def test_data_folders_hold_no_python_that_could_be_imported() -> None:
    assert not list((ROOT / "config").rglob("*.py"))
    assert not (ROOT / "migrations" / "__init__.py").exists()


def test_imports_stand_at_the_top_of_their_module() -> None:
    # An import inside a function hides a circle.
    hidden = [
        f"{module.where}:{node.lineno}"
        for module in modules()
        for function in ast.walk(module.tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES
        if module.name != "mis.migrating"
    ]
    assert not hidden
