"""Reload the destinations, with their secrets, while the server runs.

On request the settings are read again. Destinations that are new, changed or gone are exchanged: requests in
progress are finished and recorded, and what is due goes to the new ones. Settings with errors are rejected,
and the destinations before stay in use. All other settings need a restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from adapter.destinations.contract import Succeeding
from adapter.destinations.registry import ConfiguredDestinations, configured
from adapter.errors import InvalidFiles
from adapter.services.delivery.dispatcher import Dispatcher
from adapter.services.periodic import pause
from adapter.settings.destinations.registry import Destinations
from adapter.settings.values import Settings

_log = logging.getLogger(__name__)

#: How often a request is looked for; a signal handler may make it.
EVERY: Final = timedelta(milliseconds=250)


class DestinationsReload:
    """Keeps `in_use` and the dispatcher up to date with the settings that `read` returns.

    `then` is called after each request, whether the settings were accepted or not.
    """

    def __init__(
        self,
        settings: Settings,
        in_use: ConfiguredDestinations,
        dispatcher: Dispatcher,
        read: Callable[[], Settings] | None,
        then: Callable[[], None],
    ) -> None:
        self.settings = settings
        self._in_use = in_use
        self._dispatcher = dispatcher
        self._read = read
        self._then = then
        self._requested = False
        self._clients = AsyncExitStack()

    def request(self) -> None:
        """Read the settings soon; safe to call from a signal handler."""
        self._requested = True

    async def run(self, stop: asyncio.Event) -> None:
        """Reload on each request until `stop` is set; the clients of exchanged destinations end with this."""
        async with self._clients:
            while not stop.is_set():
                if self._requested:
                    self._requested = False
                    await self.reload()
                    self._then()
                await pause(stop, EVERY)

    async def reload(self) -> bool:
        """Read the settings and exchange what changed; returns False when they were rejected."""
        if self._read is None:
            return False
        try:
            fresh = await asyncio.to_thread(self._read)
            built = configured(fresh.destinations)
        except InvalidFiles as error:
            problems = [str(problem) for problem in error.problems]
            _log.error(
                "the settings have errors; still using the previous destinations",
                extra={"problems": problems},
            )
            return False
        except Exception:  # noqa: BLE001 - logged, and the next request reads again
            _log.exception("cannot read the settings; still using the previous destinations")
            return False
        if _core(fresh.destinations) != _core(self.settings.destinations):
            _log.error(
                "a remote core was added, removed or renamed; still using the previous destinations, "
                "restart the server"
            )
            return False
        await self._exchange(fresh.destinations, built)
        return True

    async def _exchange(self, fresh: Destinations, built: ConfiguredDestinations) -> None:
        before, after = self.settings.destinations.by_name, fresh.by_name
        gone = before.keys() - after.keys()
        changed = [name for name, each in after.items() if before.get(name) != each]
        for name in changed:
            await self._clients.enter_async_context(built.client_of[name])
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
        self.settings = replace(self.settings, destinations=fresh)
        self._dispatcher.exchange(gone, {name: built.by_name[name] for name in changed}, built.manners)
        if gone or changed:
            _log.warning(
                "changed destinations are in use", extra={"changed": sorted(changed), "removed": sorted(gone)}
            )


def _core(destinations: Destinations) -> str | None:
    """Return the name of the remote core; what decides is chosen at the start."""
    return None if destinations.core is None else destinations.core[0]
