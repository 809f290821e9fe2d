"""Plots as SVG inside a page: no script, no request, colours by the page's style (light and dark)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import accumulate

from msgspec import Struct

_WIDTH, _HEIGHT = 720, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 10, 24
#: Labels under the days at most.
_LABELS = 8


class Series(Struct, frozen=True):
    """One colour of a plot; `style` is a class of the page: `issued`, `withheld`, `control`, `was`."""

    label: str
    style: str
    values: Sequence[float]


def bars(title: str, labels: Sequence[str], stacked: Sequence[Series], lines: Sequence[Series] = ()) -> str:
    """Return stacked bars, one for each label, with lines over them; hovering shows the numbers."""
    sums = [sum(values) for values in zip(*(each.values for each in stacked), strict=True)]
    highest = max([*sums, *(value for line in lines for value in line.values)], default=0) or 1
    scale = _Scale(len(labels), highest)
    drawn = []
    for at, label in enumerate(labels):
        tops = list(accumulate(each.values[at] for each in stacked))
        told = ", ".join(f"{each.label} {each.values[at]:,.0f}" for each in (*stacked, *lines))
        for each, top in zip(stacked, tops, strict=True):
            drawn.append(scale.bar(at, top - each.values[at], top, each.style))
        drawn.append(scale.hover(at, f"{label}: {told}"))
    drawn[:0] = [scale.axis(labels)]
    drawn += [scale.line(each) for each in lines]
    return _svg(title, drawn) + _legend([*stacked, *lines])


def curves(title: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """Return a line for each series over the same labels."""
    highest = max((value for each in series for value in each.values), default=0) or 1
    scale = _Scale(len(labels), highest)
    drawn = [scale.axis(labels), *(scale.line(each, marked=True) for each in series)]
    for at, label in enumerate(labels):
        told = ", ".join(f"{each.label} {each.values[at]:,.2f}" for each in series)
        drawn.append(scale.hover(at, f"{label}: {told}"))
    return _svg(title, drawn) + _legend(series)


def shares(title: str, rows: Sequence[tuple[str, float, str]]) -> str:
    """Return a horizontal bar for each share from 0 to 1, with its text."""
    height = 26 * len(rows) + 4
    drawn = []
    for at, (label, share, told) in enumerate(rows):
        y = 26 * at
        drawn.append(
            f'<rect class="bar funnel" x="0" y="{y + 4}" width="{max(0.0, share) * 260:.1f}" height="16"/>'
            f'<text class="row" x="268" y="{y + 17}">{escape(told)}</text>'
            f'<text class="row condition" x="380" y="{y + 17}">{escape(_short(label))}'
            f"<title>{escape(label)}</title></text>"
        )
    return _svg(title, drawn, height)


class _Scale:
    """Places of one plot with so many columns, up to a highest value."""

    def __init__(self, columns: int, highest: float) -> None:
        self._columns = max(1, columns)
        self._highest = highest
        self._step = (_WIDTH - _LEFT - _RIGHT) / self._columns

    def x(self, at: float) -> float:
        return _LEFT + at * self._step

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - value / self._highest * (_HEIGHT - _TOP - _BOTTOM)

    def bar(self, at: int, low: float, high: float, style: str) -> str:
        if high <= low:
            return ""
        x, width = self.x(at + 0.1), max(0.5, 0.8 * self._step)
        top, bottom = self.y(high), self.y(low)
        return (
            f'<rect class="bar {style}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" '
            f'height="{bottom - top:.1f}"/>'
        )

    def hover(self, at: int, told: str) -> str:
        return (
            f'<rect class="hover" x="{self.x(at):.1f}" y="{_TOP}" width="{self._step:.1f}" '
            f'height="{_HEIGHT - _TOP - _BOTTOM}"><title>{escape(told)}</title></rect>'
        )

    def line(self, series: Series, *, marked: bool = False) -> str:
        points = [(self.x(at + 0.5), self.y(value)) for at, value in enumerate(series.values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        marks = "".join(
            f'<circle class="mark {series.style}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points
        )
        return f'<polyline class="line {series.style}" points="{path}"/>' + (marks if marked else "")

    def axis(self, labels: Sequence[str]) -> str:
        drawn = []
        for part in (0.0, 0.5, 1.0):
            value, y = part * self._highest, self.y(part * self._highest)
            drawn.append(
                f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
                f"{_number(value)}</text>"
            )
        every = max(1, -(-len(labels) // _LABELS))
        drawn += [
            f'<text class="tick" x="{self.x(at + 0.5):.1f}" y="{_HEIGHT - 6}" text-anchor="middle">'
            f"{escape(labels[at])}</text>"
            for at in range(0, len(labels), every)
        ]
        return "".join(drawn)


def _svg(title: str, drawn: Sequence[str], height: int = _HEIGHT) -> str:
    return (
        f'<svg role="img" viewBox="0 0 {_WIDTH} {height}" aria-label="{escape(title)}">{"".join(drawn)}</svg>'
    )


def _legend(series: Sequence[Series]) -> str:
    keys = "".join(
        f'<span><i class="key {each.style}"></i>{escape(each.label)}</span>' for each in series if each.label
    )
    return f'<p class="legend">{keys}</p>'


def _number(value: float) -> str:
    if value >= 10_000:
        return f"{value / 1000:,.0f}k"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _short(text: str) -> str:
    return text if len(text) <= 52 else f"{text[:51]}…"
