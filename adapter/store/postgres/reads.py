"""Reads of what is committed, each one statement or two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import asyncpg

from adapter.errors import Refused
from adapter.model.breakers import Breaker
from adapter.model.codes import folded, resolve
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.deliveries import Delivery, Pause, Selection
from adapter.model.discounts import DiscountRecord
from adapter.model.erasures import Receipt, fingerprint
from adapter.model.events import Event
from adapter.model.ignored import Ignored
from adapter.model.journal import JournalRow
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.model.timers import Timer
from adapter.store.addresses import address_digest
from adapter.store.erasures import (
    meant,
    name_digests,
    occurrence,
    read_forgotten,
    read_receipt,
    with_forwarded,
)
from adapter.store.journal_rows import read_journal
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.statements import REDACTIONS, SQL
from adapter.store.postgres.text import array
from adapter.store.rows import (
    FIRST_ID,
    FIRST_MOMENT,
    FIRST_TEXT,
    LAST_ID,
    LAST_TEXT,
    MANY_ROWS,
    Cursor,
    digest,
    given_to,
    leading,
    own_names,
    owned,
    page,
    read_breaker,
    read_cursor,
    read_customer,
    read_decision,
    read_delivery,
    read_event,
    read_excerpt,
    read_held,
    read_ignored,
    read_pause,
    read_pending,
    read_quarantined,
    read_timer,
    selection_row,
)
from adapter.store.scanning import Looks, Slice, Spot, query, scanned
from adapter.store.tables.customer_sql import of_customers
from adapter.store.tables.description import Listed
from adapter.store.tables.registry import TABLES
from adapter.store.timestamps import micros, moment
from adapter.store.values import PAGE_BYTES, CustomerData, CustomerHistory, Forgotten, MessageKey

T = TypeVar("T")
_TABLES = of_customers(TABLES, "postgres")
_BY_STATUS = {"due": "due_deliveries", "done": "done_deliveries", "dead": "dead_deliveries"}
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


class Reads:
    """Reads on one connection; see the contract for what each returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

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

    async def deliveries(
        self, status: str, limit: int, selection: Selection, after: str | None
    ) -> Page[Delivery]:
        """Return a page of selected deliveries of one status."""
        if status not in _BY_STATUS:
            raise Refused(f"`{status}` is not a status of a delivery: use one of {', '.join(_BY_STATUS)}")
        ids = None if selection.ids is None else list(selection.ids)
        wanted = limit + 1, int(after or 0), ids, *selection_row(selection)
        rows = [tuple(row) for row in await self._rows(_BY_STATUS[status], *wanted)]
        found = [read_delivery(row[:-1]) for row in rows[:limit]]
        page = Page(owned(found, await self._names({each.source_id for each in found})))
        page.next = str(rows[limit - 1][-1]) if len(rows) > limit else None
        return page

    async def pauses(self, now: datetime) -> list[Pause]:
        """Return the pauses in force."""
        return [read_pause(row) for row in await self._rows("pauses", micros(now))]

    async def breakers(self) -> list[Breaker]:
        """Return the breakers."""
        return [read_breaker(row) for row in await self._rows("breakers")]

    async def quarantined(self, after: int, limit: int) -> list[Excerpt]:
        """Return excerpts of quarantined messages after an id."""
        return [read_excerpt(row) for row in await self._rows("quarantined", after, limit)]

    async def latest_quarantined(self, before: int | None, limit: int) -> list[Excerpt]:
        """Return excerpts of quarantined messages before an id, the latest first."""
        rows = await self._rows("latest_quarantined", LAST_ID if before is None else before, limit)
        return [read_excerpt(row) for row in rows]

    async def quarantined_message(self, id_: int) -> Quarantined | None:
        """Return one quarantined message, whole."""
        rows = await self._rows("quarantined_message", id_)
        return read_quarantined(rows[0]) if rows else None

    async def quarantined_of(self, name: str, limit: int) -> list[Excerpt]:
        """Return excerpts of quarantined messages that name a person, the latest first."""
        async with self._snapshot():
            names = await self._digests_of(name)
            return [read_excerpt(row) for row in await self._rows("quarantined_of", names, limit)]

    async def journal(self, after: int, limit: int, since: datetime | None) -> list[JournalRow]:
        """Return rows of the journal after a number, none from before a moment."""
        async with self._snapshot():
            if since is not None:
                after = max(after, (await self._rows("journal_start", micros(since)))[0][0])
            rows = await self._rows("journal", after, limit, micros(since) if since else 0)
        return [read_journal(row) for row in rows]

    async def latest_journal(self, before: int | None, limit: int) -> list[JournalRow]:
        """Return rows of the journal before a number, the latest first."""
        rows = await self._rows("latest_journal", LAST_ID if before is None else before, limit)
        return [read_journal(row) for row in rows]

    async def journal_of(self, name: str, after: int, limit: int) -> list[JournalRow]:
        """Return rows of the journal that have an id of a person."""
        async with self._snapshot():
            names = await self._digests_of(name)
            return [read_journal(row) for row in await self._rows("journal_of", names, after, limit)]

    async def latest_journal_of(self, name: str, before: int | None, limit: int) -> list[JournalRow]:
        """Return rows of the journal that have an id of a person, the latest first."""
        async with self._snapshot():
            names, upto = await self._digests_of(name), LAST_ID if before is None else before
            return [read_journal(row) for row in await self._rows("latest_journal_of", names, upto, limit)]

    async def fresh_journal(self, after: int, seen: Sequence[int], limit: int) -> list[JournalRow]:
        """Return rows of the journal after a number, but for some."""
        return [read_journal(row) for row in await self._rows("fresh_journal", after, list(seen), limit)]

    async def first_seen(self, keys: Sequence[MessageKey]) -> list[datetime]:
        """Return when messages were committed."""
        return [moment(row[0]) for row in await self._rows("first_seen", list(map(digest, keys)))]

    async def _digests_of(self, name: str) -> list[bytes]:
        source_id = await self._resolve(name)
        record = await self._rows("record_of", source_id)
        customer = read_customer(record[0][0]) if record else None
        names = [(row[0], row[1]) for row in await self._rows("names_of", source_id)]
        return name_digests(meant({source_id}, customer, names))

    async def ignored(self, limit: int) -> list[Ignored]:
        """Return what no mapping takes, the latest first."""
        return [read_ignored(row) for row in await self._rows("ignored", limit)]

    async def held(self, name: str, *, apart: bool) -> CustomerData:
        """Return all that is held of a person, as one snapshot."""
        async with self._snapshot():
            key = await self._resolve(name)
            record = await self._rows("record_of", key)
            customer = read_customer(record[0][0]) if record else None
            own = (customer.known_as if customer else "") or key
            names = [(row[0], row[1]) for row in await self._rows("names_of", key)]
            named = name_digests(meant({key}, customer, names))
            one = array([] if apart else [key])
            events = [read_event(row[1]) for row in await self._rows("past", one)]
            return CustomerData(
                source_id=own,
                customer=customer.named() if customer else None,
                history=record[0][1] if record else b"",
                names=leading(names, key, own),
                events=sorted(events, key=occurrence),
                decisions=[read_decision(own, row[1]) for row in await self._rows("all_decisions", one)],
                quarantined=[read_excerpt(row) for row in await self._rows("quarantined_naming", named)],
                **await self._listed(key, own),
            )

    async def _listed(self, key: str, own: str) -> dict[str, Any]:
        """Return the members of an export that are lists of rows."""
        found: dict[str, Any] = {}
        for table, described in _TABLES:
            if isinstance(described.export, Listed):
                shared = described.shared and not key
                rows = [] if shared else await self._rows(f"export_{table.name}", key)
                found[described.export.member] = described.export.values(rows, key, own)
        return found

    async def noted(self) -> bool:
        """Return whether the addresses of all customers are indexed."""
        return not (await self._rows("is_unaddressed"))[0][0]

    async def addressed(self, address: str, after: str, limit: int) -> list[str] | None:
        """Return a page of customers whose data may contain an address; None while not all are indexed."""
        found = await self._rows("addressed", address_digest(address), after, limit)
        # Checked last, because a customer who was added meanwhile may be missing.
        if not await self.noted():
            return None
        return [row[0] for row in found]

    async def scan(self, spot: Spot, looks: Looks) -> Slice:
        """Look at one slice of all customers' data."""
        asked = query(spot, REDACTIONS, "postgres")
        rows = list(map(tuple, await self._connection.fetch(asked.sql, *asked.values)))
        return await asyncio.to_thread(scanned, spot, asked, rows, looks)

    async def forgotten(self, limit: int) -> list[Forgotten]:
        """Return erasures under way."""
        return [read_forgotten(row) for row in await self._rows("erasures_under_way", limit)]

    async def receipts(self, source_id: str) -> list[Receipt]:
        """Return receipts, newest first."""
        customer = fingerprint(source_id)
        receipts = [read_receipt(row) for row in await self._rows("receipts", customer)]
        rows = await self._rows("forwarded_erasures", customer) if receipts else []
        return with_forwarded(receipts, [tuple(row) for row in rows])

    async def counts(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        counts = {row[0]: row[1] for row in await self._rows("estimates")}
        for name, statement in _LARGE.items():
            if counts[name] < _ESTIMATED_FROM or name in _EXACT:
                counts[name] = (await self._rows(statement))[0][0]
        return counts | {row[0]: row[1] for row in await self._rows("small_counts")}

    async def check(self) -> list[str]:
        """Return what does not fit together, a line each."""
        rows = await self._connection.fetch(SQL["astray"], timeout=3600)
        return [row[0] for row in rows]

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[None]:
        """Let all reads inside see one moment; where they end early the connection is not used again."""
        await self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
        await self._connection.execute("COMMIT")

    async def _page(
        self, statement: str, owner: str, limit: int, begin: Cursor, read: Callable[[bytes], T]
    ) -> Page[T]:
        rows = await self._rows(statement, owner, limit + 1, begin.moment, begin.tie, begin.skip, PAGE_BYTES)
        return page(((row[0], row[1], row[2]) for row in rows), begin, limit, read)

    async def _rows(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        return await self._connection.fetch(SQL[statement], *values)

    async def _names(self, keys: Collection[str]) -> dict[str, str]:
        rows = await self._rows("known_as", array(keys)) if keys else []
        return own_names((row[0], row[1]) for row in rows)

    async def _named(self, discounts: list[DiscountRecord]) -> list[DiscountRecord]:
        names = await self._names({held.source_id for held in discounts})
        return [given_to(held, names) for held in discounts] if names else discounts

    async def _resolve(self, name: str) -> str:
        return str((await self._rows("resolve", name))[0][0])
