"""Reads of what is committed, each one statement or two on the reading connection."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

import apsw

from adapter.model.codes import folded, resolve
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.timers import Timer
from adapter.store.checkout_values import MOST_LAPSED, CheckoutQuery, CheckoutView
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
from adapter.store.rows import (
    digest,
    read_customer,
    read_decision,
    read_event,
    read_held,
    read_pending,
    read_timer,
)
from adapter.store.sqlite.arrival_reads import ArrivalReads
from adapter.store.sqlite.bookings import Bookings
from adapter.store.sqlite.connection import array
from adapter.store.sqlite.delivery_reads import DeliveryReads
from adapter.store.sqlite.person_reads import PersonReads
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros
from adapter.store.values import PAGE_BYTES, CustomerHistory, MessageKey


class Reads(ArrivalReads, DeliveryReads, PersonReads):
    """Blocking reads; see the contract for what each returns."""

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self.bookings = Bookings(connection)

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

    def counts(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        return dict(self._rows("counts"))

    def check(self) -> list[str]:
        """Return what is wrong inside the file, a line each."""
        found = [*self._rows("integrity"), *self._rows("wrong_totals")]
        return [line for (line,) in found if line != "ok"]
