"""The quota of a destination, counted in the store, so that several processes agree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapter.destinations.contract import Costly, Destination, Manner
from adapter.model.deliveries import Delivery, Pause
from adapter.services.delivery.erasures import is_erasure
from adapter.store.contract import Store
from adapter.store.forwarding_values import CallLimits, Refusal


class Quota:
    """Counts the calls of one destination before they are made; without limits it counts nothing."""

    def __init__(self, store: Store, destination: Destination, manner: Manner) -> None:
        self._store = store
        self._destination = destination
        self._limits = CallLimits(manner.per_minute, manner.per_month)
        self._limited = bool(manner.per_minute or manner.per_month)

    async def refused(self, batch: Sequence[Delivery], now: datetime) -> Pause | None:
        """Return the pause of the destination until its calls may be made; None where they may be made now.

        An erasure is never held back. Raises Unavailable.
        """
        if not self._limited or is_erasure(batch[0]):
            return None
        destination = self._destination
        calls = sum(map(destination.calls, batch)) if isinstance(destination, Costly) else 1
        refusal = await self._store.spend(now, self._destination.name, calls, self._limits)
        return None if refusal is None else self._pause(refusal, now)

    def _pause(self, refusal: Refusal, now: datetime) -> Pause:
        most = self._limits.per_month if refusal.limit == "month" else self._limits.per_minute
        reason = f"the quota of {most} calls a {refusal.limit} is used up"
        return Pause(self._destination.name, now, refusal.until, reason)
