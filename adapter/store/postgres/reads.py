"""Reads of what is committed, each one statement or two."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from adapter.model.codes import folded, resolve
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.timers import Timer
from adapter.store.owners import given_to
from adapter.store.paging import (
    FIRST_ID,
    FIRST_MOMENT,
    FIRST_TEXT,
    LAST_ID,
    LAST_TEXT,
    MANY_ROWS,
    read_cursor,
)
from adapter.store.postgres.arrival_reads import ArrivalReads
from adapter.store.postgres.delivery_reads import DeliveryReads
from adapter.store.postgres.person_reads import PersonReads
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array
from adapter.store.rows import (
    digest,
    read_customer,
    read_decision,
    read_event,
    read_held,
    read_pending,
    read_timer,
)
from adapter.store.timestamps import micros
from adapter.store.values import PAGE_BYTES, CustomerHistory, MessageKey

_LARGE = {
    "customers": "count_customers",
    "events": "count_events",
    "discounts": "count_discounts",
    "timers": "count_timers",
}
#: From this many rows on, `counts` answers with the planner's estimate: counting reads the whole table.
_ESTIMATED_FROM = 100_000
#: What a limit depends on is counted, however many there are.
_EXACT = ("timers",)


class Reads(ArrivalReads, DeliveryReads, PersonReads):
    """Reads on one connection; see the contract for what each returns."""

    async def customer(self, source_id: str) -> Customer | None:
        """Return a customer by any of their names."""
        rows = await self._rows("customer", source_id)
        return read_customer(rows[0][0]).named() if rows else None

    async def discount(self, code: str) -> DiscountRecord | None:
        """Return the discount that a code means."""
        rows = await self._rows("discounts_alike", code, folded(code))
        found = resolve(code, {spelled: read_held(body) for spelled, body in rows})
        return (await self._named([found]))[0] if found else None

    async def discounts(self, source_id: str, limit: int, before: str | None) -> Page[DiscountRecord]:
        """Return a page of a customer's discounts, newest first."""
        key = await self._resolve(source_id)
        names = await self._names([key])

        def read(body: bytes) -> DiscountRecord:
            return given_to(read_held(body), names) if names else read_held(body)

        return await self._page("discounts", key, limit, read_cursor(before, LAST_ID), read)

    async def events(self, source_id: str, limit: int, before: str | None) -> Page[Event]:
        """Return a page of a customer's events, latest first."""
        return await self._page(
            "events", await self._resolve(source_id), limit, read_cursor(before, LAST_TEXT), read_event
        )

    async def decisions(self, source_id: str, limit: int, before: str | None) -> Page[Decision]:
        """Return a page of a customer's decisions, newest first."""
        key = await self._resolve(source_id)
        own = (await self._names([key])).get(key, key)
        begin, read = read_cursor(before, LAST_ID), partial(read_decision, own)
        return await self._page("decisions", key, limit, begin, read)

    async def oldest(self, kind: str, source_id: str, after: str | None) -> Page[Any]:
        """Return a page of a customer's events or decisions, oldest first."""
        owner = await self._resolve(source_id)
        if kind == "events":
            begin = read_cursor(after, FIRST_TEXT, FIRST_MOMENT)
            return await self._page("oldest_events", owner, MANY_ROWS, begin, read_event)
        own = (await self._names([owner])).get(owner, owner)
        begin, read = read_cursor(after, FIRST_ID, FIRST_MOMENT), partial(read_decision, own)
        return await self._page("oldest_decisions", owner, MANY_ROWS, begin, read)

    async def contents(self, keys: Collection[MessageKey]) -> dict[MessageKey, bytes]:
        """Return what came under message keys."""
        digests = {digest(key): key for key in keys}
        return {digests[row[0]]: row[1] for row in await self._rows("contents_of", list(digests))}

    async def pending_moves(self, source_id: str, code: str) -> list[PendingMove]:
        """Return the pending moves by a customer, or of a code."""
        if code:
            rows = await self._rows("pending_moves_of_code", code)
        else:
            rows = await self._rows("pending_moves_of", await self._resolve(source_id))
        names = await self._names({row[0] for row in rows})
        return [read_pending(names.get(row[0], row[0]), row[1]) for row in rows]

    async def lapsed(self, now: datetime, limit: int) -> list[str]:
        """Return codes whose time is over."""
        return [row[0] for row in await self._rows("lapsed", micros(now), limit)]

    async def due_timers(self, now: datetime, limit: int) -> list[Timer]:
        """Return timers whose moment has come."""
        return [read_timer(row) for row in await self._rows("due_timers", micros(now), limit)]

    async def customer_histories(self, after: str, limit: int) -> list[CustomerHistory]:
        """Return a page of customers with their events and decisions."""
        rows = await self._rows("customers_after", after, limit, 8 * PAGE_BYTES)
        found = {row[0]: CustomerHistory(row[0], [], []) for row in rows}
        if found:
            for source_id, body in await self._rows("customer_bodies", array(found)):
                found[source_id].customer = read_customer(body).named()
            for source_id, body in await self._rows("all_decisions", array(found)):
                found[source_id].decisions.append(read_decision(source_id, body))
            for source_id, body in await self._rows("past", array(found)):
                found[source_id].events.append(read_event(body))
        return list(found.values())

    async def counts(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        counts = {row[0]: row[1] for row in await self._rows("estimates")}
        for name, statement in _LARGE.items():
            if counts[name] < _ESTIMATED_FROM or name in _EXACT:
                counts[name] = (await self._rows(statement))[0][0]
        counts["deliveries_due"] = await self._due()
        return counts | {row[0]: row[1] for row in await self._rows("small_counts")}

    async def _due(self) -> int:
        """Return how many deliveries are due: of many the estimate, unless there is none yet."""
        [(counted, estimated)] = await self._rows("some_due", _ESTIMATED_FROM)
        if counted < _ESTIMATED_FROM:
            return int(counted)
        if estimated >= _ESTIMATED_FROM:
            return int(estimated)
        return int((await self._rows("count_due"))[0][0])

    async def check(self) -> list[str]:
        """Return what does not fit together, a line each."""
        rows = await self._connection.fetch(SQL["astray"], timeout=3600)
        return [row[0] for row in rows]
