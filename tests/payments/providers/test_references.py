"""An end-to-end id is the same whoever makes it, fits every format, and shows when it was mistyped."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, create_engine, insert, select
from stdnum.iso7064 import mod_37_36

from mis.calendar import Month
from mis.errors import Invalid
from payments.providers import references
from payments.providers.references import Reference, end_to_end_id, end_to_end_id_sql

NOVEMBER = Month(2026, 11)
IDS = st.integers(1, 36**12 - 1)
ATTEMPTS = st.integers(1, 99)
SCHEMES = st.from_regex(r"[A-Z0-9]{1,6}", fullmatch=True)


def test_the_id_says_scheme_month_entitlement_and_attempt() -> None:
    made = end_to_end_id("OAP", NOVEMBER, 100, 1)
    assert made[:-1] == "OAP-202611-2S-01-"
    assert made[-1] == mod_37_36.calc_check_digit("OAP202611" + "2S".rjust(12, "0") + "01")
    assert references.parse(made) == Reference("OAP", NOVEMBER, 100, 1)


@given(scheme=SCHEMES, entitlement_id=IDS, attempt=ATTEMPTS, month=st.integers(1, 12))
def test_what_is_made_is_read_back_in_any_case(
    scheme: str, entitlement_id: int, attempt: int, month: int
) -> None:
    made = end_to_end_id(scheme, Month(2026, month), entitlement_id, attempt)
    assert len(made) <= references.MAX_LENGTH <= 35
    assert references.parse(f" {made.lower()} ") == Reference(
        scheme, Month(2026, month), entitlement_id, attempt
    )
    assert references.is_ours(made)


def test_no_two_attempts_or_entitlements_share_an_id() -> None:
    made = {
        end_to_end_id("OAP", NOVEMBER, number, attempt)
        for number in range(1, 500)
        for attempt in range(1, 10)
    }
    assert len(made) == 499 * 9


@given(entitlement_id=IDS, attempt=ATTEMPTS, data=st.data())
def test_one_mistyped_character_is_noticed(entitlement_id: int, attempt: int, data: st.DataObject) -> None:
    made = end_to_end_id("OAP", NOVEMBER, entitlement_id, attempt)
    place = data.draw(st.integers(0, len(made) - 1))
    typed = data.draw(st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"))
    mistyped = made[:place] + typed + made[place + 1 :]
    assert references.is_ours(mistyped) is (mistyped == made)


@pytest.mark.parametrize(
    "text", ["", "OAP", "OAP-202613-2S-01-X", "OAP-202611-02S-01-X", "OAP-202611-2S-00-X", "９"]
)
def test_what_is_no_id_of_ours_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        references.parse(text)
    assert refusal.value.field == "end_to_end_id"


@pytest.mark.parametrize(
    ("code", "part"), [("old-age pension", "OLDAGE"), ("oap", "OAP"), ("Bourse Été", "BOURSE")]
)
def test_any_scheme_code_with_a_letter_gives_a_short_part(code: str, part: str) -> None:
    assert end_to_end_id(code, NOVEMBER, 1, 1).startswith(part + "-")


def test_a_scheme_code_without_letters_is_refused() -> None:
    with pytest.raises(Invalid):
        end_to_end_id("—", NOVEMBER, 1, 1)


@pytest.mark.parametrize("attempt", [0, 100])
def test_a_payment_has_at_most_99_attempts(attempt: int) -> None:
    with pytest.raises(Invalid, match="99"):
        end_to_end_id("OAP", NOVEMBER, 1, attempt)


DATABASES = [url for url in ("sqlite://", os.environ.get("MIS_TEST_DATABASE_URL")) if url]


@pytest.mark.parametrize("url", DATABASES)
def test_sql_makes_the_same_ids_for_a_whole_cycle(url: str) -> None:
    meta = MetaData()
    entitlement = Table(
        "reference_trial",
        meta,
        Column("id", BigInteger, primary_key=True),
        Column("attempt", Integer),
        prefixes=["TEMPORARY"],
    )
    numbers = [1, 35, 36, 37, 1295, 1296, *range(1297, 1400), 2**31, 2**53 + 1, 36**11, 36**12 - 1]
    engine = create_engine(url)
    with engine.connect() as connection:
        meta.create_all(connection)
        rows = [{"id": number, "attempt": number % 99 + 1} for number in numbers]
        connection.execute(insert(entitlement), rows)
        columns = (entitlement.c.id, entitlement.c.attempt)
        made = connection.execute(select(*columns, end_to_end_id_sql("OAP", NOVEMBER, *columns))).all()
        first = connection.execute(
            select(entitlement.c.id, end_to_end_id_sql("CG", NOVEMBER, columns[0], 1))
        ).all()
        connection.rollback()
    engine.dispose()
    assert len(made) == len(numbers)
    assert all(
        reference == end_to_end_id("OAP", NOVEMBER, number, attempt) for number, attempt, reference in made
    )
    assert all(reference == end_to_end_id("CG", NOVEMBER, number, 1) for number, reference in first)
