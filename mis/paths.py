"""Where the files that are not Python lie: in the checkout beside the packages, in a wheel inside `mis`."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    inside = _PACKAGE / f"_{name}"
    return inside if inside.is_dir() else _PACKAGE.parent / name


def config_dir() -> Path:
    """The folder of data: defaults, roles, schemes, mappings, currencies."""
    return _shipped("config")


def migrations_dir() -> Path:
    """The folder of Alembic migrations."""
    return _shipped("migrations")


def template_dir(package_file: str) -> Path:
    """The templates of the package whose `__file__` is given."""
    return Path(package_file).resolve().parent / "templates"
