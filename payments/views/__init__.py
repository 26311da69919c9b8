"""The pages of the payments: their table of contents."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from mis.web import desk
from mis.web.shell import register_menu
from payments import accounts as accounts_kept
from payments import answers, disbursement, exceptions, payroll
from payments.views import accounts, cycles, dashboard, exception_list, holds, lists, panels
from payments.views.blueprint import blueprint
from registry.views.panels import add_panel

register_menu("payments", _l("Cycles"), "payments.cycles", "calendar-event", cycles.READ, 10)
register_menu("payments", _l("Payments"), "payments.payments", "cash", lists.READ, 20)
register_menu("payments", _l("Not paid, and why"), "payments.not_paid", "clipboard-list", lists.READ, 30)
register_menu("payments", _l("Exceptions"), "payments.exceptions", "alert-triangle", exception_list.READ, 40)
register_menu("payments", _l("Holds"), "payments.holds", "player-pause", holds.READ, 50)
register_menu("payments", _l("Accounts"), "payments.accounts", "credit-card", accounts.READ, 60)

desk.lay_waiting(cycles.APPROVE, dashboard.cycles_to_approve)
desk.lay_waiting(disbursement.EXPORT, dashboard.cycles_to_export)
desk.lay_waiting(answers.RECONCILE, dashboard.cycles_to_finish)
desk.lay_waiting(exceptions.RESOLVE, dashboard.open_exceptions)
desk.lay_waiting(accounts_kept.CONFIRM, dashboard.accounts_to_confirm)
desk.lay_figures(cycles.READ, dashboard.figures)
desk.lay_figures(holds.READ, dashboard.hold_figures)
desk.lay_charts(cycles.READ, dashboard.paid_chart)
desk.lay_finder(cycles.READ, dashboard.find_payments)

add_panel(cycles.READ, panels.of_person)

# The kinds of background work live in these; the worker knows them because the pages do.
__all__ = ["answers", "blueprint", "payroll"]
