"""Lists: what is shown is exactly what is there, page by page, and what is asked wrongly is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
import python_calamine
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event

from mis.accounts.models import SignInAttempt
from mis.db import MisSession, db
from mis.errors import Invalid
from mis.money import Money
from mis.web import export
from mis.web.listing import AreaFilter, ChoiceFilter, Column, DateFilter, Listing, Page, TextFilter
from registry.models import Household
from tests.conftest import acting_as
from tests.mis.accounts.people import make_areas

AT = datetime(2026, 3, 2, tzinfo=UTC)
ROWS = 47

attempts = Listing(
    "test.attempts",
    title="Attempts",
    select=lambda: sa.select(SignInAttempt),
    key=SignInAttempt.id,
    columns=[
        Column("username", "Name", lambda row: row.username, sort=SignInAttempt.username),
        Column("at", "When", lambda row: row.at, sort=SignInAttempt.at, kind="moment"),
        Column("address", "Address", lambda row: row.address, sort=SignInAttempt.address),
        Column("amount", "Amount", lambda row: Money(row.id * 100, "KES"), kind="money"),
        Column("succeeded", "Right", lambda row: row.succeeded, kind="yesno"),
    ],
    filters=[
        TextFilter("q", "Name", lambda text: SignInAttempt.username.icontains(text, autoescape=True)),
        ChoiceFilter(
            "right", "Right", [("yes", "Yes")], lambda value: SignInAttempt.succeeded.is_(value == "yes")
        ),
        DateFilter(
            "since",
            "Since",
            lambda day: SignInAttempt.at >= datetime(day.year, day.month, day.day, tzinfo=UTC),
        ),
    ],
    export_permission="accounts:user:read",
    page_rows=10,
)


@pytest.fixture
def rows(app: Flask, work: MisSession) -> Iterator[MisSession]:
    work.add_all(
        SignInAttempt(
            username=f"user {number % 6}",
            at=AT.replace(hour=number % 7),
            succeeded=number % 2 == 0,
            address=None if number % 3 == 0 else f"203.0.113.{number % 5}",
        )
        for number in range(ROWS)
    )
    work.flush()
    with app.test_request_context("/attempts"):
        yield work


def arguments(url: str | None) -> dict[str, str]:
    assert url is not None
    return dict(parse_qsl(url.removeprefix("?")))


def walk(given: dict[str, str]) -> list[Page]:
    pages = [attempts.page(given)]
    while pages[-1].next_url:
        pages.append(attempts.page(arguments(pages[-1].next_url)))
    return pages


def numbers(pages: list[Page]) -> list[int]:
    return [row.id for page in pages for row in page.rows]


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["", "username", "at", "address"])
def test_every_row_is_shown_once_in_order_forwards_and_back(rows: MisSession, sort: str, direction: str):
    given = {"sort": sort, "direction": direction}
    there = walk(given)
    expected = [row.id for row in rows.scalars(attempts.statement(given))]
    assert numbers(there) == expected
    assert len(expected) == len(set(expected)) == ROWS
    back = [there[-1]]
    while back[0].prev_url:
        back.insert(0, attempts.page(arguments(back[0].prev_url)))
    assert numbers(back) == expected


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_what_is_missing_comes_last_in_both_directions(rows: MisSession, direction: str):
    pages = walk({"sort": "address", "direction": direction})
    values = [row.cells[2] for page in pages for row in page.rows]
    assert values == sorted(filter(None, values), reverse=direction == "desc") + [None] * values.count(None)
    assert None in values


def test_a_row_that_comes_in_before_the_position_moves_no_other(rows: MisSession):
    first = attempts.page({"sort": "username"})
    rows.add(SignInAttempt(username="a first one", at=AT, succeeded=True))
    rows.flush()
    second = attempts.page(arguments(first.next_url))
    assert not set(numbers([first])) & set(numbers([second]))


def test_a_page_costs_the_same_few_statements_whatever_it_shows(rows: MisSession):
    asked: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        attempts.page({"q": "user 1"})
        few = len(asked)
        attempts.page({})
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    assert few == len(asked) - few == 2


def test_filters_narrow_and_empty_ones_do_not(rows: MisSession):
    assert attempts.page({"q": "USER 1", "since": ""}).count_text == "8"
    assert attempts.page({"q": "100%", "right": "yes"}).count_text == "0"
    assert attempts.page({"since": "2026-03-03"}).rows == []


def test_the_count_stops_where_nobody_reads_on(rows: MisSession, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mis.web.listing.COUNTED", 46)
    assert attempts.page({}).count_text == "more than 46"
    monkeypatch.setattr("mis.web.listing.COUNTED", 47)
    assert attempts.page({}).count_text == "47"


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "red"},
        {"sort": "succeeded"},
        {"sort": "nothing"},
        {"direction": "sideways"},
        {"since": "yesterday"},
        {"right": "maybe"},
        {"q": "x" * 300},
        {"q": "nul\x00"},
        {"after": "made up"},
        {"after": "W10.abc"},
        {"before": "\x00"},
    ],
)
def test_what_a_list_cannot_do_is_refused_in_a_sentence(rows: MisSession, wrong: dict[str, str]):
    with pytest.raises(Invalid):
        attempts.page(wrong)


def test_a_position_counts_only_in_the_order_it_was_made_for(rows: MisSession):
    position = arguments(attempts.page({"sort": "at"}).next_url)["after"]
    with pytest.raises(Invalid, match="does not lead to a page"):
        attempts.page({"sort": "username", "after": position})
    with pytest.raises(Invalid, match="does not lead to a page"):
        attempts.page({"sort": "at", "after": position[:-1] + ("A" if position[-1] != "A" else "B")})


def test_a_list_and_its_count_see_only_the_areas_in_scope(app: Flask, work: MisSession):
    areas = make_areas()
    work.add_all(
        Household(area_id=areas[code], registered_at=AT, changed_at=AT) for code in ("XX1", "XX2", "XX2")
    )
    work.flush()
    households = Listing(
        "test.households",
        title="Households",
        select=lambda: sa.select(Household),
        key=Household.id,
        columns=[Column("id", "Number", lambda row: row.id)],
        filters=[AreaFilter("area", "Area", Household.area_id)],
    )
    with app.test_request_context("/"):
        assert households.page({"area": "XX2"}).count_text == "2"
        with acting_as("officer", "registry:household:read", area_id=areas["XX1"]):
            page = households.page({})
            assert (page.count_text, len(page.rows)) == ("1", 1)
            with pytest.raises(Invalid, match="There is no area"):
                households.page({"area": "XX2"})


def test_the_export_is_offered_to_who_may_export(rows: MisSession):
    assert attempts.page({"q": "user"}).export_urls["csv"].endswith("/lists/test.attempts/export.csv?q=user")
    with acting_as("somebody", "registry:person:read"):
        assert attempts.page({}).export_urls == {}


def exported(kind: str, given: dict[str, str]) -> bytes:
    return b"".join(export.exported(attempts, kind, given).iter_encoded())


def test_an_export_holds_the_rows_of_the_list_with_money_in_two_columns(rows: MisSession):
    table = list(csv.reader(io.StringIO(exported("csv", {"q": "user 1", "sort": "at"}).decode("utf-8-sig"))))
    assert table[0] == ["Name", "When", "Address", "Amount", "Amount (currency)", "Right"]
    assert len(table) == 9
    assert table[1][3].endswith(".00")
    assert table[1][4] == "KES"


def test_a_workbook_holds_numbers_as_numbers_and_moments_as_moments(rows: MisSession):
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(exported("xlsx", {})))
    table = book.get_sheet_by_index(0).to_python()
    assert len(table) == ROWS + 1
    assert table[2][1] == datetime(2026, 3, 2, 1)
    assert table[2][3] == 2


@pytest.mark.parametrize("text", ["=1+1", "+254", "-1", "@SUM(A1)", "\tx", "  =1", "\r=1"])
def test_no_text_becomes_a_formula(rows: MisSession, text: str):
    assert export.harmless(text) == f"'{text}"
    rows.add(SignInAttempt(username=f"{text} spiked", at=AT, succeeded=True))
    rows.flush()
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(exported("xlsx", {"q": "spiked"})))
    assert "spiked" in str(book.get_sheet_by_index(0).to_python()[1][0])


def test_numbers_stay_numbers_in_csv():
    assert export.harmless(-5) == -5
    assert export.harmless("a-b") == "a-b"


def test_a_list_that_is_too_long_for_a_file_is_refused_before_anything_is_written(
    rows: MisSession, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(export, "MAX_ROWS", 40)
    with pytest.raises(Invalid, match="more than 40"):
        export.exported(attempts, "csv", {})
