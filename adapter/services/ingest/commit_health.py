"""Whether the store takes commits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from adapter.errors import Unavailable

_log = logging.getLogger(__name__)


class _Refusal(Struct, frozen=True):
    reason: str
    until: float


class CommitHealth:
    """Remembers a commit that the store refused, until it takes one or `shunned` seconds are over."""

    def __init__(self, clock: Callable[[], float], shunned: float = 5.0) -> None:
        self._clock = clock
        self._shunned = shunned
        self._refusal: _Refusal | None = None
        self._logged: _Refusal | None = None

    @property
    def refusal(self) -> str | None:
        """Why the last commit failed; None when it did not, or long ago."""
        refusal = self._refusal
        return None if refusal is None or refusal.until <= self._clock() else refusal.reason

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Note what the store makes of the commit inside."""
        try:
            yield
        except Unavailable as error:
            self.log("the store has not taken a commit", error)
            self._refusal = _Refusal(error.public_message, self._clock() + self._shunned)
            raise
        self._refusal = None

    def log(self, what: str, error: Unavailable) -> None:
        """Log what readiness does not tell, once in a while: as long as it lasts it is met at every turn."""
        now = self._clock()
        if self._logged is not None and self._logged.reason == error.message and now < self._logged.until:
            return
        self._logged = _Refusal(error.message, now + self._shunned)
        _log.warning("%s: %s", what, error.message)
