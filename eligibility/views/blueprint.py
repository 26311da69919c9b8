"""The blueprint that every page of the room hangs on."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("eligibility", __name__, template_folder="../templates", url_prefix="/eligibility")
