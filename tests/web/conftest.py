"""What the tests of the shell share."""

import pytest

from mis.web import shell


@pytest.fixture
def own_menu(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty menu for the gallery, so that its items do not mix with those of the rooms."""
    monkeypatch.setattr(shell, "_items", {})
    monkeypatch.setattr(shell, "_doors", {})
