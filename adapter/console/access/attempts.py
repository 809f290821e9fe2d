"""How many wrong tokens may be tried: by address, and in all."""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from starlette.requests import Request

from adapter.errors import TooManyAttempts

WINDOW: Final = timedelta(minutes=5)
PER_ADDRESS: Final = 10
IN_ALL: Final = 200
#: Characters of an address that a proxy adds: IPv6 with a port.
_LONGEST: Final = 60


class Attempts:
    """The wrong tokens of the last minutes, of one process. What is kept is bounded by `IN_ALL`."""

    def __init__(self) -> None:
        self._failed: deque[tuple[datetime, str]] = deque()
        self._by_address: Counter[str] = Counter()

    def require_room(self, address: str, now: datetime) -> None:
        """Raise TooManyAttempts where an address, or all together, have tried too often."""
        while self._failed and self._failed[0][0] <= now - WINDOW:
            _, gone = self._failed.popleft()
            self._by_address -= Counter([gone])
        if len(self._failed) >= IN_ALL or self._by_address[address] >= PER_ADDRESS:
            oldest = next(
                (at for at, each in self._failed if each == address or len(self._failed) >= IN_ALL), now
            )
            raise TooManyAttempts(max(1, round((oldest + WINDOW - now).total_seconds())))

    def note_failure(self, address: str, now: datetime) -> None:
        """Note a wrong token."""
        self._failed.append((now, address))
        self._by_address[address] += 1


def address_of(request: Request) -> str:
    """Return the address of a visitor; behind a proxy on this machine or network, the one that it has added.

    Anybody else could give as many addresses as there are.
    """
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded[:_LONGEST] if forwarded and _is_near(peer) else peer


def _is_near(address: str) -> bool:
    try:
        return ip_address(address).is_private
    except ValueError:  # a socket of this machine has no address
        return True
