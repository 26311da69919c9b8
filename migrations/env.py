"""Alembic's way into this system: the address comes from the caller, the tables from every package."""

from alembic import context

from mis.db import make_engine
from mis.schema import metadata

engine = make_engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=False,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            # A migration that must wait for a lock gives up instead of stopping the country's payments.
            connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        context.run_migrations()
    connection.commit()
engine.dispose()
