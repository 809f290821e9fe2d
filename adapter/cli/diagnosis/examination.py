"""Reads what the checks need, in turn: the public address, the server, the store, the machine."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from adapter.cli.diagnosis import arrivals, machine, probes, reachability, received, state, tls
from adapter.cli.diagnosis.finding import Finding, failure, skipped, warning
from adapter.cli.diagnosis.probes import Probe
from adapter.cli.diagnosis.web import Answer, Caller, verifying
from adapter.cli.open_store import existing, expect_current, expect_readable, other
from adapter.cli.server_client import address_of
from adapter.destinations.registry import built
from adapter.errors import AdapterError
from adapter.mapping.mapping_set import MappingSet
from adapter.model.journal import JournalEntry
from adapter.services.delivery import retries
from adapter.services.delivery.shown import rests
from adapter.settings.values import Settings
from adapter.store.engines import open_store, shown
from adapter.store.sqlite.engine import SqliteStore

T = TypeVar("T")
#: Seconds in which a test message has to be in the journal, and between looks; it is written every second.
_PATIENCE, _PAUSE = 5.0, 0.2
#: Rows of the journal that are read at once, and at most for the last hour. With little traffic a row has one
#: message.
_PAGE, _MOST = 1_000, 50_000
#: Transactions of other processes may become visible after later ones: so many rows are looked at again.
_AGAIN = 50


class Asked(Struct, frozen=True):
    """What is checked: the address; whether messages are sent, the store is read whole, destinations tried.

    `segment_metrics` returns the metrics of the last hour by Segment's Public API; None without a token.
    """

    url: str
    send: bool = True
    deep: bool = False
    push: bool = False
    backups: Path | None = None
    segment_metrics: Callable[[datetime, datetime], Sequence[dict[str, object]]] | None = None


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
        self._settings, self._asked, self._mappings = settings, asked, mappings
        self._clock, self._new_id = clock, new_id
        self._caller = Caller(asked.url)
        self._store = open_store(settings.store.url)
        self._answers: list[Answer] = []
        self._arrived: arrivals.Arrived | None = None

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield what is found, as it is found."""
        latest = await self._attempt(self._latest())
        unreadable = latest if isinstance(latest, str) else ""
        sections: dict[str, Callable[[], Awaitable[list[Finding]]]] = {
            "address": self._address,
            "signatures": self._counted,
            "test messages": partial(self._messages, unreadable),
            "last hour": partial(self._hour, unreadable),
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

    async def _messages(self, unreadable: str) -> list[Finding]:
        if not self._asked.send or self._mappings is None:
            why = "they were not asked for" if not self._asked.send else "the mapping files have errors"
            return [skipped("test messages", why)]
        found, sent = [], []
        journal = self._settings.journal.days > 0 and not unreadable
        before = await self._latest() if journal else 0
        began = self._clock()
        for probe in probes.probes(self._settings, began, self._new_id):
            if reason := probes.taking(probe, self._mappings, began):
                found.append(probes.unsent(probe, reason))
                continue
            answer = self._posted(probe)
            found.append(probes.answered(probe, answer))
            if answer.status in {200, 202}:
                sent.append(probe)
        ended = self._clock()
        large = self._large(sent)
        entries = await self._awaited(before, sent) if journal else None
        why = unreadable or "journal.days is 0"
        for probe in sent:
            found += probes.found(probe, entries, why)
        for probe in sent[:1]:
            found += probes.server_clock(probe, entries or (), began, ended)
        return [*found, *reachability.large_body(large, self._settings),
                *reachability.speed(self._answers, self._settings)]  # fmt: skip

    def _posted(self, probe: Probe) -> Answer:
        request = probe.request(self._settings)
        answer = self._caller.call("POST", request.path, request.headers, request.body)
        self._answers.append(answer)
        return answer

    def _large(self, sent: Sequence[Probe]) -> Answer | None:
        for probe in sent:
            if self._settings.server.max_body_bytes >= reachability.LARGE:
                request = probe.large(self._settings)
                return self._caller.call("POST", request.path, request.headers, request.body)
        return None

    async def _latest(self) -> int:
        """Return the number of the last row of the journal; raises Refused, Unavailable."""
        await expect_readable(self._settings.store.url)
        return max((row.number for row in await self._store.latest_journal(limit=1)), default=0)

    async def _awaited(self, after: int, sent: Sequence[Probe]) -> list[JournalEntry]:
        """Return what the journal got of what was sent, since a row; waits for it, up to _PATIENCE."""
        wanted, entries = {probe.id for probe in sent}, list[JournalEntry]()
        for _ in range(int(_PATIENCE / _PAUSE) if sent else 0):
            rows = await self._store.journal(max(after - _AGAIN, 0), _PAGE + _AGAIN)
            entries += [entry for row in rows for entry in row.entries() if entry.message_id in wanted]
            if wanted <= {entry.message_id for entry in entries}:
                break
            after = max([after, *(row.number for row in rows)])
            await asyncio.sleep(_PAUSE if len(rows) < _PAGE else 0)
        return entries

    async def _hour(self, unreadable: str) -> list[Finding]:
        if unreadable or not self._settings.journal.days:
            why = unreadable or "journal.days is 0, so nothing is known of what arrived"
        else:
            why, self._arrived = "", await self._read_hour()
        found = [*arrivals.last_hour(self._arrived, why), *arrivals.sender_clock(self._arrived)]
        return [*found, *await self._segment()]

    async def _read_hour(self) -> arrivals.Arrived:
        since = self._clock() - arrivals.HOUR
        after, read, found = 0, 0, arrivals.Arrived(Counter())
        while page := await self._store.journal(after, _PAGE, since):
            found.add(each for row in page for each in row.entries() if each.received_at >= since)
            after, read = page[-1].number, read + len(page)
            if read >= _MOST:
                found.cut = True
                break
        return found

    async def _segment(self) -> list[Finding]:
        check, read = "Segment's deliveries", self._asked.segment_metrics
        if read is None:
            return [skipped(check, "not asked of Segment", "set PUBLIC_API_TOKEN to a token of its Public "
                            "API, and name --segment-destination")]  # fmt: skip
        now = self._clock()
        try:
            return list(arrivals.delivered(read(now - arrivals.HOUR, now), self._arrived))
        except AdapterError as error:
            return [skipped(check, error.message)]

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
