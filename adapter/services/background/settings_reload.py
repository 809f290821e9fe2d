"""Reload the settings while the server runs.

On request the settings are read again. What can be exchanged is, all of it between two requests: each request
is served whole by the settings from before or by those from after. Settings with errors are rejected, and
those from before stay in use. The log names what changed, and what needs a restart; it never has a value.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, Protocol

from adapter import logs
from adapter.errors import InvalidFiles
from adapter.services.loaded_files import HasSettings
from adapter.services.periodic import pause
from adapter.settings.reload import Reloaded, reloaded
from adapter.settings.values import Settings

_log = logging.getLogger(__name__)

#: How often a request is looked for; a signal handler may make it.
EVERY: Final = timedelta(milliseconds=250)


class Part(Protocol):
    """A part of the server that builds something from the settings."""

    async def prepare(self, fresh: Settings) -> Callable[[], None]:
        """Build it from `fresh`, and return what puts it in use; raises InvalidFiles. Nothing changes yet."""
        ...


class Follower(Protocol):
    """A part of the server that reads values of the settings."""

    def follow(self, settings: Settings) -> None:
        """Use these values from now on."""
        ...


class SettingsReload:
    """Exchanges the settings of `parts` and `followers` for those that `read` returns.

    `in_force` has the settings in use; one of the parts replaces them. `then` is called after each request,
    whether the settings were accepted or not.
    """

    def __init__(
        self,
        in_force: HasSettings,
        read: Callable[[], Settings] | None,
        parts: Sequence[Part],
        followers: Sequence[Follower],
        then: Callable[[], None],
    ) -> None:
        self._in_force = in_force
        self._read = read
        self._parts = parts
        self._followers = (*followers, LogSettings(in_force))
        self._then = then
        self._requested = False

    def request(self) -> None:
        """Read the settings soon; safe to call from a signal handler."""
        self._requested = True

    async def run(self, stop: asyncio.Event) -> None:
        """Reload on each request until `stop` is set."""
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
            found = reloaded(self._in_force.settings, fresh)
            exchanges = [await part.prepare(found.settings) for part in self._parts]
        except InvalidFiles as error:
            log_refused(error)
            return False
        except Exception:  # noqa: BLE001 - logged, and the next request reads again
            _log.exception("cannot read the settings; still using the previous ones")
            return False
        for follower in self._followers:
            follower.follow(found.settings)
        for exchange in exchanges:
            exchange()
        log_reloaded(found)
        return True


class LogSettings:
    """Configures the logs again where their level or form changed."""

    def __init__(self, in_force: HasSettings) -> None:
        self._in_force = in_force

    def follow(self, settings: Settings) -> None:
        """Use the level and form of these settings."""
        before, after = self._in_force.settings.log, settings.log
        if (before.level, before.format) != (after.level, after.format):
            logs.configure(after.level, form=after.format)


def log_refused(error: InvalidFiles) -> None:
    """Log what is wrong with settings that are not used."""
    problems = [str(problem) for problem in error.problems]
    _log.error("the settings have errors; still using the previous ones", extra={"problems": problems})


def log_reloaded(found: Reloaded) -> None:
    """Log the names of settings that changed, and of those that need a restart."""
    if found.changed:
        _log.warning("changed settings are in use", extra={"settings": list(found.changed)})
    if found.waiting:
        _log.warning("changed settings need a restart", extra={"settings": list(found.waiting)})
    if not found.changed and not found.waiting:
        _log.info("the settings have not changed")
