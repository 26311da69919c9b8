"""Charts drawn on the server as SVG: no script, no inline style, and the same numbers as a table beside.

Every function takes whole numbers (counts, or minor units with a `show` that formats them) and returns a Chart, which
macros/charts.html puts on the page. Colours are classes of mis.css, so light, dark and print just work; right-to-left
locales get the mirrored drawing.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from babel import Locale
from babel.numbers import format_decimal
from flask_babel import gettext as _
from markupsafe import Markup

from mis.web import i18n

WIDTH = 390  # small, so that text stays readable when a phone scales the drawing down
LABEL = 164  # room for the names of bars
ROW = 24
LINE = 13
LETTERS = 20  # as many fit into the room for names
LETTER = 7  # a digit at 12 px is about this wide
SERIES_MAX = 5  # more colours than this cannot be told apart

Show = Callable[[int], str]
Series = tuple[str, Sequence[int]]


@dataclass(frozen=True)
class Chart:
    """A drawing and the table behind it; `legend` names the series when there is more than one."""

    title: str
    svg: Markup
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    legend: tuple[str, ...] = ()


def bar_chart(
    title: str,
    values: Sequence[tuple[Any, int]],
    *,
    unit: str,
    heading: str = "",
    show: Show | None = None,
    locale: Locale | str | None = None,
) -> Chart:
    """One bar for each (label, value), in the order given."""
    labels = [label for label, _value in values]
    one = [(unit, [value for _label, value in values])]
    return grouped_bar_chart(title, labels, one, heading=heading, show=show, locale=locale)


def grouped_bar_chart(
    title: str,
    labels: Sequence[Any],
    series: Sequence[Series],
    *,
    heading: str = "",
    show: Show | None = None,
    locale: Locale | str | None = None,
) -> Chart:
    """For each label one bar per series, side by side: to compare series (women and men, planned and paid)."""
    bars = _Bars(labels, series, _Page.of(locale, show), thick=max(ROW, 14 * len(series) + 8))
    return bars.chart(title, heading, longest=max(map(max, bars.columns), default=0), draw=_side_by_side)


def stacked_bar_chart(
    title: str,
    labels: Sequence[Any],
    series: Sequence[Series],
    *,
    heading: str = "",
    show: Show | None = None,
    locale: Locale | str | None = None,
) -> Chart:
    """For each label one bar made of all series: for parts of a whole (paid, failed, not answered)."""
    bars = _Bars(labels, series, _Page.of(locale, show), thick=ROW)
    return bars.chart(title, heading, longest=max(map(sum, bars.columns), default=0), draw=_end_to_end)


def line_chart(
    title: str,
    points: Sequence[tuple[Any, int]],
    *,
    unit: str,
    heading: str = "",
    show: Show | None = None,
    locale: Locale | str | None = None,
) -> Chart:
    """A course over time: (label, value) in the order of time, from zero up."""
    labels, values = [str(label) for label, _value in points], [value for _label, value in points]
    assert all(value >= 0 for value in values), values
    page = _Page.of(locale, show)
    canvas = _Canvas(180, rtl=page.rtl)
    if points:
        _line(canvas, labels, values, page.show)
    rows = [(label, page.show(value)) for label, value in zip(labels, values, strict=True)]
    return Chart(title, canvas.svg(title, _told(labels, values, page.show)), (heading, unit), rows)


def ticks(maximum: int) -> list[int]:
    """From 0 to at least the maximum in at most six round numbers (steps of 1, 2 or 5 times a power of ten)."""
    step = 1
    while step * 5 < maximum:
        step = step // 2 * 5 if str(step)[0] == "2" else step * 2
    return list(range(0, max(math.ceil(maximum / step), 1) * step + 1, step))


@dataclass(frozen=True)
class _Page:
    """How the reader writes: the direction, and the look of a number."""

    rtl: bool
    show: Show

    @classmethod
    def of(cls, locale: Locale | str | None, show: Show | None) -> _Page:
        place = Locale.parse(str(locale or i18n.current()))
        return cls(place.text_direction == "rtl", show or partial(format_decimal, locale=place))


@dataclass
class _Canvas:
    """Collects shapes; x runs from where writing starts, so that a mirrored drawing needs no thought."""

    height: int
    rtl: bool
    parts: list[Markup] = field(default_factory=list)

    def rect(self, corner: tuple[float, float], size: tuple[float, float], css: str, tip: str) -> None:
        (x, y), (width, height) = corner, size
        shape = Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}"><title>{}</title></rect>')
        left = WIDTH - x - width if self.rtl else x
        self.parts.append(shape.format(_n(left), _n(y), _n(width), _n(height), css, tip))

    def text(self, x: float, y: float, words: str, *, anchor: str = "start", css: str = "") -> None:
        shape = Markup('<text x="{}" y="{}" text-anchor="{}" class="{}" font-size="12">{}</text>')
        self.parts.append(shape.format(self._x(x), _n(y), anchor, css, words))

    def rule(self, start: tuple[float, float], end: tuple[float, float], css: str) -> None:
        shape = Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"></line>')
        self.parts.append(shape.format(self._x(start[0]), _n(start[1]), self._x(end[0]), _n(end[1]), css))

    def path(self, points: Sequence[tuple[float, float]], css: str) -> None:
        corners = " ".join(f"{self._x(x)},{_n(y)}" for x, y in points)
        self.parts.append(Markup('<polyline points="{}" class="{}"></polyline>').format(corners, css))

    def dot(self, x: float, y: float, css: str, tip: str) -> None:
        shape = Markup('<circle cx="{}" cy="{}" r="3.5" class="{}"><title>{}</title></circle>')
        self.parts.append(shape.format(self._x(x), _n(y), css, tip))

    def _x(self, x: float) -> str:
        return _n(WIDTH - x if self.rtl else x)

    def svg(self, title: str, told: str) -> Markup:
        frame = Markup(
            '<svg viewBox="0 0 {} {}" role="img" direction="{}" xmlns="http://www.w3.org/2000/svg">'
            "<title>{}</title><desc>{}</desc>{}</svg>"
        )
        direction = "rtl" if self.rtl else "ltr"
        return frame.format(WIDTH, self.height, direction, title, told, Markup("").join(self.parts))


class _Bars:
    """Rows of bars: what the grouped and the stacked drawing have in common."""

    def __init__(self, labels: Sequence[Any], series: Sequence[Series], page: _Page, *, thick: int) -> None:
        assert 1 <= len(series) <= SERIES_MAX, len(series)
        assert all(value >= 0 for _name, values in series for value in values), series
        assert all(len(values) == len(labels) for _name, values in series), (labels, series)
        self.labels, self.page, self.thick = [str(label) for label in labels], page, thick
        self.names = tuple(name for name, _values in series)
        self.columns = list(
            zip(*(values for _name, values in series), strict=True)
        )  # the values of each label

    def chart(self, title: str, heading: str, *, longest: int, draw: Callable[[_Row], None]) -> Chart:
        if any(len(_in_lines(label)) > 1 for label in self.labels):
            self.thick = max(self.thick, 2 * LINE + 8)
        canvas, show = _Canvas(self.thick * len(self.labels) + 4, rtl=self.page.rtl), self.page.show
        scale = (WIDTH - LABEL - max(len(show(longest)) * LETTER + 8, 30)) / (longest or 1)
        for place, (label, column) in enumerate(zip(self.labels, self.columns, strict=True)):
            row = _Row(canvas, place * self.thick + 2, self.thick, column, self.names, scale, show)
            lines = _in_lines(label)
            for line, words in enumerate(lines):
                y = row.middle + (line - (len(lines) - 1) / 2) * LINE
                canvas.text(LABEL - 6, y, words, anchor="end")
            draw(row)
        canvas.rule((LABEL, 0), (LABEL, canvas.height), "axis")
        rows = [(label, *map(show, column)) for label, column in zip(self.labels, self.columns, strict=True)]
        told = _told(self.labels, [sum(column) for column in self.columns], show)
        legend = self.names if len(self.names) > 1 else ()
        return Chart(title, canvas.svg(title, told), (heading, *self.names), rows, legend)


@dataclass(frozen=True)
class _Row:
    """The bars of one label, and where they go."""

    canvas: _Canvas
    top: float
    thick: float
    values: Sequence[int]
    names: Sequence[str]
    scale: float
    show: Show

    @property
    def middle(self) -> float:
        return self.top + self.thick / 2 + 2

    def bar(self, place: int, *, x: float, y: float, height: float) -> float:
        """Draw the bar of one series and answer where it ends."""
        length = self.values[place] * self.scale
        tip = f"{self.names[place]}: {self.show(self.values[place])}"
        self.canvas.rect((x, y), (length, height), f"series-{place + 1}", tip)
        return x + length


def _side_by_side(row: _Row) -> None:
    height = (row.thick - 8) / len(row.values)
    for place, value in enumerate(row.values):
        y = row.top + 2 + place * height
        end = row.bar(place, x=LABEL, y=y, height=height - 1)
        row.canvas.text(end + 4, y + height / 2 + 4, row.show(value), css="quiet")


def _end_to_end(row: _Row) -> None:
    end = float(LABEL)
    for place in range(len(row.values)):
        end = row.bar(place, x=end, y=row.top + 2, height=row.thick - 8)
    row.canvas.text(end + 4, row.middle, row.show(sum(row.values)), css="quiet")


def _line(canvas: _Canvas, labels: list[str], values: list[int], show: Show) -> None:
    steps = ticks(max(values))
    widest = max(map(len, labels)) * LETTER
    start = max(len(show(step)) for step in steps) * LETTER + 10
    bottom, end = canvas.height - 24, WIDTH - max(widest / 2, 8)
    scale = (bottom - 12) / steps[-1]
    for step in steps:
        y = bottom - step * scale
        canvas.rule((start, y), (end, y), "grid" if step else "axis")
        canvas.text(start - 6, y + 4, show(step), anchor="end", css="quiet")
    apart = (end - start) / max(len(values) - 1, 1)
    places = [(start + index * apart, bottom - value * scale) for index, value in enumerate(values)]
    canvas.path(places, "line series-1")
    every = math.ceil((widest + 6) / apart)  # labels must not run into each other
    for index, ((x, y), label, value) in enumerate(zip(places, labels, values, strict=True)):
        canvas.dot(x, y, "series-1", f"{label}: {show(value)}")
        if (len(labels) - 1 - index) % every == 0:  # counted from the end: the newest is always named
            canvas.text(x, canvas.height - 6, label, anchor="middle", css="quiet")


def _told(labels: list[str], values: list[int], show: Show) -> str:
    """The drawing in one sentence, for those who hear it."""
    if not values:
        return str(_("Nothing to show."))
    top = max(range(len(values)), key=values.__getitem__)
    sentence = _("%(count)s values; the highest is %(label)s with %(value)s.")
    return str(sentence) % {"count": len(values), "label": labels[top], "value": show(values[top])}


def _in_lines(label: str) -> list[str]:
    """A name in one line or two, never wider than its room; the table beside the drawing has all of it."""
    lines = textwrap.wrap(label, LETTERS, max_lines=2, placeholder="…")
    return lines or [label]


def _n(value: float) -> str:
    """A coordinate with no more digits than the eye can see."""
    return f"{value:.1f}".removesuffix(".0")
