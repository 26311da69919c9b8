"""The commands of the payments."""

from __future__ import annotations

import click

commands: tuple[click.Command, ...] = ()
