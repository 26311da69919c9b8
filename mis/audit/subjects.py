"""What a model says of itself to the audit trail.

`__audit__ = False` exempts it (with the reason beside it); `__sealed__ = True` makes its rows decisions that are
verified for ever; `__sealed_columns__` names the columns that are the decision, by default all of them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper

from mis.db import Base

_HIDDEN_ENDINGS = ("_sealed", "_blind", "_hash", "_secret", "password", "nonce")


def mapper_of(instance: object) -> Mapper[Any]:
    """The mapper of a record."""
    mapper: Mapper[Any] = sa.inspect(type(instance))
    return mapper


def table_of(model: type[Any]) -> sa.Table:
    """The table of a model."""
    table = sa.inspect(model).local_table
    assert isinstance(table, sa.Table), model
    return table


def is_audited(model: type) -> bool:
    """Whether the session records what it does to this model."""
    return bool(getattr(model, "__audit__", True))


def is_sealed(model: type) -> bool:
    """Whether rows of this model are verified against the trail."""
    return bool(getattr(model, "__sealed__", False))


def sealed_columns(model: type) -> tuple[str, ...]:
    """The columns that are hashed, in the order of the table."""
    table = table_of(model)
    named = getattr(model, "__sealed_columns__", None)
    names = tuple(column.name for column in table.columns if named is None or column.name in named)
    assert named is None or len(names) == len(set(named)), (
        f"{model.__name__}.__sealed_columns__ names no such column"
    )
    return names


def model_of(table_name: str) -> type[Base] | None:
    """The model stored in a table, if there is one."""
    return _models(len(Base.registry.mappers)).get(table_name)


@cache
def _models(_count: int) -> dict[str, type[Base]]:
    # Keyed by how many models there are: those imported later are seen too.
    return {table_of(mapper.class_).name: mapper.class_ for mapper in Base.registry.mappers}


def hidden(column: sa.Column[Any]) -> bool:
    """Whether the trail may say only that this column changed: sealed values, look-up codes, password hashes."""
    return (
        isinstance(column.type, sa.LargeBinary)
        or column.name.endswith(_HIDDEN_ENDINGS)
        or bool(column.info.get("secret"))
    )


def key_text(instance: object) -> str:
    """The primary key of a record as text."""
    return "/".join(str(part) for part in mapper_of(instance).primary_key_from_instance(instance))
