"""Addresses that a form hands back to us: only places of this site are gone to."""

from __future__ import annotations

from urllib.parse import urlsplit


def local(address: str | None) -> str | None:
    """The address if it is a path of this site, or None: a link must not send a user to a stranger's copy of it."""
    if not address or not address.startswith("/") or address.startswith("//"):
        return None
    # Browsers read a backslash as a slash, and leave out line ends and tabs before they look.
    return address if address.isprintable() and "\\" not in address else None


def of_referrer(referrer: str | None, *, host: str) -> str | None:
    """The path of the page of this site that led here; the header is whatever the sender wrote."""
    try:
        parts = urlsplit(referrer or "")
    except ValueError:
        return None
    if parts.netloc != host:
        return None
    return local(f"{parts.path}?{parts.query}" if parts.query else parts.path)
