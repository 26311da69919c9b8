"""The pages of the grievances: cases, lodging, answering, the desk, and what anybody may use without an account."""

from __future__ import annotations

from grievances.views import answering as answering
from grievances.views import cases as cases
from grievances.views import counter as counter
from grievances.views import lodging as lodging
from grievances.views import papers as papers
from grievances.views import person_panel as person_panel
from grievances.views.blueprint import blueprint

__all__ = ["blueprint"]
