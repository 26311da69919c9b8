"""The pages of the eligibility."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from eligibility import tasks
from eligibility.views import dashboard, decisions, enrolments, runs, schemes
from eligibility.views.blueprint import blueprint
from mis.web import desk
from mis.web.shell import register_menu
from registry.views import panels

register_menu("eligibility", _l("Schemes"), "eligibility.schemes", "book", schemes.READ, 10)
register_menu("eligibility", _l("Applicants"), "eligibility.applicants", "user-plus", decisions.READ, 20)
register_menu("eligibility", _l("Assessments"), "eligibility.runs", "scale", runs.READ, 30)
register_menu("eligibility", _l("Decisions"), "eligibility.decisions", "gavel", runs.READ, 40)
register_menu(
    "eligibility", _l("Enrolments"), "eligibility.enrolments", "clipboard-check", enrolments.READ, 50
)

desk.lay_waiting("eligibility:ruleset:publish", dashboard.waiting_rules)
desk.lay_waiting(enrolments.DECIDE, dashboard.waiting_applicants)
desk.lay_figures(enrolments.READ, dashboard.enrolled_figures)
desk.lay_charts(enrolments.READ, dashboard.enrolled_chart)
panels.add_panel(enrolments.READ, enrolments.panel)

__all__ = ["blueprint", "tasks"]
