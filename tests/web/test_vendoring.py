"""The vendored front end is what its lock says."""

import json
import shutil
from pathlib import Path

import pytest

from mis.web import vendoring


def test_every_vendored_file_is_as_locked() -> None:
    assert vendoring.check() == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(vendoring.VENDOR, tmp_path / "vendor"))


def test_a_changed_file_is_named(copy: Path) -> None:
    with (copy / "htmx" / "htmx.min.js").open("a") as file:
        file.write("\nalert(1)")
    assert vendoring.check(copy) == ["htmx/htmx.min.js differs from what was locked."]


def test_a_missing_and_an_added_file_are_named(copy: Path) -> None:
    (copy / "htmx" / "htmx.min.js").rename(copy / "htmx" / "other.js")
    assert vendoring.check(copy) == [
        "htmx/other.js is in the folder but not in the lock.",
        "htmx/htmx.min.js is in the lock but not in the folder.",
    ]


def test_every_package_names_its_licence_and_ships_its_text() -> None:
    for package in json.loads(vendoring.LOCK.read_text())["packages"]:
        assert package["licence"] in {"MIT", "0BSD"}, package["name"]
        assert any(path.endswith("/LICENSE") for path in package["files"]), package["name"]


def test_nothing_vendored_points_to_another_server_for_its_parts() -> None:
    for path in vendoring.VENDOR.rglob("*.css"):
        text = path.read_text()
        assert "@import" not in text and "url(http" not in text and "url(//" not in text, path
    for path in vendoring.VENDOR.rglob("*.*s"):
        assert "sourceMappingURL" not in path.read_text(), path
