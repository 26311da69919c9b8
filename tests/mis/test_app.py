"""What the application believes of the machines before it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, request
from werkzeug.test import create_environ

from mis import settings
from mis.app import create_app
from mis.settings import Settings


@pytest.mark.parametrize(("proxies", "address"), [(0, "192.0.2.1"), (1, "203.0.113.9")])
def test_an_address_is_taken_from_a_trusted_proxy_alone(
    app: Flask, test_settings: Settings, proxies: int, address: str
) -> None:
    seen: list[Any] = []
    made = create_app(test_settings.model_copy(update={"trusted_proxies": proxies}))
    settings.use(test_settings)
    made.before_request(lambda: seen.append(request.remote_addr))
    environ = create_environ("/health", headers={"X-Forwarded-For": "198.51.100.7, 203.0.113.9"})
    list(made(environ | {"REMOTE_ADDR": "192.0.2.1"}, lambda *_: lambda _: None))
    assert seen == [address]
