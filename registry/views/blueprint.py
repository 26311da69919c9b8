"""The blueprint that the pages of the registry hang on."""

from __future__ import annotations

from flask import Blueprint

from registry.references import reference

blueprint = Blueprint("registry", __name__, template_folder="../templates", url_prefix="/registry")


@blueprint.app_template_filter("reference")
def _reference(number: int, kind: str) -> str:
    return reference(kind, number)
