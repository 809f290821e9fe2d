"""Whether commits to the store succeed."""

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
    """Remembers the failure of a commit, until one succeeds or `shunned` seconds have passed."""

    def __init__(self, clock: Callable[[], float], shunned: float = 5.0) -> None:
        self._clock = clock
        self._shunned = shunned
        self._refusal: _Refusal | None = None
        self._logged: _Refusal | None = None

    @property
    def refusal(self) -> str | None:
        """Why the last commit failed; None when it succeeded, or failed longer ago."""
        refusal = self._refusal
        return None if refusal is None or refusal.until <= self._clock() else refusal.reason

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Record whether the commit in the block succeeds."""
        try:
            yield
        except Unavailable as error:
            self.log("a commit failed", error)
            self._refusal = _Refusal(error.public_message, self._clock() + self._shunned)
            raise
        self._refusal = None

    def log(self, what: str, error: Unavailable) -> None:
        """Log a failure at most every `shunned` seconds, because it repeats as long as it lasts."""
        now = self._clock()
        if self._logged is not None and self._logged.reason == error.message and now < self._logged.until:
            return
        self._logged = _Refusal(error.message, now + self._shunned)
        _log.warning("%s: %s", what, error.message)
