"""The database of the demo: brought to this release, asked whether it is filled, and emptied for a fresh start.

Only two kinds of database are ever emptied: the embedded one in the instance folder, and one whose name says that it is
for a demo. Everything else might be somebody's work.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from mis import acting, audit, migrating
from mis.accounts.models import User
from mis.acting import SYSTEM
from mis.audit import AuditEntry
from mis.db import db, make_engine
from mis.demo import office
from mis.errors import Conflict, Forbidden
from mis.settings import Settings

SEEDED = "demo seeded"
# What an instance leaves behind beside its database and its keys.
_FOLDERS = ("broker", "uploads", "exports", "answers")

State = Literal["empty", "seeded", "interrupted", "foreign"]


def check(settings: Settings) -> None:
    """Refuse to show a demo where real people are paid."""
    if settings.production:
        raise Forbidden(
            "The demo does not run with production settings.", instead="Unset MIS_ENVIRONMENT first."
        )


def state() -> State:
    """What is in the migrated database: nothing, the whole demo, half of it, or somebody else's work."""
    with db.unit_of_work(read_only=True) as session:
        if session.scalar(sa.select(AuditEntry.id).where(AuditEntry.action == SEEDED).limit(1)) is not None:
            return "seeded"
        if office.is_there():
            return "interrupted"
        others = session.scalar(sa.select(User.id).where(User.username != "console").limit(1))
        return "empty" if others is None else "foreign"


def mark_seeded(counts: dict[str, int]) -> None:
    """Remember that the demo is complete, where nobody can take it back."""
    with db.unit_of_work(), acting.acting(SYSTEM):
        audit.record(SEEDED, details=counts)


def may_reset(settings: Settings) -> bool:
    """Whether this database may be emptied: it is the embedded one, or bears “demo” in its name."""
    if settings.database_url == "":
        return True
    name = sa.make_url(settings.effective_database_url).database or ""
    return "demo" in Path(name).name.casefold()


def reset(settings: Settings) -> None:
    """Empty the database and the folders of the instance. Raises Forbidden for a database that is not a demo's."""
    if not may_reset(settings):
        raise Forbidden(
            "This database is not emptied: its name does not say that it is for a demo.",
            instead="Name one with “demo” in its name in MIS_DATABASE_URL, or unset it for the embedded one.",
        )
    db.engine.dispose()
    url = sa.make_url(settings.effective_database_url)
    if url.get_backend_name() == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(f"{url.database}{suffix}").unlink(missing_ok=True)
    else:
        _drop_everything(settings.effective_database_url)
    for name in _FOLDERS:
        shutil.rmtree(settings.instance_path(name), ignore_errors=True)


def upgrade(settings: Settings) -> bool:
    """Bring the database to this release; returns whether there was anything to do."""
    url = settings.effective_database_url
    before = migrating.revision_of(url)
    if before == migrating.newest():
        return False
    migrating.upgrade(url)
    return True


def _drop_everything(url: str) -> None:
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
    except sa.exc.DBAPIError as error:
        raise Conflict(
            f"The database could not be emptied: {str(error.orig).strip().splitlines()[0]}.",
            instead="Let its owner do it.",
        ) from None
    finally:
        engine.dispose()
