"""The pages of the shell itself: the dashboard, what waits, the search box, the language, the health of the process."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mis.access import public, signed_in
from mis.db import db
from mis.web import desk, i18n, safe_next

blueprint = Blueprint("web", __name__)


@blueprint.get("/")
@signed_in
def home() -> ResponseReturnValue:
    """The dashboard of the one who is signed in."""
    return render_template("home.html", figures=desk.figures(), charts=desk.charts(), waiting=desk.waiting())


@blueprint.get("/waiting")
@signed_in
def waiting() -> ResponseReturnValue:
    """All that waits for me."""
    return render_template("waiting.html", waiting=desk.waiting())


@blueprint.get("/search")
@signed_in
def search() -> ResponseReturnValue:
    """Find a record by name, number or reference; a single hit by reference is opened at once."""
    query = request.args.get("q", "").strip()[:200]
    found = desk.find(query) if query else []
    hits = [hit for group in found for hit in group.hits]
    if len(hits) == 1 and any(character.isdigit() for character in query):
        return redirect(hits[0].url)
    groups: list[tuple[Any, ...]] = [(group.label, group.hits, group.more_url) for group in found]
    return render_template("search.html", query=query, groups=groups)


@blueprint.post("/language")
@public
def language() -> ResponseReturnValue:
    """Keep the language of this session."""
    i18n.remember(request.form.get("language", ""))
    return redirect(safe_next.local(request.form.get("next")) or url_for("web.home"))


@blueprint.get("/health")
@public
def health() -> ResponseReturnValue:
    """Whether this process can read its database."""
    db.session.execute(sa.select(1))
    return jsonify(status="ok")
