"""Charts drawn on the server as SVG: no script, no inline style, and the same numbers always as a table beside.

Every function takes whole numbers (counts, or minor units with a `show` that formats them) and returns a Chart,
which macros/charts.html puts on the page. Colours are classes of mis.css, so light, dark and print just work;
right-to-left locales get the mirrored drawing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from babel import Locale
from babel.numbers import format_decimal
from flask_babel import gettext as _
from markupsafe import Markup

from mis.web import i18n

WIDTH = 440  # small, so that text stays readable when a phone scales the drawing down
LABEL = 124  # room for the names of bars
ROW = 24
SERIES_MAX = 5  # more colours than this cannot be told apart

Show = Callable[[int], str]
Series = tuple[str, Sequence[int]]


@dataclass(frozen=True)
class Chart:
    """A drawing and the table behind it; `legend` names the series when there is more than one."""

    title: str
    svg: Markup
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
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
    labels = [str(label) for label, _value in values]
    return _bars(title, labels, [(unit, [value for _label, value in values])], heading, show, locale, stacked=False)


def grouped_bar_chart(
    title: str,
    labels: Sequence[Any],
    series: Sequence[Series],
    *,
    heading: str = "",
    show: Show | None = None,
    locale: Locale | str | None = None,
) -> Chart:
    """For each label one bar per series, side by side: for comparing series (men and women, planned and paid)."""
    return _bars(title, [str(label) for label in labels], series, heading, show, locale, stacked=False)


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
    return _bars(title, [str(label) for label in labels], series, heading, show, locale, stacked=True)


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
    place = Locale.parse(str(locale or i18n.current()))
    shown = show or _plain(place)
    canvas = _Canvas(190, rtl=place.text_direction == "rtl")
    if points:
        _draw_line(canvas, labels, values, shown)
    rows = [(label, shown(value)) for label, value in zip(labels, values, strict=True)]
    return Chart(title, canvas.svg(title, _described(labels, values, shown)), (heading, unit), rows)


def ticks(maximum: int) -> list[int]:
    """From 0 to at least the maximum in at most six round steps (1, 2 or 5 times a power of ten)."""
    step = 1
    while step * 5 < maximum:
        step = step * 2 if str(step)[0] in "15" else step // 2 * 5
    return list(range(0, max(maximum, 1) + step, step)) if maximum % step else list(range(0, max(maximum, 1) + 1, step))


@dataclass
class _Canvas:
    """Collects shapes; x runs from the start of the line of writing, so that a mirrored drawing needs no thought."""

    height: int
    rtl: bool
    parts: list[Markup] = field(default_factory=list)

    def rect(self, x: float, y: float, width: float, height: float, css: str, tip: str) -> None:
        left = WIDTH - x - width if self.rtl else x
        self.parts.append(
            Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}"><title>{}</title></rect>').format(
                _n(left), _n(y), _n(width), _n(height), css, tip
            )
        )

    def text(self, x: float, y: float, words: str, *, anchor: str = "start", css: str = "") -> None:
        self.parts.append(
            Markup('<text x="{}" y="{}" text-anchor="{}" class="{}" font-size="12">{}</text>').format(
                _n(self.x(x)), _n(y), anchor, css, words
            )
        )

    def rule(self, x1: float, y1: float, x2: float, y2: float, css: str) -> None:
        self.parts.append(
            Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"></line>').format(
                _n(self.x(x1)), _n(y1), _n(self.x(x2)), _n(y2), css
            )
        )

    def path(self, points: Sequence[tuple[float, float]], css: str) -> None:
        corners = " ".join(f"{_n(self.x(x))},{_n(y)}" for x, y in points)
        self.parts.append(Markup('<polyline points="{}" class="{}"></polyline>').format(corners, css))

    def dot(self, x: float, y: float, css: str, tip: str) -> None:
        self.parts.append(
            Markup('<circle cx="{}" cy="{}" r="3.5" class="{}"><title>{}</title></circle>').format(
                _n(self.x(x)), _n(y), css, tip
            )
        )

    def x(self, x: float) -> float:
        return WIDTH - x if self.rtl else x

    def svg(self, title: str, description: str) -> Markup:
        frame = Markup(
            '<svg viewBox="0 0 {} {}" role="img" direction="{}" xmlns="http://www.w3.org/2000/svg">'
            "<title>{}</title><desc>{}</desc>{}</svg>"
        )
        direction = "rtl" if self.rtl else "ltr"
        return frame.format(WIDTH, self.height, direction, title, description, Markup("").join(self.parts))


def _bars(
    title: str,
    labels: list[str],
    series: Sequence[Series],
    heading: str,
    show: Show | None,
    locale: Locale | str | None,
    *,
    stacked: bool,
) -> Chart:
    assert 1 <= len(series) <= SERIES_MAX, len(series)
    assert all(value >= 0 for _name, values in series for value in values), series
    assert all(len(values) == len(labels) for _name, values in series), (labels, series)
    place = Locale.parse(str(locale or i18n.current()))
    shown = show or _plain(place)
    columns = list(zip(*(values for _name, values in series), strict=True))  # one tuple of values per label
    thick = ROW if stacked else max(ROW, 14 * len(series) + 8)
    canvas = _Canvas(thick * len(labels) + 4, rtl=place.text_direction == "rtl")
    names = [name for name, _values in series]
    longest = max((sum(column) if stacked else max(column) for column in columns), default=0)
    room = max((len(shown(longest)) * 7 + 8, 30))
    scale = (WIDTH - LABEL - room) / (longest or 1)
    for row, (label, column) in enumerate(zip(labels, columns, strict=True)):
        top = row * thick + 2
        canvas.text(LABEL - 6, top + thick / 2 + 2, _short(label), anchor="end")
        draw = _draw_stack if stacked else _draw_group
        draw(canvas, top, thick, column, names, scale, shown)
    canvas.rule(LABEL, 0, LABEL, canvas.height, "axis")
    totals = [sum(column) for column in columns]
    rows = [(label, *map(shown, column)) for label, column in zip(labels, columns, strict=True)]
    legend = tuple(names) if len(names) > 1 else ()
    return Chart(title, canvas.svg(title, _described(labels, totals, shown)), (heading, *names), rows, legend)


def _draw_group(
    canvas: _Canvas, top: float, thick: float, column: Sequence[int], names: list[str], scale: float, show: Show
) -> None:
    height = (thick - 8) / len(column)
    for place, value in enumerate(column):
        y = top + 2 + place * height
        canvas.rect(LABEL, y, value * scale, height - 1, f"series-{place + 1}", f"{names[place]}: {show(value)}")
        canvas.text(LABEL + value * scale + 4, y + height / 2 + 4, show(value), css="quiet")


def _draw_stack(
    canvas: _Canvas, top: float, thick: float, column: Sequence[int], names: list[str], scale: float, show: Show
) -> None:
    x = float(LABEL)
    for place, value in enumerate(column):
        canvas.rect(x, top + 2, value * scale, thick - 8, f"series-{place + 1}", f"{names[place]}: {show(value)}")
        x += value * scale
    canvas.text(x + 4, top + thick / 2 + 2, show(sum(column)), css="quiet")


def _draw_line(canvas: _Canvas, labels: list[str], values: list[int], show: Show) -> None:
    steps = ticks(max(values))
    start = max(len(show(step)) for step in steps) * 7 + 10
    bottom, end = canvas.height - 24, WIDTH - 16
    scale = (bottom - 12) / steps[-1]
    for step in steps:
        y = bottom - step * scale
        canvas.rule(start, y, end, y, "axis" if step == 0 else "grid")
        canvas.text(start - 6, y + 4, show(step), anchor="end", css="quiet")
    apart = (end - start) / max(len(values) - 1, 1)
    places = [(start + index * apart, bottom - value * scale) for index, value in enumerate(values)]
    canvas.path(places, "line series-1")
    every = -(-max(map(len, labels)) * 7 * len(labels) // (end - start)) or 1  # labels must not run into each other
    for index, ((x, y), label, value) in enumerate(zip(places, labels, values, strict=True)):
        canvas.dot(x, y, "series-1", f"{label}: {show(value)}")
        if (len(labels) - 1 - index) % every == 0:
            canvas.text(x, canvas.height - 6, label, anchor=_anchor(index, len(labels)), css="quiet")


def _anchor(index: int, count: int) -> str:
    return "start" if index == 0 and count > 1 else "end" if index == count - 1 and count > 1 else "middle"


def _described(labels: list[str], values: list[int], show: Show) -> str:
    """The drawing in one sentence, for those who hear it."""
    if not values:
        return _("Nothing to show.")
    top = max(range(len(values)), key=values.__getitem__)
    return _(
        "%(count)s values; the highest is %(label)s with %(value)s.",
        count=len(values),
        label=labels[top],
        value=show(values[top]),
    )


def _plain(locale: Locale) -> Show:
    return lambda value: format_decimal(value, locale=locale)


def _short(label: str) -> str:
    return label if len(label) <= 19 else label[:18].rstrip() + "…"


def _n(value: float) -> str:
    """A coordinate with no more digits than the eye can see."""
    return f"{value:.1f}".removesuffix(".0")
