"""Refusals: what the domain says to a person who can do something about it.

Each refusal is a sentence, with the form field (or file column) it belongs to and, where there is one, what can be
done instead. Everything that is not a refusal is a bug and crashes.
"""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):
    """The domain said no, in a sentence the user can act on.

    `status` is the HTTP status of the web shell; the command line exits with 1 for every refusal.
    """

    status: ClassVar[int] = 422

    def __init__(self, sentence: str, *, field: str | None = None, instead: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.instead = instead

    def __str__(self) -> str:
        return f"{self.sentence} {self.instead}" if self.instead else self.sentence


class Invalid(Refusal):
    """What was given cannot be used as it is (HTTP 422)."""

    status = 422


class Forbidden(Refusal):
    """This person may not do this here (HTTP 403); the refusal itself is audited."""

    status = 403


class Missing(Refusal):
    """There is no such record, or it lies outside the areas of the person who asks (HTTP 404)."""

    status = 404


class Conflict(Refusal):
    """The record is in another state than this needs (HTTP 409); `instead` says what can be done now."""

    status = 409
