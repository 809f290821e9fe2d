"""What an operator does to deliveries: retries, the end of pauses, a test push; and sees of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from msgspec import Struct

from adapter.destinations.contract import Destination, Testable
from adapter.errors import NotFound, Refused
from adapter.files.problems import did_you_mean
from adapter.model.deliveries import EVERYTHING, UNSENT, WAITING, DeliveryStatus, Selection
from adapter.model.pages import Page
from adapter.services.delivery.shown import Rest, ShownDelivery, ends, rests, shown
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store


class Retried(Struct, frozen=True):
    """How many deliveries became due again, and which pauses and breakers were ended."""

    retried: int
    resumed: list[Rest]


class Pushed(Struct, frozen=True):
    """What a destination answered to a test push."""

    ok: bool
    status: int | None
    error: str | None
    answer: str


class ShownDestination(Struct, frozen=True):
    """A destination in use: its name and type, and whether a test push can try it."""

    name: str
    type: str
    testable: bool


async def ended(store: Store, now: datetime, destination: str | None = None) -> list[Rest]:
    """End the pauses and close the breakers of a destination, or of all; return which these were."""
    found = await rests(store, now)
    await store.resume(destination)
    return [each for each in found if destination in (None, each.destination)]


async def retry_all(store: Store, now: datetime, destination: str | None = None) -> Retried:
    """Make dead and waiting deliveries due `now`, and end pauses; of one destination if it is named."""
    resumed = await ended(store, now, destination)
    selection = Selection(destination=destination)
    return Retried(await store.revive(now, selection, UNSENT), resumed)


async def resume(store: Store, now: datetime, destination: str) -> Retried:
    """End the pause of a destination and close its breaker; what waits for it is due `now`."""
    resumed = await ended(store, now, destination)
    return Retried(await store.revive(now, Selection(destination=destination), WAITING), resumed)


async def tested(destination: Destination, now: datetime) -> Pushed:
    """Try a destination without a delivery; raises Refused where its type has no test."""
    if not isinstance(destination, Testable):
        raise Refused(
            f"`{destination.name}` is a destination of type `{destination.type}`, which has no test"
        )
    attempt = await destination.test(now)
    return Pushed(attempt.ok, attempt.status, attempt.error, attempt.answer.decode(errors="replace"))


class Retries:
    """The same for HTTP callers: `wake` wakes the dispatcher, `destinations` are those in use."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        destinations: Callable[[], Mapping[str, Destination]],
        patience: ReadTimeout,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._destinations = destinations
        self._patience = patience

    async def pauses(self) -> list[Rest]:
        """Return the pauses and breakers in force: the destination, the end, and the reason."""
        return await self._patience.read(rests(self._store, self._clock()))

    async def page(
        self, status: DeliveryStatus, selection: Selection = EVERYTHING, after: str | None = None
    ) -> Page[ShownDelivery]:
        """Return a page of selected deliveries, the oldest first."""
        until = ends(await self.pauses())
        found = await self._patience.read(self._store.deliveries(status, selection=selection, after=after))
        return found.of(shown(each, until.get(each.destination)) for each in found)

    async def retry_all(self, destination: str | None = None) -> Retried:
        """Make dead and waiting deliveries due and end pauses; raises NotFound for an unknown destination."""
        self._expect(destination)
        done = await retry_all(self._store, self._clock(), destination)
        self._wake()
        return done

    async def retry(self, selection: Selection, statuses: Collection[DeliveryStatus]) -> Retried:
        """Make selected deliveries of these statuses due; pauses go on."""
        self._expect(selection.destination)
        count = await self._store.revive(self._clock(), selection, statuses)
        self._wake()
        return Retried(count, [])

    async def resume(self, destination: str) -> Retried:
        """End the pause of a destination and close its breaker; what waits for it is due at once."""
        self._expect(destination)
        done = await resume(self._store, self._clock(), destination)
        self._wake()
        return done

    async def test(self, destination: str) -> Pushed:
        """Try a destination; raises NotFound for an unknown one, Refused where its type has no test."""
        self._expect(destination)
        return await tested(self._destinations()[destination], self._clock())

    def shown_destinations(self) -> list[ShownDestination]:
        """Return the destinations in use, by name."""
        found = self._destinations()
        return [
            ShownDestination(name, found[name].type, isinstance(found[name], Testable))
            for name in sorted(found)
        ]

    def _expect(self, destination: str | None) -> None:
        names = self._destinations()
        if destination is not None and destination not in names:
            message = f"no destination is named `{destination}`"
            raise NotFound("; ".join(filter(None, (message, did_you_mean(destination, names)))))
