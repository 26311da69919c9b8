"""The blueprint that the pages of the accounts hang on."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("accounts", __name__, template_folder="../templates")
