"""Running totals by time bucket: any window's total in logarithmic time, whatever the number of events.

A series holds one row per bucket in which something happened: the bucket's number and the totals of
everything up to its end. A window's total is the last row less the row before the window, so reading
costs a binary search. Rows are little-endian columns of fixed width, read in place, not decoded.

Sums are whole millionths: a value is taken at six decimals (half to even), and sums of those are exact.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

#: (longest window in seconds, bucket width in seconds), finest first. A window reaches back to the start
#: of the bucket that it begins in, so at most one width more than it says.
LEVELS = ((3 * 3600, 60), (8 * 86400, 3600), (400 * 86400, 86400), (3660 * 86400, 604800))
MICRO = 1_000_000

_SWAPPED = sys.byteorder == "big"


def width_for(window: int) -> int:
    """Return the bucket width, in seconds, that a window of so many seconds is counted in."""
    return next((width for longest, width in LEVELS if window <= longest), LEVELS[-1][1])


class Series(Struct, array_like=True):
    """Totals by bucket of `width` seconds, kept for `horizon` seconds; `columns` are packed 64-bit rows.

    Columns: bucket number, running count, and for values: running sum, bucket minimum, bucket maximum
    (millionths). `base_count` and `base_sum` are the totals before the first row.
    """

    width: int
    horizon: int
    columns: list[bytes]
    base_count: int = 0
    base_sum: int = 0

    def column(self, number: int) -> memoryview[int]:
        """Return a column as a sequence of integers, read in place."""
        column = self.columns[number]
        return memoryview(unpack(column)) if _SWAPPED else memoryview(column).cast("q")

    def start(self, now: int, window: int) -> int:
        """Return the first bucket of a window that ends at `now`, both in seconds."""
        return (now - window) // self.width

    def count(self, since: int) -> int:
        """Return how many fell into the buckets from `since` on."""
        return self._since(1, since, self.base_count)

    def total(self, since: int) -> int:
        """Return the sum of the values in the buckets from `since` on, in millionths."""
        return self._since(2, since, self.base_sum)

    def _since(self, number: int, since: int, base: int) -> int:
        running = self.column(number)
        if not running:
            return 0
        before = bisect_left(self.column(0), since)
        return running[-1] - (running[before - 1] if before else base)

    def extreme(self, since: int, pick: Any) -> int | None:
        """Return the least (`pick=min`) or greatest (`max`) value from `since` on, in millionths."""
        values = self.column(3 if pick is min else 4)[bisect_left(self.column(0), since) :]
        return pick(values) if len(values) else None

    def add(self, second: int, count: int, value: int | None = None, least: int | None = None,
            most: int | None = None) -> None:  # fmt: skip
        """Count events of one moment in, in whatever order they come; `value` is their sum in millionths.

        Raises OverflowError when a running sum leaves 64 bits.
        """
        columns = [unpack(column) for column in self.columns]
        buckets = columns[0]
        bucket = second // self.width
        at = bisect_left(buckets, bucket)
        if at == len(buckets) or buckets[at] != bucket:
            self._open(
                columns, at, bucket, value if least is None else least, value if most is None else most
            )
        for row in range(at, len(buckets)):
            columns[1][row] += count
        if value is not None:
            for row in range(at, len(buckets)):
                columns[2][row] += value
            columns[3][at] = min(columns[3][at], value if least is None else least)
            columns[4][at] = max(columns[4][at], value if most is None else most)
        self._trim(columns)
        self.columns = [pack(column) for column in columns]

    def _open(
        self, columns: list[array[int]], at: int, bucket: int, least: int | None, most: int | None
    ) -> None:
        columns[0].insert(at, bucket)
        columns[1].insert(at, columns[1][at - 1] if at else self.base_count)
        if len(columns) > 2:
            columns[2].insert(at, columns[2][at - 1] if at else self.base_sum)
            columns[3].insert(at, least or 0)
            columns[4].insert(at, most or 0)

    def _trim(self, columns: list[array[int]]) -> None:
        """Forget the oldest buckets that no window can reach.

        As many buckets are kept as the horizon spans, counted and not measured from the newest, so that
        one event with a wrong clock costs one bucket and not the window.
        """
        gone = len(columns[0]) - self.horizon // self.width - 2
        if gone > 0:
            self.base_count = columns[1][gone - 1]
            if len(columns) > 2:
                self.base_sum = columns[2][gone - 1]
            for column in columns:
                del column[:gone]

    def merged(self, other: Series) -> Series:
        """Return the series of both; the horizon is the shorter one, which is all that is known of both."""
        into = Series(self.width, min(self.horizon, other.horizon), [b""] * len(self.columns))
        entries = sorted([*self._entries(), *other._entries()])
        for bucket, count, value, least, most in entries:
            second = bucket * self.width
            if len(self.columns) > 2:
                into.add(second, count, value, least, most)
            else:
                into.add(second, count)
        return into

    def _entries(self) -> list[tuple[int, int, int, int, int]]:
        columns = [self.column(number) for number in range(len(self.columns))]
        entries: list[tuple[int, int, int, int, int]] = []
        count, total = self.base_count, self.base_sum
        for row, bucket in enumerate(columns[0]):
            here = columns[1][row] - count
            count = columns[1][row]
            if len(columns) > 2:
                entries.append((bucket, here, columns[2][row] - total, columns[3][row], columns[4][row]))
                total = columns[2][row]
            else:
                entries.append((bucket, here, 0, 0, 0))
        return entries


def serving(series: Mapping[int, Series], window: int) -> Series | None:
    """Return the series that a window of so many seconds is read from, when it is kept for that long."""
    found = series.get(width_for(window))
    return found if found is not None and found.horizon >= window else None


def covers(series: Mapping[int, Series], spans: Mapping[int, int]) -> bool:
    """Tell whether every span (bucket width to longest window) is kept."""
    return all(width in series and series[width].horizon >= window for width, window in spans.items())


def merged(one: Mapping[int, Series], other: Mapping[int, Series]) -> dict[int, Series]:
    """Return what both keep, added up."""
    return {width: one[width].merged(other[width]) for width in one.keys() & other.keys()}


def pack(column: array[int]) -> bytes:
    """Return a column as little-endian bytes."""
    if _SWAPPED:
        column = column[:]
        column.byteswap()
    return column.tobytes()


def unpack(column: bytes) -> array[int]:
    """Return a column as integers that can change."""
    unpacked = array("q")
    unpacked.frombytes(column)
    if _SWAPPED:
        unpacked.byteswap()
    return unpacked
