"""The blueprint on which the view modules of the payments hang their pages."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("payments", __name__, template_folder="../templates", url_prefix="/payments")
