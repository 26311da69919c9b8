"""The auditor's pages: the trail, entry by entry, the seals, and the verification that anybody can repeat."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from mis import access, audit, calendar
from mis.access import requires
from mis.audit import AuditEntry, AuditSeal, AuditUnsealed
from mis.db import db
from mis.errors import Missing
from mis.web import desk, i18n, shell
from mis.web.desk import Figure
from mis.web.listing import Column, DateFilter, Listing, TextFilter

blueprint = Blueprint("audit", __name__, url_prefix="/audit")

shell.register_menu("oversight", _l("Audit trail"), "audit.trail", "history", "audit:trail:read", 10)


def _subject(entry: AuditEntry) -> str | None:
    return f"{entry.subject_type} {entry.subject_id or ''}".strip() if entry.subject_type else None


trail_list = Listing(
    "audit.trail",
    title=_l("Audit trail"),
    select=lambda: sa.select(AuditEntry).where(access.in_scope(AuditEntry.area_id)),
    key=AuditEntry.id,
    order="-id",
    columns=[
        Column("id", _l("Entry"), lambda entry: entry.id, sort=AuditEntry.id),
        Column("at", _l("When"), lambda entry: entry.at, kind="moment"),
        Column("who", _l("Who"), lambda entry: entry.actor_name),
        Column("via", _l("By way of"), lambda entry: entry.via),
        Column("action", _l("What"), lambda entry: entry.action),
        Column("subject", _l("On what"), _subject),
        Column("rows", _l("Rows"), lambda entry: entry.row_count, kind="number"),
        Column("reason", _l("Why"), lambda entry: entry.reason),
    ],
    filters=[
        TextFilter("who", _l("Who"), lambda value: AuditEntry.actor_name == value),
        TextFilter("action", _l("What"), lambda value: AuditEntry.action == value),
        TextFilter("subject", _l("Record (type)"), lambda value: AuditEntry.subject_type == value),
        TextFilter("number", _l("Record (number)"), lambda value: AuditEntry.subject_id == value),
        DateFilter("since", _l("Since"), lambda day: AuditEntry.at >= calendar.midnight(day)),
    ],
    row_url=lambda entry: url_for("audit.entry", entry_id=entry.id),
    empty_hint=_l("Everything that anybody does is written here."),
    export_permission="audit:trail:read",
)


@blueprint.get("/")
@requires("audit:trail:read")
def trail() -> ResponseReturnValue:
    """All entries, the newest first."""
    newest = db.session.scalar(sa.select(AuditSeal).order_by(AuditSeal.id.desc()).limit(1))
    return render_template(
        "audit/trail.html", listing=trail_list.page(request.args), newest=newest, waiting=_waiting()
    )


@blueprint.get("/entries/<int:entry_id>")
@requires("audit:trail:read")
def entry(entry_id: int) -> ResponseReturnValue:
    """One entry, with every change it records."""
    here = access.in_scope(AuditEntry.area_id)
    found = db.session.scalar(sa.select(AuditEntry).where(AuditEntry.id == entry_id, here))
    if found is None:
        raise Missing(_("There is no such entry."))
    sealed = db.session.get(AuditUnsealed, entry_id) is None
    return render_template("audit/entry.html", entry=found, subject=_subject(found), sealed=sealed)


@blueprint.get("/verify")
@requires("audit:trail:verify")
def verify() -> ResponseReturnValue:
    """Ask for a verification, and show what it found. It only reads: for its minutes, nobody waits to write."""
    head = request.args.get("head", "").strip() or None
    report = audit.verify(expected_head=head) if "head" in request.args else None
    return render_template("audit/verify.html", report=report, head=head or "")


def _waiting() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(AuditUnsealed)) or 0


def _figures() -> list[Figure]:
    return [
        Figure(_l("Entries waiting for their seal"), i18n.number(_waiting()), url_for("audit.trail"), "lock"),
    ]


desk.lay_figures("audit:trail:verify", _figures)
