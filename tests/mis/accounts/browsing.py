"""A browser without a screen: it keeps cookies, and sends the form token that the page gave it."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Browser:
    """Open pages and send their forms."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.token = ""

    def open(self, path: str, **more: Any) -> TestResponse:
        """Open a page, and remember its form token."""
        return self._read(self.client.get(path, **more))

    def send(self, path: str, **fields: Any) -> TestResponse:
        """Send a form without following the answer."""
        headers = fields.pop("headers", None)
        return self._read(self.client.post(path, data=fields | {"csrf_token": self.token}, headers=headers))

    def sign_in(self, username: str, password: str, **fields: Any) -> TestResponse:
        """Fill in the sign-in page."""
        self.open("/sign-in")
        answer = self.send("/sign-in", username=username, password=password, **fields)
        if answer.status_code == 303:
            self.open(answer.location)
        return answer

    def _read(self, answer: TestResponse) -> TestResponse:
        if answer.mimetype == "text/html" and (found := _TOKEN.search(answer.text)):
            self.token = found[1]
        return answer
