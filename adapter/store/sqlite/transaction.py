"""One open transaction: load, reserve, save. Nothing here waits, so that the writer thread can drive it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

import apsw

from adapter.model.codes import folded
from adapter.model.counter_key import CounterKey, ScopedKey
from adapter.model.customers import SOURCE_ID
from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event
from adapter.model.pending import PendingMove
from adapter.model.removals import Removal
from adapter.model.timers import Timer
from adapter.store.checkout_values import BookedState, BookingRequest
from adapter.store.rows import digest, read_customer, read_event, read_held, read_pending, read_timer
from adapter.store.sqlite.addresses import redact
from adapter.store.sqlite.connection import array
from adapter.store.sqlite.redemptions import booked
from adapter.store.sqlite.saving import Saving
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros
from adapter.store.transaction_contract import Transaction
from adapter.store.values import (
    NOTHING_KNOWN,
    Changes,
    CounterState,
    CustomerRecord,
    Identity,
    Known,
    LoadedState,
    LoadRequest,
    MessageKey,
    Place,
    Weight,
)

T = TypeVar("T")


def drive(script: Callable[[Transaction], Awaitable[T]], transaction: SqliteTransaction) -> T:
    """Run a script to its end; it may await its transaction only, whose methods never suspend."""
    coroutine = cast("Any", script(transaction))
    try:
        coroutine.send(None)
    except StopIteration as stop:
        transaction.finish()
        return cast("T", stop.value)
    coroutine.close()
    raise TypeError("a script may await the methods of its transaction only")


class SqliteTransaction:
    """Runs inside BEGIN IMMEDIATE, which locks out every other writer."""

    def __init__(self, connection: apsw.Connection, known: Known = NOTHING_KNOWN) -> None:
        self.known = known
        self._connection = connection
        self._claimed: dict[MessageKey, bytes] = {}
        self._claimed_at = 0
        self._customers: Collection[str] = ()
        self._discounts: Collection[str] = ()

    async def load(self, wanted: LoadRequest, now: datetime) -> LoadedState:
        """Claim the messages, and read the rest; see the contract."""
        self._claimed_at = micros(now)
        answers = self._claim(wanted.messages)
        by_code = self._meant(wanted.codes)
        names = set(wanted.customers)
        names.update(value for kind, value in wanted.identities if kind == SOURCE_ID)
        names.update(held.source_id for held in by_code.values())
        customers = self._read_customers(names)
        identities = self._identities(wanted, customers)
        customers |= self._read_customers(set(identities.values()) - names)
        discounts = by_code | self._open(customers, micros(now))
        pending: list[PendingMove] = []
        if names and self._connection.execute(SQL["any_pending_moves"]).get:
            pending = self._pending(names.union(identities.values(), customers), customers, discounts)
        self._customers, self._discounts = customers.keys(), discounts.keys()
        timers = self._timers(wanted.waits, customers) if wanted.waits else []
        return LoadedState(answers, identities, customers, discounts, timers, pending)

    async def booked(self, wanted: BookingRequest) -> BookedState:
        """Read what is booked."""
        return booked(self._connection, wanted)

    async def past(self, source_ids: Sequence[str]) -> dict[str, list[Event]]:
        """Read the events of customers."""
        events: dict[str, list[Event]] = {}
        if not source_ids:
            return events
        for source_id, body in self._connection.execute(SQL["past"], (array(set(source_ids)),)):
            events.setdefault(source_id, []).append(read_event(body))
        return events

    async def past_weights(self, source_ids: Sequence[str]) -> dict[str, int]:
        """Weigh the events of customers."""
        return dict(self._connection.executemany(SQL["past_weight"], ((name,) for name in set(source_ids))))

    async def weigh(self, source_ids: Sequence[str], most: int) -> dict[str, Weight]:
        """Count what customers have."""
        rows = self._connection.executemany(SQL["weigh"], [(each, most) for each in set(source_ids)])
        return {source_id: Weight(kept + names, names) for source_id, kept, names in rows}

    async def counters_of(
        self, source_ids: Sequence[str], containing: str
    ) -> dict[str, dict[CounterKey, int]]:
        """Read some of customers' own counters."""
        found: dict[str, dict[CounterKey, int]] = {}
        wanted = (array(set(source_ids)), containing)
        for scope, key, used in self._connection.execute(SQL["counters_containing"], wanted):
            found.setdefault(scope, {})[CounterKey(key)] = used
        return found

    async def open_discounts(self, source_ids: Sequence[str]) -> list[DiscountRecord]:
        """Read customers' open discounts."""
        rows = self._connection.execute(SQL["open_discounts_of"], (array(set(source_ids)),))
        return [read_held(body) for (body,) in rows]

    async def latest_discounts(self, source_id: str, most: int) -> list[DiscountRecord]:
        """Read a customer's newest discounts."""
        rows = self._connection.execute(SQL["latest_discounts"], (source_id, most))
        return [read_held(body) for (body,) in rows]

    async def reserve(self, counters: Sequence[ScopedKey], codes: Sequence[str]) -> CounterState:
        """Read the counters, and which codes are taken in any spelling."""
        rows = self._connection.executemany(SQL["used"], counters)
        used = {(scope, key): n for scope, key, n in rows if n}
        folds = {code: folded(code) for code in codes}
        found = self._connection.execute(SQL["taken_codes"], (array(set(folds.values())),)) if codes else ()
        taken = {fold for (fold,) in found}
        return CounterState(used, frozenset(code for code, fold in folds.items() if fold in taken))

    async def redact(
        self, source_id: str, removal: Removal, after: Place | None = None
    ) -> tuple[int, Place | None]:
        """Remove an address or ids from some of a customer's rows."""
        return redact(self._connection, source_id, removal, after)

    async def save(self, changes: Changes) -> None:
        """Write everything, claims included."""
        claimed, self._claimed = self._claimed, {}
        saving = Saving(self._connection, changes, self._customers, self._discounts, self.known)
        saving.write(claimed, self._claimed_at)

    def finish(self) -> None:
        """Keep claims that no save has answered."""
        if self._claimed:
            rows = ((key, self._claimed_at, None, None) for key in self._claimed.values())
            self._connection.executemany(SQL["answer_message"], rows)

    def _claim(self, messages: Sequence[MessageKey]) -> dict[MessageKey, bytes]:
        if not messages:
            return {}
        digests = {digest(key): key for key in messages}
        rows = self._connection.execute(SQL["seen_messages"], (apsw.carray(tuple(digests)),))
        answers = {digests.pop(seen): answer or b"" for seen, answer in rows}
        self._claimed = {key: fresh for fresh, key in digests.items()}
        return answers

    def _identities(self, wanted: LoadRequest, customers: Collection[str]) -> dict[Identity, str]:
        by_kind: dict[str, set[str]] = {}
        for kind, value in wanted.identities:
            by_kind.setdefault(kind, set()).add(value)
        if unknown := set(wanted.customers).difference(customers):
            by_kind.setdefault(SOURCE_ID, set()).update(unknown)
        known: dict[Identity, str] = {}
        for kind, values in by_kind.items():
            rows = self._connection.execute(SQL["known_identities"], (kind, array(values)))
            known.update({(kind, value): source_id for value, source_id in rows})
        return known

    def _read_customers(self, names: Collection[str]) -> dict[str, CustomerRecord]:
        if not names:
            return {}
        rows = self._connection.execute(SQL["known_customers"], (array(names),))
        return {name: CustomerRecord(read_customer(body), history, len(body)) for name, body, history in rows}

    def _pending(
        self, names: Collection[str], customers: Collection[str], discounts: dict[str, DiscountRecord]
    ) -> list[PendingMove]:
        """Return the pending moves by customers of these names, and add their discounts to those loaded."""
        rows = self._connection.execute(SQL["pending_moves_by"], (array(names),))
        found = []
        for source_id, body, held in rows:
            found.append(read_pending(source_id, body))
            discount = None if held is None else read_held(held)
            if discount is not None and discount.source_id in customers:
                discounts[discount.discount.code] = discount
        return found

    def _timers(self, rules: Iterable[str], customers: Collection[str]) -> list[Timer]:
        if not customers:
            return []
        owners = array(customers)
        rows = (self._connection.execute(SQL["waiting"], (rule, owners)) for rule in set(rules))
        return [read_timer(row) for found in rows for row in found]

    def _meant(self, codes: Iterable[str]) -> dict[str, DiscountRecord]:
        if not codes:
            return {}
        typed = (array(set(codes)), array(set(map(folded, codes))))
        rows = dict(self._connection.execute(SQL["discounts_by_code"], typed))
        return {code: read_held(body) for code, body in rows.items()}

    def _open(self, owners: Collection[str], now: int) -> dict[str, DiscountRecord]:
        if not owners:
            return {}
        rows = self._connection.execute(SQL["open_discounts"], (array(set(owners)), now))
        return {code: read_held(body) for code, body in rows}
