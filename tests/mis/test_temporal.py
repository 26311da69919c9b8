"""Versions hold on half-open ranges of days, and no two of the same thing hold on one day."""

from __future__ import annotations

from datetime import date
from threading import Thread

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from mis import temporal
from mis.db import db
from mis.errors import Invalid
from tests.mis.tampering import Version

pytestmark = pytest.mark.usefixtures("ground")

NEW_YEAR, SUMMER = date(2020, 1, 1), date(2020, 7, 1)


def version(start: date, end: date | None = None, *, code: str = "a", status: str = "published") -> Version:
    return Version(code=code, status=status, valid_from=start, valid_to=end)


def keep(*versions: Version) -> None:
    with db.unit_of_work() as session:
        for one in versions:
            session.add(one)
            session.flush()


@pytest.mark.parametrize(
    ("day", "holds"),
    [(date(2019, 12, 31), False), (NEW_YEAR, True), (date(2020, 6, 30), True), (SUMMER, False)],
)
def test_a_version_holds_from_its_first_day_up_to_but_without_its_last(day, holds):
    one = version(NEW_YEAR, SUMMER)
    keep(one)
    assert one.is_in_force(day) is holds
    with db.unit_of_work(read_only=True) as session:
        assert (
            session.scalar(sa.select(Version.id).where(temporal.in_force(Version, day))) is not None
        ) is holds


def test_a_version_without_an_end_still_holds():
    one = version(NEW_YEAR)
    keep(one)
    assert one.is_in_force(date(2999, 1, 1))
    with db.unit_of_work(read_only=True) as session:
        assert session.scalar(sa.select(Version.id).where(temporal.in_force(Version, date(2999, 1, 1))))


def test_the_next_version_may_begin_on_the_day_the_last_one_ends():
    keep(version(NEW_YEAR, SUMMER), version(SUMMER))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (version(NEW_YEAR), version(SUMMER)),
        (version(SUMMER), version(NEW_YEAR)),
        (version(NEW_YEAR, date(2021, 1, 1)), version(SUMMER, date(2020, 8, 1))),
        (version(SUMMER, date(2020, 8, 1)), version(NEW_YEAR, date(2020, 7, 2))),
    ],
    ids=["open ends", "open ends, earlier", "inside", "one day"],
)
def test_no_two_versions_are_in_force_on_one_day(first, second):
    with pytest.raises(IntegrityError, match="no_two_test_version_in_force"):
        keep(first, second)


def test_versions_of_other_things_and_drafts_do_not_clash():
    keep(version(NEW_YEAR), version(NEW_YEAR, code="b"), version(NEW_YEAR, status="draft"))


def test_a_draft_cannot_be_published_over_a_version_in_force():
    keep(version(NEW_YEAR), draft := version(SUMMER, status="draft"))
    with pytest.raises(IntegrityError, match="no_two_test_version_in_force"), db.unit_of_work() as session:
        session.get_one(Version, draft.id).status = "published"


def test_a_version_may_be_ended_for_the_next_one():
    keep(one := version(NEW_YEAR))
    with db.unit_of_work() as session:
        session.get_one(Version, one.id).end(SUMMER)
        session.flush()
        session.add(version(SUMMER))


def test_a_version_cannot_end_before_it_began():
    with pytest.raises(Invalid) as refusal:
        version(SUMMER).end(SUMMER)
    assert refusal.value.field == "valid_to"
    with pytest.raises(IntegrityError, match="valid_to_is_after_valid_from"):
        keep(version(SUMMER, NEW_YEAR))


def test_two_who_publish_at_once_do_not_both_succeed():
    refused: list[str] = []

    def publish() -> None:
        try:
            keep(version(NEW_YEAR))
        except IntegrityError as error:
            refused.append(str(error.orig))

    threads = [Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 3
    with db.unit_of_work(read_only=True) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Version)) == 1


def test_the_rule_can_be_taken_back():
    with db.engine.begin() as connection:
        for statement in temporal.drop_no_two_in_force_ddl("test_version", db.dialect):
            connection.exec_driver_sql(statement)
    keep(version(NEW_YEAR), version(NEW_YEAR))
