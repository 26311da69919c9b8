"""The second factor: six digits that a telephone computes, each taken once; and recovery codes on paper.

The shared secret is sealed to the row of its user. A new one counts only after its first code has been typed: a
picture that was never scanned must not lock anybody out.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime

import pyotp
import segno
import sqlalchemy as sa

from mis import audit, sealed
from mis.accounts.models import RecoveryCode, User
from mis.db import db
from mis.errors import Conflict, Invalid

ISSUER = "Social protection MIS"
STEP_SECONDS = 30
# One step of tolerance each way: telephones and servers disagree by seconds.
TOLERANCE = 1
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """A secret to be scanned."""
    return pyotp.random_base32()


def picture(user: User, secret: str) -> str:
    """The secret as a QR code, in an address that an <img> can show without asking the server again."""
    address = pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER)
    drawn = segno.make(address, error="m")
    return str(drawn.svg_data_uri(scale=5, border=4, light="#ffffff"))


def enrol(user: User, secret: str, code: str, *, at: datetime) -> list[str]:
    """Take the secret for the user, once its first code is right. Returns new recovery codes, to be shown once."""
    if user.totp_confirmed_at is not None:
        raise Conflict(
            "Your second factor is set up already.", instead="Switch it off first to set up another one."
        )
    step = _step_of(secret, code, at)
    if step is None:
        raise Invalid(
            "This code is not right. Type the six digits that the telephone shows now.", field="code"
        )
    user.totp_sealed = sealed.seal(secret, table=User.__tablename__, column="totp", uid=user.uid)
    user.totp_confirmed_at, user.totp_last_step = at, step
    codes = _new_recovery_codes(user)
    audit.record("second factor set up", user)
    return codes


def remove(user: User) -> None:
    """Take the second factor away: by the user, or by an administrator when the telephone is lost."""
    user.totp_sealed, user.totp_confirmed_at, user.totp_last_step = None, None, None
    with audit.unaudited("the second factor has an entry of its own"):
        db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    audit.record("second factor removed", user)


def accept(user: User, code: str, *, at: datetime) -> bool:
    """Whether the code, or a recovery code, is right and was not used before; it is used now."""
    assert user.totp_sealed is not None
    secret = sealed.open_(user.totp_sealed, table=User.__tablename__, column="totp", uid=user.uid)
    step = _step_of(secret, code, at)
    if step is None:
        return _use_recovery_code(user, code, at)
    # Compared and set in one statement: of two who send the same code, one is too late.
    unused = sa.or_(User.totp_last_step.is_(None), User.totp_last_step < step)
    with audit.unaudited("the sign-in has an entry of its own"):
        taken = db.session.execute(
            sa.update(User.__table__).where(User.id == user.id, unused).values(totp_last_step=step)  # type: ignore[arg-type]
        )
    return bool(taken.rowcount)  # type: ignore[attr-defined]


def codes_left(user: User) -> int:
    """How many recovery codes the user has left."""
    unused = sa.select(sa.func.count()).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    return db.session.scalar(unused) or 0


def _step_of(secret: str, code: str, at: datetime) -> int | None:
    """The time step whose code this is, near the moment; None if it is no such code."""
    digits = "".join(code.split())
    totp, now = pyotp.TOTP(secret, interval=STEP_SECONDS), int(at.timestamp()) // STEP_SECONDS
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if hmac.compare_digest(totp.at(step * STEP_SECONDS).encode(), digits.encode()):
            return step
    return None


def _new_recovery_codes(user: User) -> list[str]:
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    db.session.add_all([RecoveryCode(user_id=user.id, code_hash=_code_hash(user, code)) for code in codes])
    db.session.flush()
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _use_recovery_code(user: User, code: str, at: datetime) -> bool:
    this = sa.update(RecoveryCode.__table__).where(  # type: ignore[arg-type]
        RecoveryCode.user_id == user.id,
        RecoveryCode.used_at.is_(None),
        RecoveryCode.code_hash == _code_hash(user, code),
    )
    with audit.unaudited("the recovery code has an entry of its own"):
        used = bool(db.session.execute(this.values(used_at=at)).rowcount)  # type: ignore[attr-defined]
    if used:
        audit.record("recovery code used", user)
    return used


def _code_hash(user: User, code: str) -> str:
    # Fifty random bits under a secret key: a slow hash would add nothing.
    return sealed.blind(sealed.compact(code).replace("-", ""), purpose=f"recovery code of {user.uid}")
