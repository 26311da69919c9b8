"""Names are kept as people write them, and searched for without accents, capitals and the order of their parts."""

from __future__ import annotations

import unicodedata

from mis.errors import Invalid

LONGEST = 200


def clean(text: str | None, *, field: str | None = None) -> str | None:
    """A text as it is stored: NFC, single spaces, nothing unprintable; None if nothing is left.

    Raises Invalid with the field for one that is too long or holds control characters.
    """
    if text is None:
        return None
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if len(text) > LONGEST:
        raise Invalid(f"This is too long: at most {LONGEST} characters.", field=field)
    if not text.isprintable():
        raise Invalid("This holds a character that cannot be stored.", field=field)
    return text or None


def fold(*parts: str | None) -> str:
    """What is searched: the parts in order, without accents, case, apostrophes and hyphens."""
    text = " ".join(part for part in parts if part)
    if text.isascii():
        # Most names are: they need no table of accents.
        text = text.lower()
    else:
        plain = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(character for character in plain if not unicodedata.combining(character))
        text = text.replace("đ", "d").replace("ł", "l").replace("ø", "o").replace("’", "")
    return " ".join(text.replace("'", "").replace("-", " ").split())
