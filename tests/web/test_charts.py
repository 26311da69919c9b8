"""Charts say the same in the drawing and in the table, for every reader."""

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from mis.money import Money
from mis.web import charts

from .gallery import create_app, drawings

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _request(own_menu: None) -> Iterator[None]:
    app: Flask = create_app()
    with app.test_request_context():
        yield


def widths(chart: charts.Chart) -> list[float]:
    return [float(bar.attrib["width"]) for bar in ET.fromstring(chart.svg).iter(f"{SVG}rect")]


def test_bars_are_as_long_as_their_values() -> None:
    long, short, none = widths(
        charts.bar_chart("Enrolled", [("A", 100), ("B", 50), ("C", 0)], unit="Persons", locale="en")
    )
    assert long == pytest.approx(2 * short, abs=0.2)
    assert none == 0


def test_a_chart_is_also_a_table() -> None:
    chart = charts.grouped_bar_chart(
        "By sex", ["Alta"], [("Women", [1200]), ("Men", [950])], heading="Area", locale="en"
    )
    assert chart.headings == ("Area", "Women", "Men")
    assert chart.rows == [("Alta", "1,200", "950")]
    assert chart.legend == ("Women", "Men")


def test_the_parts_of_a_stacked_bar_follow_each_other() -> None:
    chart = charts.stacked_bar_chart("Answers", ["Jan"], [("Paid", [60]), ("Failed", [40])], locale="en")
    paid, failed = ET.fromstring(chart.svg).iter(f"{SVG}rect")
    assert float(paid.attrib["x"]) + float(paid.attrib["width"]) == pytest.approx(
        float(failed.attrib["x"]), abs=0.2
    )


def test_right_to_left_readers_get_the_mirrored_drawing() -> None:
    values = [("أ", 10), ("ب", 5)]
    left = ET.fromstring(charts.bar_chart("t", values, unit="n", locale="en").svg)
    right = ET.fromstring(charts.bar_chart("t", values, unit="n", locale="ar").svg)
    assert right.attrib["direction"] == "rtl"
    for one, other in zip(left.iter(f"{SVG}rect"), right.iter(f"{SVG}rect"), strict=True):
        end = float(one.attrib["x"]) + float(one.attrib["width"])
        assert float(other.attrib["x"]) == pytest.approx(charts.WIDTH - end, abs=0.2)


def test_numbers_are_written_as_the_reader_writes_them() -> None:
    chart = charts.bar_chart("t", [("A", 1234567)], unit="n", locale="fr")
    assert chart.rows == [("A", "1\u202f234\u202f567")]


def test_money_is_shown_by_its_own_format() -> None:
    chart = charts.bar_chart(
        "Paid",
        [("Jan", 125050)],
        unit="Amount",
        show=lambda minor: Money(minor, "KES").format("en"),
        locale="en",
    )
    assert "1,250.50" in chart.rows[0][1]
    assert chart.rows[0][1] in str(chart.svg)


def test_a_name_cannot_write_markup_into_the_drawing() -> None:
    svg = charts.bar_chart("<b>", [("<script>alert(1)</script>", 1)], unit='"><x>', locale="en").svg
    assert "<script" not in svg and "<b>" not in svg and "<x>" not in svg


def test_no_drawing_carries_an_inline_style_or_colour() -> None:
    for chart in drawings():
        assert not re.search(r"\b(style|fill|stroke)=", str(chart.svg)), chart.title
        ET.fromstring(chart.svg)


def test_every_drawing_has_a_name_and_a_description() -> None:
    for chart in drawings():
        tree = ET.fromstring(chart.svg)
        assert tree.attrib["role"] == "img"
        assert tree.findtext(f"{SVG}title") == chart.title
        assert tree.findtext(f"{SVG}desc")


def test_nothing_to_show_is_no_crash() -> None:
    assert charts.bar_chart("t", [], unit="n", locale="en").rows == []
    assert charts.stacked_bar_chart("t", [], [("A", [])], locale="en").rows == []
    assert charts.line_chart("t", [], unit="n", locale="en").rows == []
    assert charts.line_chart("t", [("Jan", 0)], unit="n", locale="en").rows == [("Jan", "0")]


@given(st.integers(min_value=0, max_value=10**15))
def test_ticks_are_few_round_and_reach_the_maximum(maximum: int) -> None:
    steps = charts.ticks(maximum)
    assert steps[0] == 0 and steps[-1] >= maximum and 2 <= len(steps) <= 6
    assert {b - a for a, b in itertools.pairwise(steps)} == {steps[1]}
    assert str(steps[1]).rstrip("0") in {"1", "2", "5"}


@given(st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=40))
def test_a_line_stays_within_its_drawing(values: list[int]) -> None:
    chart = charts.line_chart("t", list(enumerate(values)), unit="n", locale="en")
    for dot in ET.fromstring(chart.svg).iter(f"{SVG}circle"):
        assert 0 <= float(dot.attrib["cx"]) <= charts.WIDTH
        assert 0 <= float(dot.attrib["cy"]) <= 180
