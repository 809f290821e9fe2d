"""Sends test messages and looks for them in the journal, and reads what arrived in the last hour."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from adapter.cli.diagnosis import arrivals, probes, reachability, tls
from adapter.cli.diagnosis.finding import Finding, skipped
from adapter.cli.diagnosis.probes import Probe
from adapter.cli.diagnosis.web import Answer, Caller
from adapter.cli.open_store import expect_readable
from adapter.cli.server_client import address_of
from adapter.errors import AdapterError
from adapter.mapping.mapping_set import MappingSet
from adapter.model.journal import JournalEntry
from adapter.settings.values import Settings
from adapter.store.postgres.engine import PostgresStore
from adapter.store.sqlite.engine import SqliteStore

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


class Traffic:
    """Test messages, and the last hour; `mappings` is None where the files do not load.

    `clock` returns the time in UTC.
    """

    def __init__(
        self,
        settings: Settings,
        asked: Asked,
        mappings: MappingSet | None,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        *,
        store: SqliteStore | PostgresStore,
    ) -> None:
        self._settings, self._asked, self._mappings = settings, asked, mappings
        self._clock, self._new_id = clock, new_id
        self._caller = Caller(asked.url)
        self._store = store
        self._answers: list[Answer] = []
        self._arrived: arrivals.ArrivalCounts | None = None

    async def messages(self, unreadable: str) -> list[Finding]:
        """Send test messages and return what is found; `unreadable` says why the journal cannot be read."""
        if not self._asked.send or self._mappings is None:
            why = "they were not asked for" if not self._asked.send else "the mapping files have errors"
            return [skipped("test messages", why)]
        if tls.exposed(self._asked.url) and self._asked.url != address_of(self._settings):
            why = "they were not sent, because secrets would go unencrypted"
            return [skipped("test messages", why, "name an address with https")]
        journal = self._settings.journal.days > 0 and not unreadable
        before = await self.latest() if journal else 0
        began = self._clock()
        found, sent = self._sent(self._mappings, began)
        ended = self._clock()
        large = self._large(sent)
        entries = await self._awaited(before, sent) if journal else None
        for probe in sent:
            found += probes.found(probe, entries, unreadable or "journal.days is 0")
        for probe in sent[:1]:
            found += probes.server_clock(probe, entries or (), began, ended)
        return [*found, *reachability.large_body(large, self._settings),
                *reachability.speed(self._answers, self._settings)]  # fmt: skip

    def _sent(self, mappings: MappingSet, now: datetime) -> tuple[list[Finding], list[Probe]]:
        """Send a message of each source; return what is found, and which messages were taken."""
        found, sent = list[Finding](), list[Probe]()
        for probe in probes.probes(self._settings, now, self._new_id):
            if reason := probes.taking(probe, mappings, now):
                found.append(probes.unsent(probe, reason))
                continue
            answer = self._posted(probe)
            found.append(probes.answered(probe, answer))
            if answer.status in {200, 202}:
                sent.append(probe)
        return found, sent

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

    async def latest(self) -> int:
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

    async def hour(self, unreadable: str) -> list[Finding]:
        """Return what arrived in the last hour, beside what Segment says."""
        if unreadable or not self._settings.journal.days:
            why = unreadable or "journal.days is 0, so nothing is known of what arrived"
        else:
            why, self._arrived = "", await self._read_hour()
        found = [*arrivals.last_hour(self._arrived, why), *arrivals.sender_clock(self._arrived)]
        return [*found, *await self._segment()]

    async def _read_hour(self) -> arrivals.ArrivalCounts:
        since = self._clock() - arrivals.HOUR
        after, read, found = 0, 0, arrivals.ArrivalCounts(Counter())
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
