"""What every destination guarantees."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from adapter.model.deliveries import Delivery


class Attempt(Struct, frozen=True):
    """What came of one try.

    `retry_after` is how long the destination asked to be left alone. `gone` says that it wants nothing
    more, ever. `error` is one sentence for the operator, without secrets or payload.
    """

    ok: bool
    retry_after: timedelta | None = None
    gone: bool = False
    error: str | None = None


class Destination(Protocol):
    """One place where deliveries go."""

    @property
    def name(self) -> str:
        """The name by which deliveries are addressed to it."""
        ...

    async def send(self, delivery: Delivery, now: datetime) -> Attempt:
        """Try once, in bounded time; trouble of the network or of the receiver is an answer, never raised."""
        ...
