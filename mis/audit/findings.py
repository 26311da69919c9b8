"""What verification has to say: how much it checked, and in a sentence each, what is not as it was recorded."""

from __future__ import annotations

from dataclasses import dataclass, field

# Who changes a whole table makes a million findings; the first thousand tell the story, the rest are counted.
FINDINGS_KEPT = 1_000


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was recorded, and where."""

    kind: str
    sentence: str
    entry_id: int | None = None
    seal_id: int | None = None
    table: str | None = None
    row_id: int | None = None


@dataclass
class Report:
    """The result of a verification.

    `head` is the newest seal: noted down outside of the database, it shows if seals are cut off later.
    """

    entries: int = 0
    sealed: int = 0
    unsealed: int = 0
    seals: int = 0
    rows_checked: int = 0
    head: str | None = None
    findings: list[Finding] = field(default_factory=list)
    more_findings: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether everything is as it was recorded."""
        return not self.findings

    def take(self, other: Report) -> None:
        """Add the findings of another report."""
        for finding in other.findings:
            self.find(finding)
        self.more_findings += other.more_findings

    def find(self, finding: Finding) -> None:
        """Add a finding, or count it once there are too many to keep."""
        if len(self.findings) < FINDINGS_KEPT:
            self.findings.append(finding)
        else:
            self.more_findings += 1
