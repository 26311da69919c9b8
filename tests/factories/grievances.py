"""Grievances for tests: valid by default, with traits in the words of the office.

They are made in the running unit of work (the `work` fixture), and flushed. What has gone through steps is made by the
process functions themselves, in `tests.grievances`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import factory
from factory.alchemy import SQLAlchemyModelFactory

from grievances.models import Grievance
from mis.accounts import passwords
from mis.db import db
from tests.factories.registry import PersonFactory

MONDAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WORD = "abcd-2345"


class GrievanceFactory(SQLAlchemyModelFactory):
    """A payment not received, of a person with a name, lodged on a Monday at the office."""

    class Meta:
        model = Grievance
        sqlalchemy_session_factory = lambda: db.session  # noqa: E731
        sqlalchemy_session_persistence = "flush"

    class Params:
        about = factory.SubFactory(PersonFactory)
        nameless = factory.Trait(anonymous=True, complainant_name=None)
        against_staff = factory.Trait(category="staff_conduct", sensitive=True)
        in_general = factory.Trait(about=None, person_id=None)

    category = "payment_not_received"
    channel = "office"
    description = "The payment of February has not come."
    complainant_name = "Awa Diallo"
    word_hash = factory.LazyFunction(lambda: passwords.hashed(WORD.replace("-", "")))
    person_id = factory.LazyAttribute(lambda one: one.about.id)
    area_id = factory.LazyAttribute(lambda one: one.about.area_id)
    received_on = MONDAY
    acknowledge_by = date(2026, 3, 4)
    due_on = date(2026, 3, 16)
    lodged_at = AT
