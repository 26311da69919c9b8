"""Logs: lines for machines in production, for people elsewhere, and never the values of a crash.

A traceback is kept without the local variables of its frames: they hold names, accounts and identity numbers.
"""

from __future__ import annotations

import logging

import structlog


def configure(*, production: bool) -> None:
    """Set up the log of this process."""
    if production:
        rendered: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    else:
        rendered = [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
