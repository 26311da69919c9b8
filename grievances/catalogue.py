"""What `config/grievances.toml` says: categories with their deadlines, channels, findings, remedies, the appeal."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from grievances.models import FINDINGS, REMEDIES
from mis.errors import Invalid
from mis.paths import config_dir


@dataclass(frozen=True)
class Category:
    """What a grievance is about; days are working days from its reception."""

    code: str
    label: str
    acknowledge_days: int
    resolve_days: int
    remedies: tuple[str, ...]
    sensitive: bool = False
    public: bool = True
    lodged_directly: bool = True


@dataclass(frozen=True)
class Appeal:
    """How an answer is appealed: within how many working days, to whom, where, and what comes after."""

    days: int
    authority: str
    where: str
    beyond: str


@dataclass(frozen=True)
class Catalogue:
    """The whole file."""

    categories: dict[str, Category]
    channels: dict[str, str]
    findings: dict[str, str]
    remedies: dict[str, str]
    appeal: Appeal
    lodgings_per_hour: int
    lookups_per_hour: int

    def category(self, code: str) -> Category:
        """A category that can be lodged. Raises Invalid for any other code."""
        found = self.categories.get(code)
        if found is None or not found.lodged_directly:
            known = ", ".join(one.code for one in self.categories.values() if one.lodged_directly)
            raise Invalid(f"There is no category “{code[:40]}”. There are: {known}.", field="category")
        return found

    def channel(self, code: str) -> str:
        """A channel. Raises Invalid for any other code."""
        if code not in self.channels:
            raise Invalid(
                f"There is no channel “{code[:40]}”. There are: {', '.join(self.channels)}.", field="channel"
            )
        return code


@cache
def catalogue() -> Catalogue:
    """Read the file; what is wrong in it stops the start."""
    data = tomllib.loads((config_dir() / "grievances.toml").read_text(encoding="utf-8"))
    categories = {
        code: Category(code=code, **{**entry, "remedies": tuple(entry["remedies"])})
        for code, entry in data["categories"].items()
    }
    for one in categories.values():
        assert 0 < one.acknowledge_days <= one.resolve_days, one
        assert set(one.remedies) < set(REMEDIES), one
    assert tuple(data["findings"]) == FINDINGS and tuple(data["remedies"]) == REMEDIES
    return Catalogue(
        categories=categories,
        channels=data["channels"],
        findings=data["findings"],
        remedies=data["remedies"],
        appeal=Appeal(**data["appeal"]),
        lodgings_per_hour=data["public"]["lodgings_per_hour"],
        lookups_per_hour=data["public"]["lookups_per_hour"],
    )
