"""Sealed columns open in their own row alone, are found without opening, and leave a trace when somebody looks."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from mis import sealed
from mis.audit import AuditEntry
from mis.db import db
from mis.errors import Invalid
from tests.mis.tampering import Card

OLD, NEW = b"k" * 32, b"n" * 32
PLACE: dict[str, Any] = {"table": "card", "column": "number", "uid": "a1"}


@pytest.fixture(autouse=True)
def _keys():
    sealed.configure((OLD,))
    yield
    sealed.configure((OLD,))


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_sealed_text_opens_to_itself(text):
    assert sealed.open_(sealed.seal(text, **PLACE), **PLACE) == text


@pytest.mark.parametrize("part", ["table", "column", "uid"])
def test_a_sealed_text_does_not_open_anywhere_else(part):
    box = sealed.seal("079 123", **PLACE)
    with pytest.raises(sealed.Tampered, match="moved"):
        sealed.open_(box, **{**PLACE, part: "other"})


@given(place=st.integers(0, 40), bit=st.integers(0, 7))
def test_a_sealed_text_with_one_bit_changed_does_not_open(place, bit):
    box = bytearray(sealed.seal("0791234567", **PLACE))
    box[place % len(box)] ^= 1 << bit
    with pytest.raises(sealed.Tampered):
        sealed.open_(bytes(box), **PLACE)


def test_the_same_text_is_sealed_differently_each_time():
    assert sealed.seal("1", **PLACE) != sealed.seal("1", **PLACE)


def test_a_blind_index_is_equal_for_equal_texts_of_one_purpose_alone():
    assert sealed.blind("1", purpose="number") == sealed.blind("1", purpose="number")
    assert sealed.blind("1", purpose="number") != sealed.blind("2", purpose="number")
    assert sealed.blind("1", purpose="number") != sealed.blind("1", purpose="phone")


@pytest.mark.parametrize(
    ("text", "shown"), [("190812098048", "•••• 8048"), ("123456", "•••• 56"), ("12", "••••"), ("", "••••")]
)
def test_a_mask_shows_a_third_at_most(text, shown):
    assert sealed.mask(text) == shown


@pytest.mark.usefixtures("ground")
class TestRows:
    def test_a_number_is_stored_sealed_with_its_index_and_its_last_characters(self):
        with db.unit_of_work() as session:
            session.add(card := Card(number=" 1908-1209 8048 "))
        with db.unit_of_work(read_only=True) as session:
            found = session.get_one(Card, card.id)
            assert found.number == "190812098048"
            assert found.number_hint == "•••• 8048"
            stored = session.execute(sa.text("SELECT * FROM test_card")).one()
            assert "1908" not in repr(tuple(bytes(v) if isinstance(v, memoryview) else v for v in stored))

    def test_no_number_reaches_the_audit_trail(self):
        with db.unit_of_work() as session:
            session.add(card := Card(number="190812098048"))
            session.flush()
            card.number = "777700001111"
        with db.unit_of_work(read_only=True) as session:
            changes = [
                entry.changes for entry in session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id))
            ]
        assert changes[0]["number_sealed"] == [None, "changed"]
        assert changes[1]["number_blind"] == ["changed", "changed"]
        assert card.number_blind and card.number_blind not in repr(changes)

    def test_a_row_is_found_by_its_number_however_it_is_spelt(self):
        with db.unit_of_work() as session:
            session.add_all([Card(number="1111 2222 3333"), Card(number="4444 5555 6666")])
        with db.unit_of_work(read_only=True) as session:
            (found,) = session.scalars(
                sa.select(Card).where(sealed.matching(Card, "number", "4444-5555-6666"))
            )
            assert found.number == "444455556666"

    def test_a_number_copied_into_another_row_does_not_open(self):
        with db.unit_of_work() as session:
            session.add_all([mine := Card(number="111122223333"), other := Card(number="444455556666")])
        with db.engine.begin() as connection:
            connection.execute(
                sa.text(
                    "UPDATE test_card SET number_sealed = (SELECT number_sealed FROM test_card WHERE id = :one) "
                    "WHERE id = :two"
                ),
                {"one": mine.id, "two": other.id},
            )
        with db.unit_of_work(read_only=True) as session:
            assert session.get_one(Card, mine.id).number == "111122223333"
            moved = session.get_one(Card, other.id)
            with pytest.raises(sealed.Tampered, match=r"test_card\.number"):
                _ = moved.number

    def test_no_number_is_no_number(self):
        with db.unit_of_work() as session:
            session.add(card := Card(number=None))
            session.add(blank := Card(number="  "))
        assert card.number is None and card.number_hint is None and blank.number_blind is None

    def test_a_reveal_is_logged_with_its_purpose(self):
        with db.unit_of_work() as session:
            session.add(card := Card(number="111122223333"))
        with db.unit_of_work() as session:
            assert sealed.reveal(session.get_one(Card, card.id), "number", purpose="a call") == "111122223333"
        with db.unit_of_work(read_only=True) as session:
            entry = session.scalars(sa.select(AuditEntry).filter_by(action="sealed.reveal")).one()
        assert (entry.subject_type, entry.subject_id) == ("test_card", str(card.id))
        assert entry.details == {"column": "number", "purpose": "a call"}

    def test_a_reveal_without_a_purpose_is_refused(self):
        with db.unit_of_work() as session:
            session.add(card := Card(number="111122223333"))
            with pytest.raises(Invalid) as refusal:
                sealed.reveal(card, "number", purpose=" ")
        assert refusal.value.field == "purpose"

    def test_keys_rotate_without_losing_a_row(self):
        with db.unit_of_work() as session:
            session.add_all(Card(number=f"{number:012}") for number in range(5))
            session.add(Card(number=None))
        sealed.configure((NEW, OLD))
        with db.unit_of_work() as session:
            # Rows of both kinds are found while the rotation runs.
            session.add(Card(number="999900001111"))
            session.flush()
            assert session.scalar(sa.select(Card.id).where(sealed.matching(Card, "number", "000000000003")))
            assert session.scalar(sa.select(Card.id).where(sealed.matching(Card, "number", "999900001111")))
        counts: list[int] = []
        while not counts or counts[-1]:
            with db.unit_of_work() as session:
                counts.append(sealed.reseal(session, Card, limit=2))
        assert counts == [2, 2, 1, 0]
        sealed.configure((NEW,))
        with db.unit_of_work(read_only=True) as session:
            numbers = {card.number for card in session.scalars(sa.select(Card))}
            assert numbers == {*(f"{number:012}" for number in range(5)), None, "999900001111"}
            assert session.scalar(sa.select(Card.id).where(sealed.matching(Card, "number", "000000000003")))

    def test_without_its_key_a_row_does_not_open(self):
        with db.unit_of_work() as session:
            session.add(card := Card(number="111122223333"))
        sealed.configure((NEW,))
        with pytest.raises(sealed.Tampered, match="key"):
            _ = card.number
