"""Every template parses, is rendered by somebody, and asks only for endpoints that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

from tests.architecture.sources import ROOT, modules, templates

NAME = re.compile(r"[\"']([a-z_0-9/]+\.html)[\"']")
ENDPOINT = re.compile(r"url_for\(\s*[\"']([a-z_.]+)[\"']")


def _name(path: Path) -> str:
    return path.as_posix().split("/templates/", 1)[1]


@pytest.mark.parametrize("path", templates(), ids=_name)
def test_every_template_parses(path: Path, application: Flask) -> None:
    application.jinja_env.get_template(_name(path))


def test_no_two_templates_share_a_name() -> None:
    names = [_name(path) for path in templates()]
    assert len(names) == len(set(names))


def test_every_template_is_used() -> None:
    texts = [module.text for module in modules()] + [path.read_text(encoding="utf-8") for path in templates()]
    named = {name for text in texts for name in NAME.findall(text)}
    # Error pages are chosen by their status.
    unused = [str(path.relative_to(ROOT)) for path in templates() if _name(path) not in named]
    assert [name for name in unused if "/errors/" not in name] == []


def test_every_link_of_a_template_leads_to_an_endpoint(application: Flask) -> None:
    missing = [
        f"{path.relative_to(ROOT)}: {endpoint}"
        for path in templates()
        for endpoint in ENDPOINT.findall(path.read_text(encoding="utf-8"))
        if endpoint not in application.view_functions
    ]
    assert not missing
