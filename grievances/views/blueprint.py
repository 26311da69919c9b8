"""The blueprint of the grievances, and what all of their pages need."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, current_app, url_for

from grievances.deadlines import WorkingDays
from mis import access, settings

blueprint = Blueprint("grievances", __name__, template_folder="../templates", url_prefix="/grievances")

READ, LODGE, WORK, RESOLVE = (
    "grievances:case:read",
    "grievances:case:lodge",
    "grievances:case:work",
    "grievances:case:resolve",
)


def office() -> WorkingDays:
    """The working days of this country."""
    ours = settings.current()
    return WorkingDays.of(ours.country, ours.weekend)


def link(endpoint: str, **values: Any) -> str | None:
    """The address of a page of a room below, if the reader may open it: a link that ends in a refusal is none."""
    permission = getattr(current_app.view_functions.get(endpoint), "mis_permission", "")
    return url_for(endpoint, **values) if permission and access.may(permission) else None


def month_ago(day: date) -> date:
    """The day from which the figures of the desk count."""
    return date.fromordinal(day.toordinal() - 30)
