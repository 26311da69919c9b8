"""Sealed columns: identity numbers, accounts and phones are stored so that the database alone gives nothing away.

A value is encrypted with AES-GCM and bound to its row: moved to another row, column or table, it no longer opens. An
HMAC of the value (the blind index) makes it possible to look it up without opening anything; the last characters are
kept readable, so that a person can recognise a number on the screen. Opening one is logged.

    class IdentityNumber(Base):
        uid: Mapped[str] = sealed.row_uid()
        number_sealed: Mapped[bytes]
        number_blind: Mapped[str] = mapped_column(index=True)
        number_hint: Mapped[str]
        number = sealed.Sealed("number", normalise=without_spaces)
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, overload
from uuid import uuid4

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session, mapped_column

from mis import audit
from mis.audit.signing import derive
from mis.db import Base
from mis.errors import Invalid

_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_PREFIX_BYTES = len(_VERSION) + _KEY_ID_BYTES


class Tampered(Exception):
    """A sealed value does not open where it stands: it was changed, moved, or its key is not in the key ring."""


@dataclass(frozen=True)
class _Key:
    prefix: bytes
    cipher: AESGCM
    blind: bytes


_ring: list[_Key] = []


def configure(keys: tuple[bytes, ...]) -> None:
    """Take the sealing keys of the settings, for sealed columns and for the audit trail. The first one seals."""
    assert keys and all(len(key) == 32 for key in keys), "Sealing keys are 32 bytes each."
    _ring[:] = [_derived(key) for key in keys]
    audit.configure(keys)


def _derived(key: bytes) -> _Key:
    cipher_key = derive(key, b"mis sealed columns")
    # The id is a hash of the key: the same key keeps its id, wherever it stands in the ring.
    key_id = sha256(b"mis key id" + cipher_key).digest()[:_KEY_ID_BYTES]
    return _Key(_VERSION + key_id, AESGCM(cipher_key), derive(key, b"mis blind index"))


def _keys() -> list[_Key]:
    assert _ring, "sealed.configure(settings.effective_sealing_keys) was not called"
    return _ring


def row_uid() -> Any:
    """The column that names a row to its sealed values: random, so it is known before the row has a number."""
    return mapped_column(sa.Text(), default=_new_uid, unique=True, nullable=False)


def _new_uid() -> str:
    return uuid4().hex


def seal(text: str, *, table: str, column: str, uid: str) -> bytes:
    """Encrypt a text for one column of one row."""
    key, nonce = _keys()[0], os.urandom(_NONCE_BYTES)
    return key.prefix + nonce + key.cipher.encrypt(nonce, text.encode(), _place(table, column, uid))


def open_(box: bytes, *, table: str, column: str, uid: str) -> str:
    """Decrypt a sealed value. Raises Tampered if it does not belong to this column of this row."""
    prefix, rest = box[:_PREFIX_BYTES], box[_PREFIX_BYTES:]
    nonce, content = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
    for key in _keys():
        if key.prefix == prefix:
            try:
                return key.cipher.decrypt(nonce, content, _place(table, column, uid)).decode()
            except (InvalidTag, ValueError):
                break
    else:
        raise Tampered(
            f"{table}.{column} of row {uid} was sealed with a key that this deployment does not have."
        )
    raise Tampered(f"{table}.{column} of row {uid} was changed, or moved here from another row.")


def _place(table: str, column: str, uid: str) -> bytes:
    assert uid, f"A row of {table} needs its uid before {column} can be sealed"
    return "\x1f".join((table, column, uid)).encode()


def blind(text: str, *, purpose: str) -> str:
    """The look-up code of a text: equal for equal texts, and useless without the key."""
    return _blind(_keys()[0], text, purpose)


def blinds(text: str, *, purpose: str) -> list[str]:
    """The look-up codes of a text under every key: during a rotation, rows of both kinds must be found."""
    return [_blind(key, text, purpose) for key in _keys()]


def _blind(key: _Key, text: str, purpose: str) -> str:
    return hmac.digest(key.blind, f"{purpose}\x1f{text}".encode(), "sha256").hex()


def mask(text: str) -> str:
    """What may be shown of a text: the last four characters at most, and never more than a third."""
    shown = min(4, len(text) // 3)
    return f"•••• {text[-shown:]}" if shown else "••••"


def _stripped(text: str) -> str:
    return text.strip()


def compact(text: str) -> str:
    """A number without the spaces, dots and dashes that people write into it, in capitals."""
    return "".join(character for character in text.upper() if character.isalnum() or character == "+")


class Sealed:
    """A plain attribute over the columns `<name>_sealed`, `<name>_blind` and `<name>_hint` of a model with a `uid`.

    Equal values share a look-up code wherever `purpose` is the same, by default the attribute's name.
    """

    def __init__(
        self, name: str, *, normalise: Callable[[str], str] = _stripped, purpose: str | None = None
    ) -> None:
        self.name = name
        self.normalise = normalise
        self.purpose = purpose or name

    @overload
    def __get__(self, record: None, model: type) -> Sealed: ...
    @overload
    def __get__(self, record: Base, model: type) -> str | None: ...
    def __get__(self, record: Base | None, model: type) -> Sealed | str | None:
        if record is None:
            return self
        box: bytes | None = getattr(record, f"{self.name}_sealed")
        return None if box is None else open_(box, **self._place(record))

    def __set__(self, record: Base, value: str | None) -> None:
        text = self.normalise(value) or None if value is not None else None
        if text is not None and getattr(record, "uid", None) is None:
            record.uid = _new_uid()  # type: ignore[attr-defined]
        for column, content in self.columns(text, **self._place(record)).items():
            setattr(record, column, content)

    def columns(self, text: str | None, *, table: str, column: str, uid: str) -> dict[str, Any]:
        """The values of the three columns for a normalised text; for set-based writes."""
        return {
            f"{self.name}_sealed": None if text is None else seal(text, table=table, column=column, uid=uid),
            f"{self.name}_blind": None if text is None else blind(text, purpose=self.purpose),
            f"{self.name}_hint": None if text is None else mask(text),
        }

    def _place(self, record: Base) -> dict[str, str]:
        return {"table": record.__tablename__, "column": self.name, "uid": record.uid}  # type: ignore[attr-defined]


def columns_of(model: type[Base]) -> list[Sealed]:
    """The sealed attributes of a model."""
    return [value for parent in model.__mro__ for value in vars(parent).values() if isinstance(value, Sealed)]


def matching(model: type[Base], name: str, text: str) -> sa.ColumnElement[bool]:
    """The criterion for rows whose sealed attribute equals the text, found by blind index alone."""
    (column,) = (column for column in columns_of(model) if column.name == name)
    blind_column: sa.ColumnElement[str] = getattr(model, f"{name}_blind")
    return blind_column.in_(blinds(column.normalise(text), purpose=column.purpose))


def reveal(record: Base, name: str, *, purpose: str) -> str:
    """Open a sealed attribute for a person, who says what for; the audit trail keeps who looked, and why."""
    if not purpose.strip():
        raise Invalid("Say what you need the full number for.", field="purpose")
    text = getattr(record, name)
    audit.record("sealed.reveal", record, details={"column": name, "purpose": purpose.strip()})
    return text or ""


def reseal(session: Session, model: type[Base], *, limit: int = 1000) -> int:
    """Seal up to `limit` rows anew that an earlier key sealed; returns how many, 0 once the rotation is complete."""
    table = sa.inspect(model).local_table
    assert isinstance(table, sa.Table)
    return sum(_reseal_column(session, table, column, limit) for column in columns_of(model))


def _reseal_column(session: Session, table: sa.Table, column: Sealed, limit: int) -> int:
    box, (key,) = table.c[f"{column.name}_sealed"], table.primary_key.columns
    sealed_earlier = sa.func.substr(box, 1, _PREFIX_BYTES, type_=sa.LargeBinary()) != _keys()[0].prefix
    rows = session.execute(
        sa.select(key, table.c.uid, box).where(box.is_not(None), sealed_earlier).order_by(key).limit(limit)
    ).all()
    if not rows:
        return 0
    changes = []
    for number, uid, old in rows:
        place = {"table": table.name, "column": column.name, "uid": uid}
        changes.append({"row": number, **column.columns(open_(old, **place), **place)})
    names = [f"{column.name}_{part}" for part in ("sealed", "blind", "hint")]
    statement = table.update().where(key == sa.bindparam("row")).values({n: sa.bindparam(n) for n in names})
    with audit.unaudited("the values stay the same; one entry names the range"):
        session.connection().execute(statement, changes)
    audit.record(
        "sealed.reseal",
        details={
            "table": table.name,
            "column": column.name,
            "rows": len(rows),
            "keys": [rows[0][0], rows[-1][0]],
        },
    )
    return len(rows)
