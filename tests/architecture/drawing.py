"""docs/lifecycles is drawn from the code: `make docs` writes it, a test compares it."""

from __future__ import annotations

import mis.schema  # noqa: F401  # every model, and so every lifecycle
from mis.states import Lifecycle, Step
from tests.architecture.sources import ROOT

FOLDER = ROOT / "docs" / "lifecycles"


def page(lifecycle: Lifecycle) -> str:
    """One lifecycle as a page: the drawing, and the table of its steps."""
    rows = "\n".join(_row(lifecycle, step) for step in lifecycle.steps.values())
    return f"""# The lifecycle of {"an" if lifecycle.noun[0] in "aeiou" else "a"} {lifecycle.noun}

Drawn from the code by `make docs`; do not edit.

```mermaid
{lifecycle.diagram()}
```

| step | from | to | permission | |
|---|---|---|---|---|
{rows}
"""


def _row(lifecycle: Lifecycle, step: Step) -> str:
    sources = ", ".join(lifecycle.label(source) for source in step.sources)
    marks = [
        "by a second person" if step.four_eyes else "",
        "fixes the content" if step.submits else "",
        "only of the content that was submitted" if step.bound else "",
        f"reason {step.reason}" if step.reason != "no" else "",
        "begins a new round" if step.new_round else "",
    ]
    remarks = "; ".join(filter(None, marks))
    return f"| {step.label} | {sources} | {lifecycle.label(step.target)} | `{step.permission}` | {remarks} |"


def write() -> None:
    """Write every page anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.md"):
        old.unlink()
    for lifecycle in Lifecycle.known.values():
        (FOLDER / f"{lifecycle.name}.md").write_text(page(lifecycle), encoding="utf-8")


if __name__ == "__main__":
    write()
