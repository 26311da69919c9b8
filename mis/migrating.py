"""Bringing a database to the present schema, and asking whether it is there."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from mis.db import make_engine
from mis.paths import migrations_dir
from mis.schema import metadata


def configuration(url: str) -> Config:
    """Alembic's configuration for the database at `url`, without a file."""
    config = Config()
    config.set_main_option("script_location", str(migrations_dir()))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Apply all migrations that the database has not seen."""
    command.upgrade(configuration(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Go back to an earlier revision."""
    command.downgrade(configuration(url), revision)


def revision_of(url: str) -> str | None:
    """The revision that the database is at; None for an empty one."""
    engine = make_engine(url)
    with engine.connect() as connection:
        revision: str | None = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return revision


def newest() -> str:
    """The revision that this release wants."""
    head = ScriptDirectory.from_config(configuration("")).get_current_head()
    assert head is not None
    return head


def differences(url: str) -> list[object]:
    """What the tables of the database lack or have too much, against the models of this release."""
    engine = make_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        found = list(compare_metadata(context, metadata))
    engine.dispose()
    return found
