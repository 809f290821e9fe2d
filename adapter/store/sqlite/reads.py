"""Reads of what is committed, each one statement or two on the reading connection."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import apsw

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
from adapter.store.checkout_values import MOST_LAPSED, CheckoutQuery, CheckoutView
from adapter.store.erasures import (
    meant,
    name_digests,
    occurrence,
    read_forgotten,
    read_receipt,
    with_forwarded,
)
from adapter.store.journal_rows import read_journal
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
from adapter.store.sqlite.bookings import Bookings
from adapter.store.sqlite.connection import array, snapshot
from adapter.store.sqlite.statements import REDACTIONS, SQL
from adapter.store.tables.customer_sql import of_customers
from adapter.store.tables.description import Listed
from adapter.store.tables.registry import TABLES
from adapter.store.timestamps import micros, moment
from adapter.store.values import PAGE_BYTES, CustomerData, CustomerHistory, Forgotten, MessageKey

T = TypeVar("T")
_TABLES = of_customers(TABLES, "sqlite")
_BY_STATUS = {"due": "due_deliveries", "done": "done_deliveries", "dead": "dead_deliveries"}


class Reads:
    """Blocking reads; see the contract for what each returns."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.bookings = Bookings(connection)

    @property
    def connection(self) -> apsw.Connection:
        """The connection, for queries of other modules."""
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def customer(self, source_id: str) -> Customer | None:
        """Return a customer by any of their names."""
        row = self._connection.execute(SQL["customer"], (self._resolve(source_id),)).fetchone()
        return None if row is None else read_customer(row[0]).named()

    def checkout(self, wanted: CheckoutQuery) -> CheckoutView:
        """Return what a checkout asks first."""
        folds = sorted(set(map(folded, wanted.codes)))
        bookings = self.bookings
        discounts = bookings.meant(wanted.codes) if folds else []
        others = set(folds).difference(folded(each.discount.code) for each in discounts)
        return CheckoutView(
            failed=bookings.failed_codes(wanted.failed),
            lapsed=bookings.lapsed_holds(wanted.now, MOST_LAPSED, folds) if folds else [],
            discounts=discounts,
            customer=self.customer(wanted.source_id) if wanted.source_id else None,
            vouchers=bookings.vouchers(sorted(others)),
        )

    def discount(self, code: str) -> DiscountRecord | None:
        """Return the discount that a code means."""
        rows = self._rows("discounts_alike", code, folded(code))
        found = resolve(code, {spelled: read_held(body) for spelled, body in rows})
        return self._named([found])[0] if found else None

    def discounts(self, source_id: str, limit: int, before: str | None) -> Page[DiscountRecord]:
        """Return a page of a customer's discounts, newest first."""
        key = self._resolve(source_id)
        names = self._names([key])

        def read(body: bytes) -> DiscountRecord:
            return given_to(read_held(body), names) if names else read_held(body)

        return self._page("discounts", key, limit, read_cursor(before, LAST_ID), read)

    def events(self, source_id: str, limit: int, before: str | None) -> Page[Event]:
        """Return a page of a customer's events, latest first."""
        return self._page(
            "events", self._resolve(source_id), limit, read_cursor(before, LAST_TEXT), read_event
        )

    def decisions(self, source_id: str, limit: int, before: str | None) -> Page[Decision]:
        """Return a page of a customer's decisions, newest first."""
        key = self._resolve(source_id)
        own = self._names([key]).get(key, key)
        begin, read = read_cursor(before, LAST_ID), partial(read_decision, own)
        return self._page("decisions", key, limit, begin, read)

    def oldest(self, kind: str, source_id: str, after: str | None) -> Page[Any]:
        """Return a page of a customer's events or decisions, oldest first."""
        owner = self._resolve(source_id)
        if kind == "events":
            begin = read_cursor(after, FIRST_TEXT, FIRST_MOMENT)
            return self._page("oldest_events", owner, MANY_ROWS, begin, read_event)
        own = self._names([owner]).get(owner, owner)
        begin, read = read_cursor(after, FIRST_ID, FIRST_MOMENT), partial(read_decision, own)
        return self._page("oldest_decisions", owner, MANY_ROWS, begin, read)

    def contents(self, keys: Collection[MessageKey]) -> dict[MessageKey, bytes]:
        """Return what came under message keys."""
        digests = {digest(key): key for key in keys}
        rows = self._rows("contents_of", apsw.carray(tuple(digests))) if digests else ()
        return {digests[row[0]]: row[1] for row in rows}

    def pending_moves(self, source_id: str, code: str) -> list[PendingMove]:
        """Return the pending moves by a customer, or of a code."""
        if code:
            rows = self._rows("pending_moves_of_code", code)
        else:
            rows = self._rows("pending_moves_of", self._resolve(source_id))
        names = self._names({key for key, _ in rows})
        return [read_pending(names.get(key, key), body) for key, body in rows]

    def lapsed(self, now: datetime, limit: int) -> list[str]:
        """Return codes whose time is over."""
        return [code for (code,) in self._rows("lapsed", micros(now), limit)]

    def due_timers(self, now: datetime, limit: int) -> list[Timer]:
        """Return timers whose moment has come."""
        return [read_timer(row) for row in self._rows("due_timers", micros(now), limit)]

    def customer_histories(self, after: str, limit: int) -> list[CustomerHistory]:
        """Return a page of customers with their events and decisions."""
        rows = self._rows("customers_after", after, limit, 8 * PAGE_BYTES)
        found = {row[0]: CustomerHistory(row[0], [], []) for row in rows}
        if found:
            for source_id, body in self._rows("customer_bodies", array(found)):
                found[source_id].customer = read_customer(body).named()
            for source_id, body in self._rows("all_decisions", array(found)):
                found[source_id].decisions.append(read_decision(source_id, body))
            for source_id, body in self._rows("past", array(found)):
                found[source_id].events.append(read_event(body))
        return list(found.values())

    def deliveries(self, status: str, limit: int, selection: Selection, after: str | None) -> Page[Delivery]:
        """Return a page of selected deliveries of one status."""
        if status not in _BY_STATUS:
            raise Refused(f"`{status}` is not a status of a delivery: use one of {', '.join(_BY_STATUS)}")
        ids = None if selection.ids is None else json.dumps(selection.ids)
        wanted = limit + 1, int(after or 0), ids, *selection_row(selection)
        rows = list(self._rows(_BY_STATUS[status], *wanted))
        found = [read_delivery(row[:-1]) for row in rows[:limit]]
        page = Page(owned(found, self._names({each.source_id for each in found})))
        page.next = str(rows[limit - 1][-1]) if len(rows) > limit else None
        return page

    def pauses(self, now: datetime) -> list[Pause]:
        """Return the pauses in force."""
        return [read_pause(row) for row in self._rows("pauses", micros(now))]

    def due_destinations(self) -> list[str]:
        """Return the names of the destinations of due deliveries."""
        return [row[0] for row in self._rows("due_destinations")]

    def due_of(self, destination: str, source_ids: Collection[str], most: int) -> list[Delivery]:
        """Return the first due deliveries of customers to a destination."""
        rows = (self._rows("due_of_customer", destination, each, most) for each in source_ids)
        return [read_delivery(row) for found in rows for row in found]

    def crowded(self, destination: str, above: int, limit: int) -> list[str]:
        """Return customers with many due deliveries to a destination."""
        return [row[0] for row in self._rows("crowded", destination, above, limit)]

    def oldest_due(self) -> datetime | None:
        """Return when the oldest due delivery was made."""
        rows = self._rows("oldest_due")
        return moment(rows[0][0]) if rows else None

    def breakers(self) -> list[Breaker]:
        """Return the breakers."""
        return [read_breaker(row) for row in self._rows("breakers")]

    def quarantined(self, after: int, limit: int) -> list[Excerpt]:
        """Return excerpts of quarantined messages after an id."""
        return [read_excerpt(row) for row in self._rows("quarantined", after, limit)]

    def latest_quarantined(self, before: int | None, limit: int) -> list[Excerpt]:
        """Return excerpts of quarantined messages before an id, the latest first."""
        rows = self._rows("latest_quarantined", LAST_ID if before is None else before, limit)
        return [read_excerpt(row) for row in rows]

    def quarantined_message(self, id_: int) -> Quarantined | None:
        """Return one quarantined message, whole."""
        rows = self._rows("quarantined_message", id_)
        return read_quarantined(rows[0]) if rows else None

    def quarantined_of(self, name: str, limit: int) -> list[Excerpt]:
        """Return excerpts of quarantined messages that name a person, the latest first."""
        with snapshot(self._connection):
            names = apsw.carray(tuple(self._digests_of(name)))
            return [read_excerpt(row) for row in self._rows("quarantined_of", names, limit)]

    def journal(self, after: int, limit: int, since: datetime | None) -> list[JournalRow]:
        """Return rows of the journal after a number, none from before a moment."""
        with snapshot(self._connection):
            if since is not None:
                after = max(after, self._rows("journal_start", micros(since))[0][0])
            rows = self._rows("journal", after, limit, micros(since) if since else 0)
        return [read_journal(row) for row in rows]

    def latest_journal(self, before: int | None, limit: int) -> list[JournalRow]:
        """Return rows of the journal before a number, the latest first."""
        rows = self._rows("latest_journal", LAST_ID if before is None else before, limit)
        return [read_journal(row) for row in rows]

    def journal_of(self, name: str, after: int, limit: int) -> list[JournalRow]:
        """Return rows of the journal that have an id of a person."""
        with snapshot(self._connection):
            names = apsw.carray(tuple(self._digests_of(name)))
            return [read_journal(row) for row in self._rows("journal_of", names, after, limit)]

    def latest_journal_of(self, name: str, before: int | None, limit: int) -> list[JournalRow]:
        """Return rows of the journal that have an id of a person, the latest first."""
        with snapshot(self._connection):
            upto = LAST_ID if before is None else before
            asked = ((digest, upto, limit) for digest in self._digests_of(name))
            found = {row[0] for each in asked for row in self._rows("latest_journal_of", *each)}
            if not found:
                return []
            numbers = array(map(str, sorted(found)[-limit:]))
            return [read_journal(row) for row in self._rows("journal_rows", numbers)]

    def fresh_journal(self, after: int, seen: Sequence[int], limit: int) -> list[JournalRow]:
        """Return rows of the journal after a number, but for some."""
        known = array(map(str, seen or (-1,)))
        return [read_journal(row) for row in self._rows("fresh_journal", after, known, limit)]

    def first_seen(self, keys: Sequence[MessageKey]) -> list[datetime]:
        """Return when messages were committed."""
        digests = tuple(map(digest, keys))
        return [moment(row[0]) for row in self._rows("first_seen", apsw.carray(digests))] if digests else []

    def journal_size(self) -> int:
        """Return the bytes of the journal."""
        return int(self._rows("journal_size")[0][0])

    def _digests_of(self, name: str) -> list[bytes]:
        source_id = self._resolve(name)
        [(body, _)] = self._rows("record_of", source_id) or [(None, b"")]
        customer = read_customer(body) if body else None
        return name_digests(meant({source_id}, customer, self._rows("names_of", source_id)))

    def ignored(self, limit: int) -> list[Ignored]:
        """Return what no mapping takes, the latest first."""
        return [read_ignored(row) for row in self._rows("ignored", limit)]

    def held(self, name: str, *, apart: bool) -> CustomerData:
        """Return all that is held of a person, in one transaction."""
        with snapshot(self._connection):
            key = self._resolve(name)
            held, one = self._held(key), array([key])
            if not apart:
                held.events = sorted((read_event(row[1]) for row in self._rows("past", one)), key=occurrence)
                decisions = self._rows("all_decisions", one)
                held.decisions = [read_decision(held.source_id, body) for _, body in decisions]
            return held

    def noted(self) -> bool:
        """Return whether the addresses of all customers are indexed."""
        return not self._rows("is_unaddressed")[0][0]

    def addressed(self, address: str, after: str, limit: int) -> list[str] | None:
        """Return a page of customers whose data may contain an address; None while not all are indexed."""
        with snapshot(self._connection):
            if not self.noted():
                return None
            return [row[0] for row in self._rows("addressed", address_digest(address), after, limit)]

    def scan(self, spot: Spot, looks: Looks) -> Slice:
        """Look at one slice of all customers' data."""
        asked = query(spot, REDACTIONS, "sqlite")
        with closing(self._connection.execute(asked.sql, asked.values)) as rows:
            return scanned(spot, asked, rows, looks)

    def forgotten(self, limit: int) -> list[Forgotten]:
        """Return erasures under way."""
        return [read_forgotten(row) for row in self._rows("erasures_under_way", limit)]

    def receipts(self, source_id: str) -> list[Receipt]:
        """Return receipts, newest first."""
        customer = fingerprint(source_id)
        receipts = [read_receipt(row) for row in self._rows("receipts", customer)]
        return with_forwarded(receipts, self._rows("forwarded_erasures", customer)) if receipts else []

    def counts(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        return dict(self._rows("counts"))

    def check(self) -> list[str]:
        """Return what is wrong inside the file, a line each."""
        found = [*self._rows("integrity"), *self._rows("wrong_totals")]
        return [line for (line,) in found if line != "ok"]

    def _held(self, key: str) -> CustomerData:
        [(body, history)] = self._rows("record_of", key) or [(None, b"")]
        customer = read_customer(body) if body else None
        own = (customer.known_as if customer else "") or key
        names = self._rows("names_of", key)
        named = apsw.carray(tuple(name_digests(meant({key}, customer, names))))
        return CustomerData(
            source_id=own,
            customer=customer.named() if customer else None,
            history=history,
            names=leading(names, key, own),
            events=[],
            decisions=[],
            quarantined=[read_excerpt(row) for row in self._rows("quarantined_naming", named)],
            **self._listed(key, own),
        )

    def _listed(self, key: str, own: str) -> dict[str, Any]:
        """Return the members of an export that are lists of rows."""
        found: dict[str, Any] = {}
        for table, described in _TABLES:
            if isinstance(described.export, Listed):
                shared = described.shared and not key
                rows = [] if shared else self._rows(f"export_{table.name}", key)
                found[described.export.member] = described.export.values(rows, key, own)
        return found

    def _page(
        self, statement: str, owner: str, limit: int, begin: Cursor, read: Callable[[bytes], T]
    ) -> Page[T]:
        values = (owner, limit + 1, begin.moment, begin.tie, begin.skip)
        return page(self._connection.execute(SQL[statement], values), begin, limit, read)

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        return self._connection.execute(SQL[statement], values).fetchall()

    def _names(self, keys: Collection[str]) -> dict[str, str]:
        return own_names(self._rows("known_as", array(keys))) if keys else {}

    def _named(self, discounts: list[DiscountRecord]) -> list[DiscountRecord]:
        names = self._names({held.source_id for held in discounts})
        return [given_to(held, names) for held in discounts] if names else discounts

    def _resolve(self, name: str) -> str:
        return str(self._rows("resolve", name)[0][0])
