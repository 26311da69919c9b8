"""What the web shell stores of its users: the filters they want to find again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from mis.db import Base, primary_key


class SavedFilter(Base):
    """A list's filter that a user wants to find again."""

    __tablename__ = "saved_filter"
    __audit__ = False  # A convenience of one user, without effect on anybody's rights.
    __table_args__ = (sa.UniqueConstraint("user_id", "endpoint", "name"),)

    id: Mapped[int] = primary_key()
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    endpoint: Mapped[str]
    name: Mapped[str]
    query: Mapped[dict[str, Any]]
