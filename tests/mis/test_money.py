"""Money never becomes a float, never mixes currencies and never loses a unit."""

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mis import money
from mis.errors import Invalid
from mis.money import Money, Rounding

MINORS = st.integers(min_value=-(10**15), max_value=10**15)
CURRENCIES = st.sampled_from(["XOF", "KES", "TND", "CLF"])


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        ("XOF", 0),
        ("VND", 0),
        ("KES", 2),
        ("MGA", 2),
        ("MRU", 2),
        ("TND", 3),
        ("IQD", 3),
        ("CLF", 4),
        ("SLL", 2),
    ],
)
def test_decimals_are_those_of_iso_4217_and_not_of_cash_practice(currency: str, decimals: int) -> None:
    assert money.exponent(currency) == decimals


@pytest.mark.parametrize("currency", ["", "kes", "KE", "XXX", "EURO"])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(Invalid, match="ISO 4217"):
        money.exponent(currency)


def test_each_currency_stands_in_one_line_of_the_table_only() -> None:
    import tomllib

    from mis.paths import config_dir

    tables = tomllib.loads((config_dir() / "currencies.toml").read_text())
    codes = [code for table in tables.values() for line in table.values() for code in line.split()]
    assert len(codes) == len(set(codes)) > 170


@pytest.mark.parametrize("minor", [1.0, True, "1", Decimal(1), None])
def test_minor_units_are_a_whole_number_only(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "KES")  # type: ignore[arg-type]


def test_amounts_of_one_currency_add_up_and_compare() -> None:
    assert Money(150, "KES") + Money(50, "KES") == Money(200, "KES")
    assert Money(150, "KES") - Money(200, "KES") == Money(-50, "KES")
    assert 3 * Money(150, "KES") == Money(150, "KES") * 3 == Money(450, "KES")
    assert Money(1, "KES") < Money(2, "KES") <= Money(2, "KES")
    assert money.total([Money(1, "KES"), Money(2, "KES")], currency="KES") == Money(3, "KES")
    assert money.total([], currency="KES") == Money.zero("KES")


def test_amounts_of_two_currencies_are_neither_added_nor_compared() -> None:
    shillings, francs = Money(1, "KES"), Money(1, "XOF")
    assert shillings != francs
    for mixed in (lambda: shillings + francs, lambda: shillings - francs, lambda: shillings < francs):
        with pytest.raises(TypeError, match="different currencies"):
            mixed()
    with pytest.raises(TypeError):
        shillings * 1.5  # type: ignore[operator]


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (15000, "KES", "150.00"),
        (150, "XOF", "150"),
        (1500, "TND", "1.500"),
        (5, "KES", "0.05"),
        (-5, "KES", "-0.05"),
        (0, "KES", "0.00"),
        (1, "CLF", "0.0001"),
    ],
)
def test_files_show_the_decimals_of_the_currency(minor: int, currency: str, text: str) -> None:
    assert money.to_decimal_text(minor, currency) == text


@given(minor=MINORS, currency=CURRENCIES)
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    assert money.parse(money.to_decimal_text(minor, currency), currency, allow_negative=True) == Money(
        minor, currency
    )


@pytest.mark.parametrize(
    ("text", "currency", "mark", "minor"),
    [
        ("1,234.50", "KES", ".", 123450),
        ("1.234,50", "KES", ",", 123450),
        ("1 234,5", "KES", ",", 123450),
        ("1\u202f234\u00a0567,5", "KES", ",", 123456750),
        ("12,34,567", "INR", ".", 123456700),
        ("1'234.50", "CHF", ".", 123450),
        (" 007 ", "XOF", ".", 7),
        ("1,500", "TND", ".", 1500000),
        ("1,500", "TND", ",", 1500),
        ("١٬٢٣٤٫٥٠", "EGP", ".", 123450),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, currency: str, mark: str, minor: int) -> None:
    assert money.parse(text, currency, decimal_mark=mark) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "1e5",
        "NaN",
        "Infinity",
        "1.2.3",
        "1,23",
        "12,3456",
        "1..5",
        ".5",
        "5.",
        "+5",
        "--5",
        "1_000",
        "1 ",
        "²",
        "٣x",
        "1,,000",
        "9" * 200,
    ],
)
def test_what_is_not_an_amount_is_refused_with_its_field(text: str) -> None:
    if text == "1 ":
        assert money.parse(text, "KES") == Money(100, "KES")
        return
    with pytest.raises(Invalid) as refusal:
        money.parse(text, "KES", field="benefit")
    assert refusal.value.field == "benefit"


