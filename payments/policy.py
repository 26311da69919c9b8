"""How a scheme is paid: `config/payments.toml`, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from mis.paths import config_dir

CASH = "cash"


@dataclass(frozen=True)
class Policy:
    """What holds for the payments of one scheme."""

    default_channel: str
    purpose: str

    @property
    def pays_cash(self) -> bool:
        """Whether somebody without a confirmed account is paid in cash at the pay point."""
        return self.default_channel == CASH


def policy_of(scheme_code: str) -> Policy:
    """The policy of a scheme: what the file says for all, unless it says otherwise for this one."""
    said = _file()
    own = said.get("schemes", {}).get(scheme_code, {})
    return Policy(**{name: own.get(name, said[name]) for name in ("default_channel", "purpose")})


def payer() -> dict[str, str]:
    """Who pays, for the header of the files."""
    return dict(_file()["payer"])


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads((config_dir() / "payments.toml").read_text(encoding="utf-8"))
