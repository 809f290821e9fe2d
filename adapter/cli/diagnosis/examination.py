"""Reads what the checks need, in turn: the public address, the server, the store, the machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from adapter.cli.diagnosis import machine, reachability, received, state, tls
from adapter.cli.diagnosis.finding import Finding, failure, skipped, warning
from adapter.cli.diagnosis.traffic import Asked, Traffic
from adapter.cli.diagnosis.web import Caller, verifying
from adapter.cli.open_store import existing, expect_current, other
from adapter.cli.server_client import address_of
from adapter.destinations.registry import built
from adapter.errors import AdapterError
from adapter.mapping.mapping_set import MappingSet
from adapter.services.delivery import retries
from adapter.services.delivery.shown import rests
from adapter.settings.values import Settings
from adapter.store.engines import open_store, shown
from adapter.store.sqlite.engine import SqliteStore

T = TypeVar("T")


class Examination:
    """One run; `mappings` is None where the files do not load. `clock` returns the time in UTC."""

    def __init__(
        self,
        settings: Settings,
        asked: Asked,
        mappings: MappingSet | None,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._settings, self._asked, self._clock = settings, asked, clock
        self._caller = Caller(asked.url)
        self._store = open_store(settings.store.url)
        self._traffic = Traffic(settings, asked, mappings, clock, new_id, store=self._store)

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield what is found, as it is found."""
        latest = await self._attempt(self._traffic.latest())
        unreadable = latest if isinstance(latest, str) else ""
        sections: dict[str, Callable[[], Awaitable[list[Finding]]]] = {
            "address": self._address,
            "signatures": self._counted,
            "test messages": partial(self._traffic.messages, unreadable),
            "last hour": partial(self._traffic.hour, unreadable),
            "store": self._stored,
            "disk": self._machine,
            "destinations": partial(self._destinations, unreadable),
        }
        try:
            for name, section in sections.items():
                found = await self._attempt(section())
                for each in found if not isinstance(found, str) else [_unfinished(name, found)]:
                    yield each
        finally:
            await self._store.close()

    async def _attempt(self, work: Awaitable[T]) -> T | str:
        """Return what work returns, or the reason why it cannot be done."""
        try:
            return await work
        except AdapterError as error:
            return error.message

    async def _address(self) -> list[Finding]:
        url = self._asked.url
        live = self._caller.call("GET", "/health/live")
        found = [
            *tls.certificate(url, tls.handshake(url, verifying()), self._clock()),
            *reachability.reachable(url, live),
            *reachability.proxy_clock(live, self._clock()),
        ]
        return [*found, *state.readiness(self._caller.call("GET", "/health/ready"))]

    async def _counted(self) -> list[Finding]:
        api = self._settings.api
        token = next(iter((*api.read_tokens, *api.tokens)), None)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = Caller(address_of(self._settings)).call("GET", "/metrics", headers)
        if answer.status == 0 and self._asked.url.startswith("https:"):
            answer = self._caller.call("GET", "/metrics", headers)
        found = received.samples(answer.body) if answer.status == 200 else None
        return [*received.signatures(found, self._settings.segment), *received.refused(found)]

    async def _stored(self) -> list[Finding]:
        url = self._settings.store.url
        schema = await self._attempt(self._store.schema())
        if isinstance(schema, str):
            return [failure("store", schema, "see store.url, and that the database runs")]
        found = list(state.schema(shown(url), schema, other(url, schema)))
        if isinstance(self._store, SqliteStore) and self._store.exposed:
            exposed, _, remedy = self._store.exposed.partition(": ")
            found.append(warning("store", exposed, remedy))
        if schema.applied != schema.latest:
            return found
        if not self._asked.deep:
            return [*found, *state.soundness(None, "reads all of the store; ask for it with --deep")]
        wrong = await self._attempt(_checked(url))
        why = wrong if isinstance(wrong, str) else ""
        return [*found, *state.soundness(None if isinstance(wrong, str) else wrong, why)]

    async def _machine(self) -> list[Finding]:
        folder = self._asked.backups
        latest: machine.BackupFile | str | None = None
        if folder is not None:
            try:
                latest = machine.latest_backup(folder)
            except OSError as error:
                latest = error.strerror or str(error)
        file = self._store.file if isinstance(self._store, SqliteStore) else None
        space = machine.disk_of(file) if file else None
        return [*machine.disk(space), *machine.backup(folder, latest, self._clock())]

    async def _destinations(self, unreadable: str) -> list[Finding]:
        configured, now = self._settings.destinations.by_name, self._clock()
        if unreadable:
            found = [skipped("destinations", unreadable)]
        else:
            resting = await rests(self._store, now)
            dead = [each.destination for each in await self._store.deliveries("dead", 100)]
            found = list(state.destinations(configured, resting, dead, now))
        for name, settings in configured.items() if self._asked.push else ():
            made = built(name, settings)
            async with made.client:
                pushed = await self._attempt(retries.tested(made.destination, now))
            found.append(state.pushed(name, pushed))
        return found


def _unfinished(name: str, reason: str) -> Finding:
    return failure(name, f"it could not be checked: {reason}", "see the line `store`")


async def _checked(url: str) -> list[str]:
    await expect_current(url)
    async with existing(url) as store:
        return await store.check()
