"""What the language says to the author of a rule: one sentence, its place in the text, and what was probably meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A text that somebody wrote, and where it stands in the rule set ("clause age", "amount")."""

    text: str
    where: str = ""


class RuleError(Exception):
    """A rule that cannot be used. `line` and `column` count from 1; `caret()` shows the place."""

    def __init__(self, message: str, *, source: Source, at: int = 0, hint: str | None = None) -> None:
        before = source.text[:at]
        self.message = message
        self.hint = hint
        self.where = source.where
        self.line = before.count("\n") + 1
        self.column = at - (before.rfind("\n") + 1) + 1
        lines = source.text.split("\n")
        self.text_line = lines[self.line - 1] if self.line <= len(lines) else ""
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The whole refusal on one line."""
        place = f"{self.where + ', ' if self.where else ''}line {self.line}, column {self.column}"
        return f"{place}: {self.message}{' ' + self.hint if self.hint else ''}"

    def caret(self) -> str:
        """The line with a caret under the place; long lines are cut to what surrounds it."""
        start = max(0, self.column - 1 - 60)
        shown = self.text_line[start : start + 100]
        return f"{shown}\n{' ' * (self.column - 1 - start)}^"
