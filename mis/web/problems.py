"""Problem pages: what happened, what can be done, and a reference number when it was our fault."""

from __future__ import annotations

import logging
import secrets

from flask import Flask, current_app, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException, InternalServerError

from mis import acting, audit
from mis.acting import NOBODY
from mis.db import db, is_passing
from mis.errors import Forbidden, Refusal

# Plain tracebacks: what stands in the variables (names, passwords) belongs into no log.
log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Answer refusals, HTTP errors and bugs with a page that helps."""
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(IntegrityError, _constraint)
    app.register_error_handler(Exception, _bug)


def _refused(refusal: Refusal) -> ResponseReturnValue:
    if isinstance(refusal, Forbidden):
        with acting.acting(g.get("actor", NOBODY)):
            audit.aside(
                "refused", details={"path": request.path, "method": request.method, "why": refusal.sentence}
            )
    return _page(refusal.status, refusal.sentence, instead=refusal.instead)


def _http_problem(problem: HTTPException) -> ResponseReturnValue:
    if problem.code is None or problem.code < 400:
        return problem
    if isinstance(problem, InternalServerError) and isinstance(problem.original_exception, Exception):
        return _bug(problem.original_exception)  # raised while another problem was being told
    sentences = {
        400: _(
            "The form could not be read, or it was open for too long. Load the page again and send it once more."
        ),
        404: _("There is no such page, or it lies outside the areas you work in."),
        405: _("This page cannot be used in this way."),
        413: _("The file is too large."),
        429: _("Too many requests. Wait a moment and try again."),
    }
    return _page(problem.code, sentences.get(problem.code, problem.description or problem.name))


def _constraint(error: IntegrityError) -> ResponseReturnValue:
    # A constraint is the last wall behind the sentences of the domain: whoever hits it was a moment too late.
    # By its name: PostgreSQL's sentence also quotes the values.
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or error.orig
    log.warning("Constraint at %s: %s", request.path, constraint)
    return _page(
        409, _("Somebody else has just changed this, and both cannot be true. Look at it again, then decide.")
    )


def _bug(error: Exception) -> ResponseReturnValue:
    g.broken = True
    if is_passing(error):
        log.error("The database does not answer at %s", request.path, exc_info=error)
        return _page(503, _("The system is busy or being restarted. Nothing was changed."))
    reference = secrets.token_hex(4)
    log.error("Bug at %s, reference %s", request.path, reference, exc_info=error)
    if current_app.testing:
        raise error
    return _page(500, _("Something went wrong on our side. Nothing was changed."), reference=reference)


def _page(
    status: int, sentence: str, *, instead: str | None = None, reference: str | None = None
) -> ResponseReturnValue:
    if request.accept_mimetypes.best == "application/json":
        return jsonify(error=sentence, instead=instead, reference=reference), status
    with db.unit_of_work(read_only=True), acting.acting(g.get("actor", NOBODY)):
        return (
            render_template(
                "errors/problem.html",
                status=status,
                message=sentence,
                instead=instead,
                reference=reference,
                back_url=_came_from(),
            ),
            status,
        )


def _came_from() -> str | None:
    """The page of this site that led here, if there was one."""
    if not request.referrer or request.referrer == request.url:
        return None
    return request.referrer if request.referrer.startswith(request.host_url) else None
