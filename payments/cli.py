"""mis cycle …: a payment cycle from its opening to its closing, from the command line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from mis.calendar import Month, now, today
from mis.commands import DAY, MONTH, Shown, Work, as_text, command
from mis.db import db, plain
from mis.errors import Invalid
from payments import (
    answers,
    approval,
    carrying,
    disbursement,
    exceptions,
    filing,
    holds,
    payroll,
    reconciliation,
    scheduling,
    telling,
)
from payments.models import AnswerLine, Cycle
from registry.references import PERSON, parse

PREPARE, APPROVE, READ = scheduling.PREPARE, "payments:cycle:approve", "payments:cycle:read"


@click.group("cycle")
def group() -> None:
    """Payment cycles: one scheme, one month, from the computation to the closing."""


def _cycle_command(
    name: str, *, permission: str, reads: bool = False
) -> Callable[[Callable[..., Any]], click.Command]:
    """A command about the cycle of a scheme and month."""

    def declare(function: Callable[..., Any]) -> click.Command:
        named = click.argument("month", type=MONTH)(function)
        named = click.argument("scheme")(named)
        return command(group, name, permission=permission, reads=reads)(named)

    return declare


@_cycle_command("open", permission=PREPARE)
def open_(scheme: str, month: Month) -> dict[str, Any]:
    """Open the cycle of a scheme for a month (YYYY-MM)."""
    cycle = scheduling.open_cycle(scheduling.scheme_named(scheme), month, at=now())
    return {"cycle": cycle.id, "scheme": cycle.scheme.code, "month": cycle.month, "status": cycle.status}


@_cycle_command("compute", permission=PREPARE)
def compute(scheme: str, month: Month) -> Work:
    """Compute who is due what, and for everybody else why not."""
    job = payroll.begin(scheduling.named(scheme, month))
    return Work(job.id, lambda: telling.told(scheduling.named(scheme, month)))


@_cycle_command("submit", permission=PREPARE)
def submit(scheme: str, month: Month) -> dict[str, Any]:
    """Submit the computed cycle for approval."""
    return telling.told(approval.take(scheduling.named(scheme, month), "submit"))


@_cycle_command("approve", permission=APPROVE)
def approve(scheme: str, month: Month) -> dict[str, Any]:
    """Approve the submitted cycle, as a second person."""
    return telling.told(approval.take(scheduling.named(scheme, month), "approve"))


@_cycle_command("return", permission=APPROVE)
@click.option("--reason", required=True, help="Why it is sent back.")
def return_(scheme: str, month: Month, reason: str) -> dict[str, Any]:
    """Send a submitted or approved cycle back to its makers."""
    return telling.told(approval.take(scheduling.named(scheme, month), "return", reason=reason))


@_cycle_command("abort", permission=PREPARE)
@click.option("--reason", required=True, help="Why nothing is paid by it.")
def abort(scheme: str, month: Month, reason: str) -> dict[str, Any]:
    """Abort a cycle that is not approved."""
    return telling.told(approval.take(scheduling.named(scheme, month), "abort", reason=reason))


@_cycle_command("export", permission=disbursement.EXPORT)
@click.option(
    "--format", "form", type=click.Choice(list(filing.FORMATS)), default="pain001", show_default=True
)
@click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where the file is written."
)
def export(scheme: str, month: Month, form: str, to: Path) -> Any:
    """Make the instructions of an approved cycle, and write the provider's file; later, write the same file again."""
    cycle = scheduling.named(scheme, month)
    if not to.absolute().parent.is_dir():
        raise Invalid(f"There is no folder {to.absolute().parent}.", field="to")
    if cycle.status in ("exported", "reconciled", "closed"):
        return _copied(cycle, form, filing.fetch(cycle, form, to=str(to)), to)
    job = disbursement.begin(cycle, at=now())
    filing.told_in_advance(cycle, form, to=str(to))

    def then() -> dict[str, Any]:
        made = scheduling.named(scheme, month)
        batch = filing.batch_of(made)
        assert batch is not None, made
        return _copied(made, form, filing.path_of(batch, form), to)

    return Work(job.id, then)


def _copied(cycle: Cycle, form: str, source: Path, to: Path) -> dict[str, Any]:
    try:
        shutil.copyfile(source, to)
    except OSError as error:
        raise Invalid(f"{to} cannot be written: {error.strerror}.", field="to") from None
    batch = filing.batch_of(cycle)
    assert batch is not None, cycle
    return telling.told(cycle) | {
        "file": str(to),
        "format": form,
        "sha256": getattr(batch, filing.FORMATS[form][2]),
    }


@_cycle_command("answer", permission=answers.RECONCILE)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--format", "form", type=click.Choice(answers.FORMATS), help="By default, as the file looks.")
def answer(scheme: str, month: Month, file: Path, form: str | None) -> Work:
    """Take in the provider's answer (CSV or pain.002). The same file again changes nothing."""
    received = answers.receive(scheduling.named(scheme, month), file, name=file.name, at=now(), form=form)
    return Work(received.job_id, lambda: _taken(received.file.id, scheme, month, again=received.again))


