"""Retries on request: dead deliveries become due again, and pauses of destinations end."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from msgspec import Struct

from adapter.errors import NotFound
from adapter.files.problems import did_you_mean
from adapter.model.deliveries import Pause, Selection
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store


class Retried(Struct, frozen=True):
    """How many dead deliveries became due again, and which pauses were ended."""

    retried: int
    resumed: list[Pause]


async def retry_all(store: Store, now: datetime, destination: str | None = None) -> Retried:
    """Make dead and waiting deliveries due `now`, and end pauses; of one destination if it is named."""
    paused = await store.pauses(now)
    await store.resume(destination)
    retried = await store.revive(now, Selection(destination=destination), waiting=True)
    return Retried(retried, [each for each in paused if destination in (None, each.destination)])


class Retries:
    """The same for HTTP callers: `wake` wakes the dispatcher, `names` are the destinations."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        names: Collection[str],
        patience: ReadTimeout,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._names = names
        self._patience = patience

    async def pauses(self) -> list[Pause]:
        """Return the pauses in force: the destination, the end, and the reason."""
        return await self._patience.read(self._store.pauses(self._clock()))

    async def retry_all(self, destination: str | None = None) -> Retried:
        """Make dead deliveries due and end pauses; raises NotFound for an unknown destination."""
        if destination is not None and destination not in self._names:
            message = f"no destination is named `{destination}`"
            raise NotFound("; ".join(filter(None, (message, did_you_mean(destination, self._names)))))
        done = await retry_all(self._store, self._clock(), destination)
        self._wake()
        return done
