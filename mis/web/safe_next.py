"""Addresses that a form hands back to us: only places of this site are gone to."""

from __future__ import annotations

from urllib.parse import urlsplit


def local(address: str | None) -> str | None:
    """The address if it is a path of this site, or None: a link must not send a user to a stranger's copy of it."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")):
        return None
    parts = urlsplit(address)
    return address if not parts.scheme and not parts.netloc and "\\" not in address else None
