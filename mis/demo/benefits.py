"""The benefits of the demo: three schemes, rules published by two administrators, everybody assessed and enrolled."""

from __future__ import annotations

from datetime import date, datetime

from eligibility import publishing
from mis.demo import office
from mis.paths import config_dir

PENSION, CHILD_GRANT, DISABILITY = "OAP", "CHG", "DIS"
SCHEMES = (PENSION, CHILD_GRANT, DISABILITY)


def publish_rules(*, day: date, at: datetime) -> list[str]:
    """Load every shipped scheme, submit it, and let the second administrator publish it; returns the codes."""
    codes = []
    for path in sorted((config_dir() / "schemes").glob("*.yaml")):
        with office.at_work(office.DRAFTER, "eligibility:ruleset:draft", day=day):
            drafted = publishing.load(path.read_text(encoding="utf-8"), at=at).rule_set
            publishing.submit(drafted)
            code = drafted.scheme.code
        with office.at_work(office.PUBLISHER, "eligibility:ruleset:publish", day=day):
            publishing.publish(publishing.waiting_for(publishing.scheme_coded(code), "publish"))
        codes.append(code)
    return codes
