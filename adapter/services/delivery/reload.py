"""Exchange the destinations, with their secrets, while the server runs.

Destinations that are new, changed or gone are exchanged: requests in progress are finished and recorded, and
what is due goes to the new ones.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

from adapter.destinations.contract import Succeeding
from adapter.destinations.registry import ConfiguredDestinations, configured
from adapter.errors import InvalidFiles
from adapter.files.problems import Mark, Problem
from adapter.services.delivery.dispatcher import Dispatcher
from adapter.settings.destinations.registry import Destinations
from adapter.settings.values import Settings


class DestinationsReload:
    """Keeps `in_use`, built from `settings`, and the dispatcher up to date with the settings.

    `clients` are those of exchanged destinations: a context that ends after the dispatcher, whose requests in
    progress need them.
    """

    def __init__(
        self, settings: Destinations, in_use: ConfiguredDestinations, dispatcher: Dispatcher
    ) -> None:
        self._settings = settings
        self._in_use = in_use
        self._dispatcher = dispatcher
        self.clients = AsyncExitStack()

    async def prepare(self, fresh: Settings) -> Callable[[], None]:
        """Build the destinations that changed, and return what exchanges them; raises InvalidFiles."""
        after = fresh.destinations
        if _core(after) != _core(self._settings):
            raise InvalidFiles([_CORE_CHANGED])
        built = configured(after)
        before = self._settings.by_name
        changed = [name for name, each in after.by_name.items() if before.get(name) != each]
        for name in changed:
            await self.clients.enter_async_context(built.client_of[name])
        return partial(self._exchange, after, built, changed)

    def _exchange(self, after: Destinations, built: ConfiguredDestinations, changed: list[str]) -> None:
        gone = self._settings.by_name.keys() - after.by_name.keys()
        in_use = self._in_use
        for name in changed:
            new, old = built.by_name[name], in_use.by_name.get(name)
            if old is not None and isinstance(new, Succeeding):
                new.succeed(old)
        for name in gone:
            del in_use.by_name[name]
        in_use.by_name.update({name: built.by_name[name] for name in changed})
        in_use.recipients.follow(built.recipients)
        in_use.forwards.clear()
        in_use.forwards.update(built.forwards)
        self._settings = after
        self._dispatcher.exchange(gone, {name: built.by_name[name] for name in changed}, built.manners)


_CORE_CHANGED = Problem(
    Mark("settings", 1, 1), "a remote core was added, removed or renamed", "restart the server"
)


def _core(destinations: Destinations) -> str | None:
    """Return the name of the remote core; what decides is chosen at the start."""
    return None if destinations.core is None else destinations.core[0]
