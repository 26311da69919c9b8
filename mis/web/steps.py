"""The buttons of a record: the steps of its lifecycle that the one who looks may take, and why he or she may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from mis.states import HasLifecycle, Step


@dataclass(frozen=True)
class Button:
    """What `macros/states.html` draws for one step."""

    name: str
    label: str
    url: str
    version: int
    tone: str | None = None
    confirm: str | None = None
    needs_reason: bool = False
    refusal: str | None = None


def buttons(
    record: HasLifecycle,
    url: Callable[[str], str],
    *,
    leave_out: tuple[str, ...] = (),
    confirm: dict[str, Any] | None = None,
) -> list[Button]:
    """The buttons of a record; `url(step)` says where each is sent, `confirm` holds a question for some of them.

    `leave_out` names steps that pages of their own, or jobs, take.
    """
    questions = confirm or {}
    return [
        _button(
            offer.step,
            record,
            url(offer.step.name),
            refusal=offer.refusal,
            question=questions.get(offer.step.name),
        )
        for offer in record.lifecycle.offers(record)
        if offer.step.name not in leave_out
    ]


def _button(step: Step, record: HasLifecycle, url: str, *, refusal: str | None, question: Any) -> Button:
    return Button(
        name=step.name,
        label=_(step.label),
        url=url,
        version=record.version,
        tone="danger" if step.danger else "primary" if step.four_eyes or step.submits else None,
        confirm=question or (_("Are you sure?") if step.danger else None),
        needs_reason=step.reason == "required",
        refusal=refusal,
    )
