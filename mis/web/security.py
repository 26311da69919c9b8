"""Headers and cookies that keep the pages to themselves, and the token that every form carries."""

from __future__ import annotations

import secrets
from typing import Any
from wsgiref.headers import Headers

from flask import Flask, Response, g, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import BadRequest
from werkzeug.routing import IntegerConverter, Map
from whitenoise import WhiteNoise

from mis.settings import Settings

# No inline script or style anywhere: what an attacker writes into a name stays text. The nonce is for hx-csp, which
# takes the hx- attributes away from every element that does not carry it.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# Where real people are paid, browsers come by https or not at all.
SECURE = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}

csrf = CSRFProtect()


class RowNumber(IntegerConverter):
    """A number in an address; beyond what a column can hold there is no such page."""

    def __init__(self, map: Map, *args: Any, **options: Any) -> None:
        super().__init__(map, *args, **({"max": 2**63 - 1} | options))


def init_app(app: Flask, settings: Settings) -> None:
    """Set the headers of every answer, the rules of the session cookie, and the form token."""
    app.config.update(
        SESSION_COOKIE_NAME="mis_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.production,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=settings.production,
        MAX_CONTENT_LENGTH=settings.upload_megabytes * 1024 * 1024,
    )
    csrf.init_app(app)

    @app.before_request
    def draw_nonce() -> None:
        g.csp_nonce = secrets.token_urlsafe(16)

    app.url_map.converters["int"] = RowNumber

    @app.before_request
    def refuse_nul() -> None:
        # No page ever sends one; PostgreSQL refuses it in every text, and the record of a refusal is a text too.
        sent = (text for name, texts in request.values.lists() for text in (name, *texts))
        if any("\x00" in text for text in (request.path, *sent)):
            raise BadRequest()

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.setdefault(
            "Content-Security-Policy", POLICY.format(nonce=g.get("csp_nonce", "none"))
        )
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.production:
            response.headers.update(SECURE)
        if request.endpoint != "static":
            # Pages speak of people: no cache on a shared machine keeps them.
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def serve_files(app: Flask) -> None:
    """Let the process itself serve the static files, compressed and cached, with the headers of every answer."""

    def protect(headers: Headers, _path: str, _url: str) -> None:
        for name, value in (HEADERS | SECURE).items():
            headers[name] = value

    assert app.static_folder is not None
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=app.static_folder,
        prefix="static/",
        allow_all_origins=False,
        add_headers_function=protect,
    )
