"""Documents say what is there: commands, make targets, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mis.cli import main
from tests.architecture.sources import ROOT, published

PAGES = [path for path in published() if path.suffix == ".md"]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
MAKE = re.compile(r"`make ([a-z-]+)")


def _commands(group: click.Group, name: str) -> Iterator[str]:
    for word, command in group.commands.items():
        full = f"{name} {word}"
        if isinstance(command, click.Group):
            yield from _commands(command, full)
        else:
            yield full


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [name for name in _commands(main, "mis") if name not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [
        target
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_every_make_target_in_the_documents_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {
        (page.name, target) for page in PAGES for target in MAKE.findall(page.read_text(encoding="utf-8"))
    }
    assert [pair for pair in sorted(named) if not re.search(rf"^{pair[1]}:", makefile, re.MULTILINE)] == []


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    folder = ROOT / "docs" / "adr"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name[:4] for name in records] == [f"{number:04}" for number in range(len(records))]
    listed = (folder / "README.md").read_text(encoding="utf-8")
    assert [name for name in records if name not in listed] == []


def test_every_setting_has_a_default_and_a_field() -> None:
    from mis.settings import Settings

    text = (ROOT / "config" / "default.toml").read_text(encoding="utf-8")
    written = set(re.findall(r"^([a-z_]+) =", text, re.MULTILINE))
    assert written | {"retired_sealing_keys"} == set(Settings.model_fields)
