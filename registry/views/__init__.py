"""The pages of the registry."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("registry", __name__, template_folder="../templates", url_prefix="/registry")
