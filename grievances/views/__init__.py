"""The pages of the grievances."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("grievances", __name__, template_folder="../templates", url_prefix="/grievances")
