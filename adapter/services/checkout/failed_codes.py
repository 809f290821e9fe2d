"""Bounds how many codes that are none a customer or a caller may try, so that codes cannot be guessed.

Each process counts for itself: with several, a guesser has as many tries more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from adapter.errors import Refused

#: Wrong codes that one customer, and one caller without a customer, may send within the window.
PER_CUSTOMER = 20
PER_CALLER = 1_000
WINDOW = timedelta(minutes=10)
#: So many customers and callers are remembered, the latest.
_MOST = 10_000


class TooManyFailedCodes(Refused):
    """Too many wrong codes were sent; `retry_after` is in seconds."""

    code = "too_many_failed_codes"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many wrong codes were tried: try again in {retry_after} seconds")
        self.retry_after = retry_after


class FailedCodes:
    """Counts wrong codes by customer and by caller, in windows that begin with the first of them."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str], tuple[datetime, int]] = OrderedDict()

    def expect_room(self, caller: str, source_id: str) -> None:
        """Raise TooManyFailedCodes where a customer or a caller has sent too many."""
        now = self._clock()
        for key, most in _keys(caller, source_id):
            begun, count = self._counts.get(key, (now, 0))
            if count >= most and now < begun + WINDOW:
                raise TooManyFailedCodes(int((begun + WINDOW - now).total_seconds()) + 1)

    def note(self, caller: str, source_id: str, count: int) -> None:
        """Count wrong codes."""
        now = self._clock()
        for key, _ in _keys(caller, source_id) if count else ():
            begun, before = self._counts.pop(key, (now, 0))
            if now >= begun + WINDOW:
                begun, before = now, 0
            self._counts[key] = begun, before + count
            if len(self._counts) > _MOST:
                self._counts.popitem(last=False)


def _keys(caller: str, source_id: str) -> list[tuple[tuple[str, str], int]]:
    keys = [(("caller", caller), PER_CALLER)]
    return [*keys, (("customer", source_id), PER_CUSTOMER)] if source_id else keys
