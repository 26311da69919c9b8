"""The commands of the eligibility."""

from __future__ import annotations

import click

commands: tuple[click.Command, ...] = ()
