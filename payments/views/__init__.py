"""The pages of the payments."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("payments", __name__, template_folder="../templates", url_prefix="/payments")
