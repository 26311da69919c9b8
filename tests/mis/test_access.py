"""Place: officers see their areas and below, in every list, count and look-up, and write nowhere else."""

from __future__ import annotations

import os
from contextlib import nullcontext, suppress

import pytest
import sqlalchemy as sa

from mis import access, acting, audit, calendar
from mis.acting import Actor, Grant
from mis.db import MisSession, db
from mis.errors import Forbidden, Invalid
from registry.models import Area, AreaClosure, Household
from tests.conftest import acting_as

READ = "registry:household:read"


@pytest.fixture
def north_and_south(work: MisSession) -> tuple[Area, Area]:
    """A country with two regions, and one household in each."""
    country = Area(code="XX", name="Land", kind="country", level=0)
    north = Area(code="XX-N", name="North", kind="region", level=1, parent=country)
    south = Area(code="XX-S", name="South", kind="region", level=1, parent=country)
    work.add_all([country, north, south])
    work.flush()
    work.add_all(
        AreaClosure(ancestor_id=area.id, descendant_id=area.id, depth=0) for area in (country, north, south)
    )
    work.add_all(
        AreaClosure(ancestor_id=country.id, descendant_id=area.id, depth=1) for area in (north, south)
    )
    work.add_all(
        Household(area_id=area.id, registered_at=calendar.now(), changed_at=calendar.now())
        for area in (north, south)
    )
    work.flush()
    return north, south


def counted() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Household)) or 0


def test_lists_counts_and_look_ups_stop_at_the_area(
    work: MisSession, north_and_south: tuple[Area, Area]
) -> None:
    north, south = north_and_south
    hidden = work.scalars(sa.select(Household.id).where(Household.area_id == south.id)).one()
    work.expunge_all()
    with acting_as("officer", READ, area_id=north.id):
        assert [household.area_id for household in work.scalars(sa.select(Household))] == [north.id]
        assert counted() == 1
        assert work.get(Household, hidden) is None
        assert work.scalar(sa.select(sa.exists().where(Household.id == hidden))) is False
    assert counted() == 2


def test_an_area_above_sees_what_lies_below(work: MisSession, north_and_south: tuple[Area, Area]) -> None:
    country = work.scalars(sa.select(Area).where(Area.code == "XX")).one()
    with acting_as("minister", READ, area_id=country.id):
        assert counted() == 2


def test_set_based_statements_have_the_same_wall(
    work: MisSession, north_and_south: tuple[Area, Area]
) -> None:
    north, _ = north_and_south
    table = Household.__table__
    with acting_as("officer", READ, area_id=north.id):
        found = work.scalars(sa.select(table.c.area_id).where(access.in_scope(table.c.area_id))).all()
    assert found == [north.id]


def test_nobody_writes_into_another_area(work: MisSession, north_and_south: tuple[Area, Area]) -> None:
    north, south = north_and_south
    with pytest.raises(Forbidden, match="outside the areas"), acting_as("officer", READ, area_id=north.id):
        work.add(Household(area_id=south.id, registered_at=calendar.now(), changed_at=calendar.now()))
        work.flush()
    work.expunge_all()


def test_without_the_permission_there_is_nothing_to_see(work: MisSession) -> None:
    with (
        acting_as("visitor", "registry:area:read"),
        pytest.raises(Forbidden, match=READ),
        access.within(READ),
    ):
        pass


@pytest.mark.skipif(not os.environ.get("MIS_TEST_DATABASE_URL"), reason="row-level security is PostgreSQL's")
def test_postgresql_keeps_the_wall_by_itself(work: MisSession, north_and_south: tuple[Area, Area]) -> None:
    north, south = north_and_south
    role = "mis_wall_test"
    work.execute(sa.text(f"DROP ROLE IF EXISTS {role}"))
    work.execute(sa.text(f"CREATE ROLE {role}"))
    work.execute(sa.text(f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {role}"))
    work.execute(sa.text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"))
    with acting_as("officer", READ, area_id=north.id):
        # A statement that the application's own wall does not see: raw SQL, as an ordinary role.
        work.execute(sa.text(f"SET LOCAL ROLE {role}"))
        assert work.connection().exec_driver_sql("SELECT area_id FROM household").scalars().all() == [
            north.id
        ]
        with (
            audit.unaudited("refused by the database"),
            pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
            work.begin_nested(),
        ):
            work.connection().exec_driver_sql(
                "INSERT INTO household (area_id, attributes, registered_at, changed_at) "
                f"VALUES ({south.id}, '{{}}', now(), now())"
            )
        work.execute(sa.text("RESET ROLE"))
    assert work.connection().exec_driver_sql("SELECT count(*) FROM household").scalar() == 2
    work.execute(sa.text(f"DROP OWNED BY {role}"))
    work.execute(sa.text(f"DROP ROLE {role}"))


def test_a_block_that_ends_in_a_refusal_leaves_no_wider_view(
    work: MisSession, north_and_south: tuple[Area, Area]
) -> None:
    north, _ = north_and_south
    grants = (Grant((READ,), north.id), Grant(("registry:area:read",), None))
    with acting.acting(Actor(None, "officer", "officer", "test", grants)), access.within(READ):
        for outer, inner in ((work.begin_nested, nullcontext), (nullcontext, work.begin_nested)):
            with suppress(Invalid), outer(), access.within("registry:area:read"), inner():
                assert counted() == 2
                raise Invalid("caught by a form")
            assert counted() == 1
            assert wall() == str(north.id)


def test_a_block_that_breaks_its_savepoint_leaves_no_wider_view(
    work: MisSession, north_and_south: tuple[Area, Area]
) -> None:
    north, _ = north_and_south
    grants = (Grant((READ,), north.id), Grant(("registry:area:read",), None))
    with acting.acting(Actor(None, "officer", "officer", "test", grants)), access.within(READ):
        with (
            pytest.raises(sa.exc.DBAPIError),
            work.begin_nested(),
            access.within("registry:area:read"),
        ):
            work.execute(sa.text("SELECT * FROM nowhere"))
        assert counted() == 1
        assert wall() == str(north.id)


def test_nobody_pulls_a_record_over_the_border(work: MisSession, north_and_south: tuple[Area, Area]) -> None:
    north, south = north_and_south
    theirs = work.scalars(sa.select(Household).where(Household.area_id == south.id)).one()
    with pytest.raises(Forbidden, match="outside the areas"), acting_as("officer", READ, area_id=north.id):
        theirs.area_id = north.id
        work.flush()
    work.expunge_all()


def wall() -> str:
    """The areas that PostgreSQL was told; SQLite has no wall of its own, so there the session's word is taken."""
    if db.dialect == "postgresql":
        return str(db.session.scalar(sa.text("SELECT current_setting('mis.areas', true)")))
    return ",".join(str(area) for area in access.seen_areas() or ())
