"""mis audit verify | show | seal: whether the trail is whole, and what it says."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
import sqlalchemy as sa

from mis import access, audit, settings
from mis.audit import AuditEntry
from mis.commands import Shown, as_text, command
from mis.db import db, plain


@click.group("audit")
def group() -> None:
    """The audit trail: who did what, and the proof that nobody changed it since."""


@command(group, "verify", permission="audit:trail:verify", reads=True)
@click.option(
    "--head", metavar="HEX", help="The head of an earlier report: shows if seals were cut off since."
)
def verify(head: str | None) -> Shown:
    """Recompute every hash, seal and signature; exits with 1 and names each entry or row that is not as recorded."""
    report = audit.verify(expected_head=head)
    answer = asdict(report) | {"clean": report.is_clean}
    lines = [finding.sentence for finding in report.findings]
    if report.more_findings:
        lines.append(f"… and {report.more_findings:,} more.")
    summary = {
        key: answer[key]
        for key in ("entries", "sealed", "unsealed", "seals", "rows_checked", "head", "clean")
    }
    return Shown(answer, "\n".join([*lines, as_text(summary)]), failed=not report.is_clean)


@command(group, "show", permission="audit:trail:read", reads=True)
@click.option("--subject", metavar="TYPE[:ID]", help="Only entries of a record, such as cycle:3.")
@click.option("--user", metavar="NAME", help="Only what this user did.")
@click.option("--limit", type=click.IntRange(1, 10000), default=20, show_default=True)
def show(subject: str | None, user: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest entries of the trail."""
    here = access.in_scope(AuditEntry.area_id)
    query = sa.select(AuditEntry).where(here).order_by(AuditEntry.id.desc()).limit(limit)
    if subject:
        kind, _, key = subject.partition(":")
        query = query.where(AuditEntry.subject_type == kind, *([AuditEntry.subject_id == key] if key else []))
    if user:
        query = query.where(AuditEntry.actor_name == user)
    return [_entry(entry) for entry in db.session.scalars(query)]


@command(group, "seal", permission="audit:trail:seal")
def seal() -> dict[str, int]:
    """Put the entries that wait under a seal now; the worker does so by itself every minute."""
    return {"sealed": audit.seal_pending(limit=settings.current().audit_seal_rows)}


def _entry(entry: AuditEntry) -> dict[str, Any]:
    return {
        "entry": entry.id,
        "at": plain(entry.at),
        "who": entry.actor_name,
        "via": entry.via,
        "action": entry.action,
        "subject": f"{entry.subject_type}:{entry.subject_id}" if entry.subject_type else None,
        "reason": entry.reason,
        "changes": entry.changes,
        "rows": entry.row_count,
        "details": entry.details,
    }


commands = (group,)
