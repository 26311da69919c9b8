"""Settings that cannot be used are told by name, and never by their value."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from flask import Flask

from mis import settings
from mis.cli import main
from mis.db import db

KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MIS_SESSION_MINUTES", "soon", "MIS_SESSION_MINUTES: Input should be a valid integer"),
        ("MIS_ENVIRONMENT", "home", "MIS_ENVIRONMENT: Input should be"),
        ("MIS_WEEKEND", "Friday", "weekend"),
        ("MIS_SEALING_KEY", "%%% not base64", "must be base64 of exactly 32 bytes"),
        ("MIS_SEALING_KEY", "c2hvcnQ=", "must be base64 of exactly 32 bytes"),
    ],
)
def test_a_setting_that_cannot_be_used_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(settings.NotSettled, match=sentence) as refused:
        assert settings.load().effective_sealing_keys
    assert value not in str(refused.value)


def test_a_command_without_the_secrets_of_production_says_which_one_is_missing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = db.engine
    monkeypatch.setenv("MIS_ENVIRONMENT", "production")
    monkeypatch.delenv("MIS_SEALING_KEY", raising=False)
    told = CliRunner().invoke(main, ["job", "list"])
    assert (told.exit_code, told.output) == (1, "Error: MIS_SEALING_KEY must be set in production.\n")
    assert db.engine is engine, "nothing was done by halves"


@pytest.mark.parametrize(("key", "sentence"), [("", "must be set"), ("short", "at least 32 characters")])
def test_production_needs_a_long_secret_key(key: str, sentence: str) -> None:
    production = settings.load(environment="production", sealing_key=KEY, secret_key=key)
    with pytest.raises(settings.NotSettled, match=sentence):
        assert production.effective_secret_key