def _taken(file_id: int, scheme: str, month: Month, *, again: bool) -> dict[str, Any]:
    file = answers.get(file_id)
    cycle = scheduling.named(scheme, month)
    return {
        "file": file.name,
        "again": again,
        "note": "This file was taken in before; nothing has changed." if again else None,
        "lines": sum((file.counts or {}).values()),
        "classes": file.counts,
        "findings": file.findings,
        "states": telling.told(cycle)["states"],
        "exceptions_open": exceptions.open_count(cycle),
    }


@_cycle_command("reconcile", permission=answers.RECONCILE)
def reconcile(scheme: str, month: Month) -> dict[str, Any]:
    """Compare what was sent with what was answered, and store the figures."""
    cycle = scheduling.named(scheme, month)
    reconciliation.reconcile(cycle, at=now())
    return telling.told(scheduling.named(scheme, month))


@_cycle_command("close", permission="payments:cycle:close")
@click.option("--reason", help="A remark for the record.")
def close(scheme: str, month: Month, reason: str | None) -> dict[str, Any]:
    """Close the cycle: nothing may be open any more."""
    cycle = scheduling.named(scheme, month)
    reconciliation.close(cycle, reason=reason)
    return telling.told(scheduling.named(scheme, month))


@_cycle_command("show", permission=READ, reads=True)
def show(scheme: str, month: Month) -> Shown:
    """Status, figures by step, reasons for not paying, states of the payments, tie-out."""
    data = telling.told(scheduling.named(scheme, month))
    return Shown(data, as_text(data))


@_cycle_command("exceptions", permission=READ, reads=True)
def exceptions_(scheme: str, month: Month) -> list[dict[str, Any]]:
    """The lines of answers that wait for a person."""
    waiting = exceptions.of_cycle(scheduling.named(scheme, month)).limit(1000)
    return [_exception(line) for line in db.session.scalars(waiting)]


@command(group, "resolve", permission=exceptions.RESOLVE)
@click.argument("file", type=int)
@click.argument("line", type=int)
@click.option("--note", required=True, help="What was found out.")
def resolve(file: int, line: int, note: str) -> dict[str, Any]:
    """Take one line off the exception list (numbers as `mis cycle exceptions` prints them)."""
    found = exceptions.get(file, line)
    exceptions.resolve(found, note=note, at=now())
    return _exception(found) | {"resolution": found.resolution}


def _exception(line: AnswerLine) -> dict[str, Any]:
    return {
        "file": line.answer_file_id,
        "line": line.line_no,
        "class": line.match,
        "reference": line.end_to_end_id,
        "status": line.raw_status,
        "reason": line.reason,
        "amount_minor": line.amount_minor,
        "problem": line.problem or exceptions.EXPLAINED.get(line.match or ""),
    }


@_cycle_command("carry", permission=PREPARE)
@click.argument("reference")
@click.option("--reason", required=True, help="Why it is to be paid again.")
def carry(scheme: str, month: Month, reference: str, reason: str) -> dict[str, Any]:
    """Let the next cycle pay a rejected payment of this one again (named by its payment reference)."""
    cycle = scheduling.named(scheme, month)
    entitlement = carrying.entitlement_of(cycle, reference)
    asked = carrying.pay_again(entitlement, reason=reason, at=now())
    return {"entitlement": entitlement.id, "month": entitlement.month, "asked_at": plain(asked.asked_at)}


@click.group("hold")
def hold_group() -> None:
    """Holds: no payment to an enrolment while one is live."""


@command(hold_group, "place", permission=holds.PLACE)
@click.argument("person")
@click.argument("scheme")
@click.option("--reason", required=True, help="Why nothing is paid.")
@click.option("--until", type=DAY, help="The last day of the hold; without it, until it is released.")
def place(person: str, scheme: str, reason: str, until: Any) -> dict[str, Any]:
    """Hold the payments to a person (reference number) under a scheme."""
    enrolment = holds.enrolment_of(
        parse(person, kind=PERSON, field="person")[1], scheduling.scheme_named(scheme)
    )
    hold = holds.place(enrolment, reason=reason, day=today(), at=now(), expires_on=until)
    late = [f"{cycle.month}" for cycle in holds.too_late(hold)]
    return {"hold": hold.id, "expires_on": plain(hold.expires_on), "too_late_for": late}


@command(hold_group, "release", permission=holds.RELEASE)
@click.argument("hold", type=int)
@click.option("--reason", required=True, help="Why the payments go on.")
def release(hold: int, reason: str) -> dict[str, Any]:
    """Release a hold; the next cycle pays what it withheld."""
    found = holds.get(hold)
    holds.release(found, reason=reason, at=now())
    return {"hold": hold, "released": True}


@command(group, "list", permission=READ, reads=True)
def list_() -> list[dict[str, Any]]:
    """The newest cycles."""
    newest = sa.select(Cycle).order_by(Cycle.month.desc(), Cycle.id.desc()).limit(100)
    return [
        {"scheme": scheduling.get(cycle.id).scheme.code, "month": cycle.month, "status": cycle.status}
        for cycle in db.session.scalars(newest)
    ]


commands = (group, hold_group)
