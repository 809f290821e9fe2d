"""Bounds how many codes that are none a customer or a caller may try, so that codes cannot be guessed.

The counts are in the store, so all processes share them. Only a wrong code writes: a caller adds at most
`PER_CALLER` rows in a window, and each row is deleted within the hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from adapter.errors import Refused
from adapter.model.erasures import fingerprint
from adapter.store.checkout_values import FailedBy
from adapter.store.checkout_values import FailedCodes as Failed
from adapter.store.contract import Store

#: Wrong codes that one customer, and one caller without a customer, may send within the window.
PER_CUSTOMER = 20
PER_CALLER = 1_000
WINDOW = timedelta(minutes=10)


class TooManyFailedCodes(Refused):
    """Too many wrong codes were sent; `retry_after` is in seconds."""

    code = "too_many_failed_codes"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many wrong codes were tried: try again in {retry_after} seconds")
        self.retry_after = retry_after


class FailedCodeCounter:
    """Counts wrong codes by customer and by caller, in windows that begin with the first of them."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def note(self, caller: str, source_id: str, count: int) -> None:
        """Count wrong codes."""
        if count:
            now = self._clock()
            await self._store.add_failed_codes(failed_by(caller, source_id), count, now, now - WINDOW)


def expect_room(failed: Mapping[FailedBy, Failed], now: datetime) -> None:
    """Raise TooManyFailedCodes where a customer or a caller has sent too many within the window."""
    for (customer, _), found in failed.items():
        most = PER_CUSTOMER if customer else PER_CALLER
        if found.wrong >= most and now < found.since + WINDOW:
            raise TooManyFailedCodes(int((found.since + WINDOW - now).total_seconds()) + 1)


def failed_by(caller: str, source_id: str) -> list[FailedBy]:
    """Return under which keys wrong codes of a call are counted."""
    keys = [(b"", caller)]
    return [*keys, (fingerprint(source_id), "")] if source_id else keys
