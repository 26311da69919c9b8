"""The commands of the registry."""

from __future__ import annotations

import click

commands: tuple[click.Command, ...] = ()
