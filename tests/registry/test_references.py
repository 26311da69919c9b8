"""Reference numbers can be read over the phone, and a slip is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mis.errors import Invalid
from registry.references import KINDS, parse, reference

NUMBERS = st.integers(min_value=1, max_value=10**15)


def test_a_reference_is_a_letter_and_groups_of_three():
    assert reference("P", 12345) == "P-001-234-543"


@given(st.sampled_from(sorted(KINDS)), NUMBERS)
def test_a_reference_is_read_back_however_it_is_written(kind: str, number: int):
    text = reference(kind, number)
    for written in (text, text.lower(), text.replace("-", ""), text.replace("-", " "), f"  {text} "):
        assert parse(written) == (kind, number)


@given(NUMBERS, st.data())
def test_one_wrong_digit_is_noticed(number: int, data: st.DataObject):
    digits = reference("P", number).replace("-", "")[1:]
    place = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != digits[place]]))
    with pytest.raises(Invalid):
        parse("P" + digits[:place] + other + digits[place + 1 :])


@given(NUMBERS, st.data())
def test_two_neighbours_swapped_are_noticed(number: int, data: st.DataObject):
    digits = reference("H", number).replace("-", "")[1:]
    place = data.draw(st.integers(0, len(digits) - 2))
    swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    if swapped != digits:
        with pytest.raises(Invalid):
            parse("H" + swapped)


def test_a_misheard_letter_is_noticed():
    with pytest.raises(Invalid):
        parse(reference("P", 7).replace("P", "B"))


def test_the_reference_of_another_kind_is_named():
    with pytest.raises(Invalid, match="of a household, not of a person"):
        parse(reference("H", 7), kind="P")


@pytest.mark.parametrize(
    "text", ["", "P", "P-1", "12345", "X-000-000-121", "P-000-000-000", "P-٠٠٠-٠٠٠-١٢١", "P" + "1" * 50]
)
def test_what_is_no_reference_is_refused_in_a_sentence(text: str):
    with pytest.raises(Invalid, match="reference number|check digits"):
        parse(text)
