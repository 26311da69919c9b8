"""The pages of the registry."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from mis.web import desk
from mis.web.shell import register_menu
from registry import tasks
from registry.views import areas, dashboard, households, imports, persons
from registry.views.blueprint import blueprint

register_menu("registry", _l("Persons"), "registry.persons", "users", persons.READ, 10)
register_menu("registry", _l("Households"), "registry.households", "home-2", households.READ, 20)
register_menu("registry", _l("Lists"), "registry.imports", "file-import", imports.READ, 30)
register_menu("registry", _l("Areas"), "registry.areas", "map-pin", areas.READ, 40)

desk.lay_waiting(imports.ACCEPT, dashboard.waiting_lists)
desk.lay_figures(persons.READ, dashboard.person_figures)
desk.lay_figures(households.READ, dashboard.household_figures)
desk.lay_charts(persons.READ, dashboard.people_chart)
desk.lay_finder(persons.READ, dashboard.find_persons)
desk.lay_finder(households.READ, dashboard.find_households)

__all__ = ["blueprint", "tasks"]
