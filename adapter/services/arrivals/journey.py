"""The journey of one message: as it came, what mappings and rules made of it, and what followed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Sequence
from datetime import timedelta
from typing import Final, TypeVar

from adapter.errors import AdapterError
from adapter.model.decisions import Decision
from adapter.model.discounts import DiscountRecord
from adapter.services.arrivals.filters import Arrived, MessageFilter
from adapter.services.arrivals.journey_report import (
    Journey,
    SentDelivery,
    customer_of,
    document_of,
    events_of,
    issued,
    mappings_of,
    notes_of,
    sent,
)
from adapter.services.arrivals.listed import listed, message_at, people
from adapter.services.arrivals.recomputed import Recomputed, past_of, recompute
from adapter.services.arrivals.search import known_people
from adapter.services.ingest.mapper import Policy
from adapter.services.loaded_files import LoadedFiles
from adapter.services.read_timeout import ReadTimeout
from adapter.settings.values import Settings
from adapter.store.contract import Store
from adapter.store.page_starts import cursor_at

T = TypeVar("T")
#: A message waits for its commit no longer than this; decisions of a page, and pages that are read.
_WITHIN: Final = timedelta(minutes=2)
_DECISIONS: Final = 100
_MOST_PAGES: Final = 5
#: Discounts and deliveries that are shown.
_MOST_DISCOUNTS: Final = 20
_MOST_DELIVERIES: Final = 100


class Journeys:
    """Assembles journeys; `patience` bounds each read of the store."""

    def __init__(self, store: Store, files: LoadedFiles, settings: Settings, patience: ReadTimeout) -> None:
        self._store = store
        self._files = files
        self._policy = Policy.of(settings)
        self._patience = patience

    async def of(self, id_: str) -> Journey:
        """Return the journey of a message; raises NotFound where the journal has it no more."""
        arrived = await self._read(message_at(self._store, id_))
        files = LoadedFiles(self._files.mappings.apart(), self._files.rules)
        again = await self._recomputed(files, arrived)
        decisions = await self._decisions(arrived, again)
        discounts = await self._discounts(decisions)
        document, text = document_of(arrived)
        return Journey(
            message=listed(arrived),
            names=list(people(arrived.entry.names)),
            key=arrived.entry.key,
            document=document,
            text=text,
            mappings=mappings_of(files, arrived),
            customer=customer_of(again, decisions),
            events=events_of(files, again, decisions),
            discounts=[issued(each) for each in discounts],
            deliveries=await self._deliveries(discounts),
            notes=list(notes_of(arrived, again, decisions)),
        )

    async def _read(self, reading: Awaitable[T]) -> T:
        return await self._patience.read(reading)

    async def _recomputed(self, files: LoadedFiles, arrived: Arrived) -> Recomputed | None:
        if not arrived.entry.names or arrived.entry.outcome == "refused":
            return None
        person = arrived.entry.names[0]
        known = await self._read(known_people(self._store, MessageFilter(customer=person)))
        names = known.names[person] | {person}
        past, cut = await self._read(past_of(self._store, arrived, names))
        if not past or (past[-1].number, past[-1].place) != (arrived.number, arrived.place):
            return None
        # Deciding some hundred messages takes a while, and other requests go on.
        return await asyncio.to_thread(recompute, files, self._policy, past, cut=cut)

    async def _decisions(self, arrived: Arrived, again: Recomputed | None) -> list[Decision]:
        """Return the stored decisions about the events of a message."""
        if not arrived.entry.names:
            return []
        message_id, at = arrived.entry.message_id, arrived.entry.received_at
        if arrived.entry.outcome == "duplicate":
            seen = await self._read(self._store.first_seen([(arrived.entry.source, arrived.entry.key)]))
            at = seen[0] if seen else at
        ids = {message_id} | {each.event_id for each in (again.result.decisions if again else ())}
        made: list[Decision] = []
        before: str | None = cursor_at("decisions", at + _WITHIN, 0)
        for _ in range(_MOST_PAGES):
            page = await self._read(self._store.decisions(arrived.entry.names[0], _DECISIONS, before))
            made += [each for each in page if _is_of(each, ids, message_id)]
            before = page.next
            if before is None or page[-1].decided_at < at - _WITHIN:
                break
        return made[::-1]

    async def _discounts(self, decisions: Sequence[Decision]) -> list[DiscountRecord]:
        codes = [outcome.code for each in decisions for outcome in each.outcomes if outcome.code]
        known: list[DiscountRecord] = []
        for code in list(dict.fromkeys(codes))[:_MOST_DISCOUNTS]:
            try:
                held = await self._read(self._store.discount(code))
            except AdapterError:
                continue
            known += [held] if held is not None else []
        return known

    async def _deliveries(self, discounts: Sequence[DiscountRecord]) -> list[SentDelivery]:
        found: list[SentDelivery] = []
        for source_id in dict.fromkeys(each.source_id for each in discounts):
            page = await self._read(self._store.deliveries_of(source_id, _MOST_DELIVERIES))
            found += sent(page, {each.discount.code for each in discounts})
        return found


def _is_of(decision: Decision, ids: Collection[str], message_id: str) -> bool:
    return decision.event_id in ids or decision.event_id.startswith(f"{message_id}:")
