"""The keys of the audit trail: derived from the sealing keys of the deployment, never stored in the database.

Every entry carries a MAC, every seal an Ed25519 signature. The first key writes; retired keys still verify.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


@dataclass(frozen=True)
class _Key:
    mac: bytes
    private: Ed25519PrivateKey
    public: bytes


_ring: list[_Key] = []


def configure(keys: tuple[bytes, ...]) -> None:
    """Take the sealing keys of the settings; `sealed.configure` calls this."""
    assert keys, "At least one sealing key is needed."
    _ring[:] = [_derived(key) for key in keys]


def _derived(key: bytes) -> _Key:
    private = Ed25519PrivateKey.from_private_bytes(derive(key, b"mis audit seal signature"))
    return _Key(derive(key, b"mis audit entry mac"), private, private.public_key().public_bytes_raw())


def derive(key: bytes, info: bytes) -> bytes:
    """A key of 32 bytes for one use, from a key of the deployment."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)


def _first() -> _Key:
    assert _ring, "sealed.configure(settings.effective_sealing_keys) was not called"
    return _ring[0]


def mac(text: bytes) -> str:
    """The MAC of an entry's text."""
    return hmac.digest(_first().mac, text, "sha256").hex()


def mac_is_right(text: bytes, code: str) -> bool:
    """Whether this application, with one of its keys, made the MAC."""
    _first()
    return any(
        hmac.compare_digest(hmac.digest(key.mac, text, "sha256").hex().encode(), code.encode())
        for key in _ring
    )


def sign(head: bytes) -> tuple[bytes, bytes]:
    """The public key, and its signature of a head."""
    key = _first()
    return key.public, key.private.sign(head)


def is_ours(public_key: bytes) -> bool:
    """Whether the public key belongs to one of this deployment's keys: a forger can bring a key of his own."""
    _first()
    return any(key.public == public_key for key in _ring)


def signature_is_right(public_key: bytes, signature: bytes, head: bytes) -> bool:
    """Whether the signature was made with that key over that head."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, head)
    except (InvalidSignature, ValueError):
        return False
    return True
