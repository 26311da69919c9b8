"""Tables that only tests of the ground use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from mis.db import db
from tests.mis.tampering import MODELS


@pytest.fixture
def ground(app: Flask) -> Iterator[None]:
    """An empty database with the tables of the tests beside the system's own."""
    for model in MODELS:
        model.__table__.create(db.engine)
    yield
    for model in MODELS:
        model.__table__.drop(db.engine)
