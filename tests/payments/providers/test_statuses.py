"""A provider's status leads to one state, moves only forward, and its reason to one next step."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.providers import statuses
from payments.providers.statuses import Resend, State, advice, iso_status, moves_forward, state_of


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("RCVD", State.PENDING),
        ("PDNG", State.PENDING),
        ("ACTC", State.ACCEPTED),
        ("ACSP", State.ACCEPTED),
        ("ACSC", State.PAID),
        ("ACCC", State.PAID),
        ("CPUC", State.PAID),
        ("RJCT", State.REJECTED),
        ("ACWP", State.UNKNOWN),
        ("BLCK", State.UNKNOWN),
        ("PART", State.UNKNOWN),
        ("rjct", State.REJECTED),
        (" Paid ", State.PAID),
        ("In_Process", State.ACCEPTED),
        ("FAILED", State.REJECTED),
        ("", State.UNKNOWN),
        ("perhaps", State.UNKNOWN),
    ],
)
def test_a_status_leads_to_one_state(status: str, state: State) -> None:
    assert state_of(status) is state


def test_every_word_stands_for_an_iso_status() -> None:
    assert set(statuses.WORDS.values()) <= set(statuses.ISO_STATUSES)
    assert all(word == word.casefold() for word in statuses.WORDS)


def test_only_a_credit_or_cash_in_hand_proves_that_the_person_was_paid() -> None:
    proven = {
        code
        for code, what in statuses.ISO_STATUSES.items()
        if what.state is State.PAID and what.evidence == 4
    }
    assert proven == {"ACCC", "CPUC"}


def test_a_payment_only_moves_forward() -> None:
    forward = {(old.value, new.value) for old, new in product(State, State) if moves_forward(old, new)}
    assert ("accepted", "paid") in forward
    assert ("unknown", "pending") in forward
    assert not forward & {
        ("paid", "rejected"),
        ("rejected", "paid"),
        ("paid", "accepted"),
        ("accepted", "pending"),
    }
    assert not any(old == new for old, new in forward)


@given(text=st.text(max_size=20))
def test_no_unknown_status_ever_pays(text: str) -> None:
    if iso_status(text) is None:
        assert state_of(text) is State.UNKNOWN


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("AC01", "fix_account"),
        ("ac04", "other_account"),
        ("AC06", "blocked_account"),
        ("BE01", "verify_identity"),
        ("MD07", "hold_death_review"),
        ("AM04", "fund_account"),
        ("AM05", "enquire_never_resend"),
        ("AB05", "enquire_first"),
        ("TM01", "retry_next_day"),
        ("FF01", "fix_file"),
        ("RR04", "compliance_review"),
    ],
)
def test_a_reason_leads_to_one_next_step(code: str, action: str) -> None:
    assert advice(code).action == action


def test_a_duplicate_is_never_sent_again() -> None:
    duplicates = [advice(code) for code in ("AM05", "DUPL", "DU01", "DU02", "DU03", "DU04", "DU05", "RF01")]
    assert {found.resend for found in duplicates} == {Resend.NEVER}


def test_a_death_holds_every_further_payment() -> None:
    assert advice("MD07").hold
    assert advice("MD07").resend is Resend.NEVER


def test_only_a_late_arrival_is_sent_again_without_a_person() -> None:
    assert {code for code, what in statuses.reasons().items() if what.resend is Resend.AUTOMATIC} == {"TM01"}


@pytest.mark.parametrize("code", ["", "ZZ99", "57"])
def test_an_unknown_reason_is_asked_about_and_never_sent_again(code: str) -> None:
    assert advice(code).resend is Resend.NEVER
    assert advice(code).action == "read_and_contact"
    assert advice(code).sentence


def test_every_reason_has_a_code_an_action_and_a_sentence() -> None:
    assert len(statuses.reasons()) >= 60
    for code, what in statuses.reasons().items():
        assert code == code.upper()
        assert 3 <= len(code) <= 4
        assert what.meaning
        assert what.sentence.endswith(".")
