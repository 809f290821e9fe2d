"""Sums, averages, extremes and distinct values of one attribute over a customer's events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from adapter.rules.history.needs import AttributeNeeds
from adapter.rules.history.time_buckets import MICRO, Series, covers, merged, serving

#: Distinct values remembered per attribute; the longest unseen goes first, and more count as this many.
MOST_VALUES = 256
_LIMIT = 2**63 - 1
_LONGEST_TEXT = 64


def scaled(value: Any) -> int | None:
    """Return a number in whole millionths; a float means its shortest decimal.

    None for anything else, and for numbers beyond 9.2e12, which no 64 bits of millionths hold.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, int):
        micro = value * MICRO
    elif isinstance(value, Decimal) and value.is_finite() and value.adjusted() < 18:
        micro = int(value.scaleb(6).to_integral_value(ROUND_HALF_EVEN))
    else:
        return None
    return micro if -_LIMIT <= micro <= _LIMIT else None


def value_key(value: Any) -> str | None:
    """Return what tells one value from another; 1 and 1.0 are the same, 1 and "1" are not."""
    if isinstance(value, str):
        short = (
            value
            if len(value) <= _LONGEST_TEXT
            else blake2b(value.encode("utf-8", "replace"), digest_size=16).hexdigest()
        )
        return "t" + short
    if isinstance(value, bool):
        return "b1" if value else "b0"
    number = scaled(value)
    return None if number is None else f"n{number}"


def changed_key(key: str, change: Callable[[str], str]) -> str:
    """Return the key of a value whose text is changed; a whole number that is changed becomes a text."""
    kind, text = key[0], key[1:]
    if kind == "n" and int(text) % MICRO == 0:
        number = str(int(text) // MICRO)
        return key if (changed := change(number)) == number else f"t{changed}"
    return f"t{change(text)}" if kind == "t" else key


class Figures(Struct, array_like=True):
    """What is kept of one attribute; amounts are millionths, moments seconds since 1970.

    `spoiled` says that a sum left 64 bits: then the attribute's figures are unknown. `values` is None
    where no rule asks for distinct ones.
    """

    count: int = 0
    sum: int = 0
    least: int | None = None
    most: int | None = None
    spoiled: bool = False
    series: dict[int, Series] = {}
    values: dict[str, int] | None = None

    @classmethod
    def opened(cls, needs: AttributeNeeds) -> Figures:
        """Return empty figures that keep what is needed."""
        series = {width: Series(width, horizon, [b""] * 5) for width, horizon in needs.spans.items()}
        return cls(series=series, values={} if needs.distinct else None)

    def add(self, second: int, value: Any) -> None:
        """Take one value in; what is no number counts among the distinct values alone."""
        if self.values is not None:
            self._remember(second, value)
        number = scaled(value)
        if number is None or self.spoiled:
            return
        try:
            if abs(self.sum + number) > _LIMIT:
                raise OverflowError
            for series in self.series.values():
                series.add(second, 1, number)
        except OverflowError:
            self.spoiled = True
            return
        self.count += 1
        self.sum += number
        self.least = number if self.least is None else min(self.least, number)
        self.most = number if self.most is None else max(self.most, number)

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Change texts and whole numbers among the distinct values."""
        if self.values is not None:
            self.values = {changed_key(key, change): at for key, at in self.values.items()}

    def _remember(self, second: int, value: Any) -> None:
        key = value_key(value)
        if key is None or self.values is None:
            return
        self.values[key] = max(second, self.values.get(key, second))
        if len(self.values) > MOST_VALUES:
            del self.values[min(self.values, key=lambda known: (self.values or {})[known])]

    def total(self, window: timedelta | None, now: int) -> int | None:
        """Return the sum, in millionths."""
        if self.spoiled or window is None:
            return None if self.spoiled else self.sum
        series, since = self._window(window, now)
        return None if series is None else series.total(since)

    def counted(self, window: timedelta | None, now: int) -> int | None:
        """Return how many values there were."""
        if window is None:
            return self.count
        series, since = self._window(window, now)
        return None if series is None else series.count(since)

    def average(self, window: timedelta | None, now: int) -> int | Fraction | None:
        """Return the exact mean; None when there is no value."""
        total, count = self.total(window, now), self.count
        if window is not None:
            series, since = self._window(window, now)
            count = 0 if series is None else series.count(since)
        if total is None or not count:
            return None
        mean = Fraction(total, count * MICRO)
        return mean.numerator if mean.denominator == 1 else mean

    def extreme(self, window: timedelta | None, now: int, pick: Any) -> int | None:
        """Return the least or the greatest value, in millionths; None when there is none."""
        if self.spoiled or window is None:
            return None if self.spoiled else self.least if pick is min else self.most
        series, since = self._window(window, now)
        return None if series is None else series.extreme(since, pick)

    def distinct(self, window: timedelta | None, now: int) -> int | None:
        """Return how many different values there were, up to MOST_VALUES."""
        if self.values is None:
            return None
        if window is None:
            return len(self.values)
        since = now - int(window.total_seconds())
        return sum(1 for seen in self.values.values() if seen >= since)

    def _window(self, window: timedelta, now: int) -> tuple[Series | None, int]:
        seconds = int(window.total_seconds())
        series = serving(self.series, seconds)
        return series, 0 if series is None else series.start(now, seconds)

    def covers(self, needs: AttributeNeeds) -> bool:
        """Tell whether everything needed is kept."""
        return covers(self.series, needs.spans) and (self.values is not None or not needs.distinct)

    def joined(self, other: Figures) -> Figures:
        """Return the figures of both together; what only one keeps is left out."""
        together = Figures(
            self.count + other.count,
            self.sum + other.sum,
            _picked(min, self.least, other.least),
            _picked(max, self.most, other.most),
            self.spoiled or other.spoiled,
        )
        try:
            together.series = merged(self.series, other.series)
        except OverflowError:
            together.spoiled = True
        if abs(together.sum) > _LIMIT:
            together.sum, together.spoiled = 0, True
        if self.values is not None and other.values is not None:
            together.values = _latest(self.values, other.values)
        return together


def _picked(pick: Any, one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return pick(known) if known else None


def _latest(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    values = dict(one)
    for key, second in other.items():
        values[key] = max(second, values.get(key, second))
    kept = sorted(values, key=lambda key: values[key])[-MOST_VALUES:]
    return {key: values[key] for key in kept}