@pytest.mark.parametrize(
    ("text", "currency"), [("1.005", "KES"), ("150.00", "XOF"), ("1.50000", "KES"), ("0.1234", "TND")]
)
def test_more_decimals_than_the_currency_has_are_refused(text: str, currency: str) -> None:
    with pytest.raises(Invalid, match="too many decimals"):
        money.parse(text, currency)


def test_zeros_without_value_can_be_allowed_for_provider_files() -> None:
    assert money.parse("150.00", "XOF", allow_trailing_zeros=True) == Money(150, "XOF")
    assert money.parse("1.50000", "KES", allow_trailing_zeros=True) == Money(150, "KES")
    with pytest.raises(Invalid, match="too many decimals"):
        money.parse("150.50", "XOF", allow_trailing_zeros=True)


def test_a_float_is_refused() -> None:
    with pytest.raises(Invalid, match="inexact"):
        money.parse(1.5, "KES")  # type: ignore[arg-type]


def test_an_amount_below_zero_must_be_expected() -> None:
    with pytest.raises(Invalid, match="below zero"):
        money.parse("-1", "KES")
    assert money.parse("-1", "KES", allow_negative=True) == Money(-100, "KES")


def test_an_amount_that_no_column_holds_is_refused() -> None:
    assert money.parse("9999999999999999.99", "KES").minor == money.MAX_MINOR
    with pytest.raises(Invalid, match="too large"):
        money.parse("10000000000000000.00", "KES")


@given(text=st.text(max_size=30))
def test_any_text_is_read_or_refused_and_never_crashes(text: str) -> None:
    try:
        assert isinstance(money.parse(text, "KES"), Money)
    except Invalid:
        pass


def test_people_read_their_own_separators_with_the_decimals_of_iso() -> None:
    assert Money(123456, "KES").format("en") == "KES\u00a01,234.56"
    assert Money(1234567, "IQD").format("en") == "IQD\u00a01,234.567"
    assert (
        Money(1234568, "XOF").format("fr").replace("\u202f", " ").replace("\u00a0", " ") == "1 234 568 F CFA"
    )
    assert Money(-150, "EUR").format("de") == "-1,50\u00a0€"


@given(minor=MINORS, weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any))
def test_a_split_loses_nothing_and_is_fair_to_one_unit(minor: int, weights: list[int]) -> None:
    parts = money.split(minor, weights)
    assert sum(parts) == minor
    assert all(
        abs(part * sum(weights) - minor * weight) < sum(weights)
        for part, weight in zip(parts, weights, strict=True)
    )


def test_left_over_units_go_to_the_largest_remainders() -> None:
    assert money.split(100, [1, 1, 1]) == [34, 33, 33]
    assert money.split(10, [1, 2, 4]) == [1, 3, 6]
    assert Money(100, "KES").split([1, 0]) == [Money(100, "KES"), Money(0, "KES")]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [1, -1], [-1]])
def test_a_split_without_weight_is_refused(weights: list[int]) -> None:
    with pytest.raises(Invalid):
        money.split(100, weights)


DECIMAL_RULES = {
    Rounding.HALF_UP: ROUND_HALF_UP, Rounding.HALF_EVEN: ROUND_HALF_EVEN, Rounding.HALF_DOWN: ROUND_HALF_DOWN,
    Rounding.UP: ROUND_UP, Rounding.DOWN: ROUND_DOWN, Rounding.CEILING: ROUND_CEILING, Rounding.FLOOR: ROUND_FLOOR,
}  # fmt: skip


@given(tenths=st.integers(-1000, 1000), rule=st.sampled_from(list(Rounding)))
def test_rounding_agrees_with_decimal_arithmetic(tenths: int, rule: Rounding) -> None:
    exact = Context(prec=30).divide(Decimal(tenths), Decimal(10))
    assert money.round_minor(tenths, 10, rule) == int(
        exact.quantize(Decimal(1), rounding=DECIMAL_RULES[rule])
    )
    assert money.round_minor(-tenths, -10, rule.value) == money.round_minor(tenths, 10, rule)


def test_rounding_to_a_step_pays_in_whole_notes() -> None:
    assert money.round_minor(12_345, 1, "half_up", step=5000) == 10_000
    assert money.round_minor(12_500, 1, "half_up", step=5000) == 15_000
    assert money.round_minor(10_001, 1, "up", step=5000) == 15_000


def test_a_rounding_rule_is_named() -> None:
    with pytest.raises(Invalid, match="half_up"):
        money.round_minor(1, 2, "bankers")
