"""One open transaction: load, reserve, save.

Locks are taken in one order everywhere: messages, customers, identities, counters, each by key. Each
statement sees what was committed before it (READ COMMITTED), so what is read after a lock is current.

Counters are not locked while a script thinks: they are read, and when their differences are added, last of
all, the server sees that none has been moved so far that the script might have come to something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from adapter.model.codes import folded
from adapter.model.counter_key import CounterKey, ScopedKey
from adapter.model.customers import SOURCE_ID
from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event
from adapter.model.removals import Removal
from adapter.store.checkout_values import BookedState, BookingRequest
from adapter.store.postgres.addresses import redact
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.redemptions import booked
from adapter.store.postgres.saving import Saving, in_order
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array, arrays, texts
from adapter.store.rows import digest, read_customer, read_event, read_held, read_pending, read_timer
from adapter.store.timestamps import micros
from adapter.store.transaction_contract import OnLocksAcquired
from adapter.store.values import (
    NOTHING_KNOWN,
    Changes,
    CounterState,
    CustomerRecord,
    Identity,
    Known,
    LoadedState,
    LoadRequest,
    Place,
    Weight,
)


class PostgresTransaction:
    """Runs inside BEGIN on a committer's connection; the statement `end` commits it.

    `locked` is called when what is loaded is locked. `locking` has counters locked as soon as they are
    reserved: no other transaction can make the script run again for their sake.
    """

    def __init__(
        self,
        connection: Connection,
        locked: OnLocksAcquired | None = None,
        known: Known = NOTHING_KNOWN,
        *,
        locking: bool = False,
    ) -> None:
        self.known = known
        self._connection = connection
        self._locked = locked
        self._locking = locking
        self._held_customers: set[str] = set()
        self._held_identities: set[Identity] = set()
        self._owners: dict[str, str] = {}
        self._used: dict[ScopedKey, int] = {}
        self.end = SQL["commit"]

    async def load(self, wanted: LoadRequest, now: datetime) -> LoadedState:
        """Claim the messages, lock and read the rest; see the contract."""
        digests = {digest(key): key for key in wanted.messages}
        identities = sorted(set(wanted.identities))
        [row] = await self._fetch(
            "load_batch",
            sorted(digests),
            micros(now),
            array(sorted(set(wanted.customers))),
            array(value for kind, value in identities if kind == SOURCE_ID),
            array({value for _, value in identities}),
            *arrays(identities, 2),
            await self._meant(wanted.codes),
            array(set(wanted.waits)),
        )
        if self._locked is not None:
            self._locked()
        self._held_customers = set(texts(row["held"]))
        self._held_identities = set(zip(texts(row["held_kinds"]), texts(row["held_ids"]), strict=True))
        loaded = _loaded(row)
        loaded.answers = {
            digests[seen]: answer for seen, answer in zip(row["seen"], row["answers"], strict=True)
        }
        self._owners = {code: held.source_id for code, held in loaded.discounts.items()}
        return loaded

    async def booked(self, wanted: BookingRequest) -> BookedState:
        """Lock and read what is booked."""
        return await booked(self._connection, wanted)

    async def past(self, source_ids: Sequence[str]) -> dict[str, list[Event]]:
        """Read the events of customers."""
        events: dict[str, list[Event]] = {}
        for source_id, body in await self._fetch("past", array(set(source_ids))):
            events.setdefault(source_id, []).append(read_event(body))
        return events

    async def past_weights(self, source_ids: Sequence[str]) -> dict[str, int]:
        """Weigh the events of customers."""
        return {row[0]: row[1] for row in await self._fetch("past_weights", array(set(source_ids)))}

    async def weigh(self, source_ids: Sequence[str], most: int) -> dict[str, Weight]:
        """Count what customers have."""
        rows = await self._fetch("weigh", array(set(source_ids)), most)
        return {source_id: Weight(kept + names, names) for source_id, kept, names in rows}

    async def counters_of(
        self, source_ids: Sequence[str], containing: str
    ) -> dict[str, dict[CounterKey, int]]:
        """Read some of customers' own counters."""
        found: dict[str, dict[CounterKey, int]] = {}
        for scope, key, used in await self._fetch("counters_containing", array(set(source_ids)), containing):
            found.setdefault(scope, {})[CounterKey(key)] = used
        return found

    async def open_discounts(self, source_ids: Sequence[str]) -> list[DiscountRecord]:
        """Read customers' open discounts."""
        rows = await self._fetch("open_discounts_of", array(set(source_ids)))
        return [read_held(body) for (body,) in rows]

    async def latest_discounts(self, source_id: str, most: int) -> list[DiscountRecord]:
        """Read a customer's newest discounts."""
        return [read_held(body) for (body,) in await self._fetch("latest_discounts", source_id, most)]

    async def reserve(self, counters: Sequence[ScopedKey], codes: Sequence[str]) -> CounterState:
        """Read the counters, and say which codes exist in any spelling."""
        ordered = sorted(set(counters), key=in_order)
        keys = arrays(ordered, 2)
        if self._locking:
            await self._fetch("lock_counters", *keys)
        folds = {code: folded(code) for code in codes}
        rows = await self._fetch("read_counters", *keys, array(set(folds.values())))
        used = {(scope, key): n for scope, key, n in rows if scope is not None}
        self._used = dict.fromkeys(counters, 0) | used
        taken = {row[1] for row in rows if row[0] is None}
        return CounterState(
            {key: n for key, n in used.items() if n},
            frozenset(code for code, fold in folds.items() if fold in taken),
        )

    async def redact(
        self, source_id: str, removal: Removal, after: Place | None = None
    ) -> tuple[int, Place | None]:
        """Remove an address or ids from some of a customer's rows."""
        return await redact(self._connection, source_id, removal, after)

    async def save(self, changes: Changes) -> None:
        """Write everything."""
        saving = Saving(self._connection, changes, self._owners, self._used, self.known)
        if await saving.write():
            self.end = SQL["count_and_commit"]
        self._held_customers.difference_update(record.customer.source_id for record in changes.customers)
        self._held_identities -= changes.identities.keys()

    async def finish(self) -> None:
        """Give back the places that no save has filled."""
        if self._held_customers:
            await self._fetch("drop_held_customers", array(sorted(self._held_customers)))
        if self._held_identities:
            await self._fetch("drop_held_identities", *arrays(sorted(self._held_identities), 2))

    async def _meant(self, codes: Sequence[str]) -> list[str]:
        """Return the codes, in order, that typed ones may mean, as an array to bind."""
        if not codes:
            return []
        rows = await self._fetch("codes_meant", array(set(codes)), array(set(map(folded, codes))))
        return array(sorted(code for (code,) in rows))

    async def _fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        return await self._connection.fetch(SQL[statement], *values)


def _loaded(row: asyncpg.Record) -> LoadedState:
    """Return what a row of `load_batch` says, its answers apart."""
    customers = zip(texts(row["customers"]), row["bodies"], row["histories"], strict=True)
    identities = zip(texts(row["kinds"]), texts(row["ids"]), texts(row["owners"]), strict=True)
    discounts = {
        code: read_held(body)
        for code, body in zip(texts(row["discounts"]), row["discount_bodies"], strict=True)
    }
    discounts |= {held.discount.code: held for held in map(read_held, filter(None, row["moved_discounts"]))}
    waits = zip(
        texts(row["waits"]), texts(row["wait_owners"]), row["wait_bodies"], row["waits_due"], strict=True
    )
    return LoadedState(
        answers={},
        identities={(kind, value): source_id for kind, value, source_id in identities},
        customers={
            name: CustomerRecord(read_customer(body), history, len(body)) for name, body, history in customers
        },
        discounts=discounts,
        timers=[read_timer(wait) for wait in waits],
        pending=list(map(read_pending, texts(row["movers"]), row["moves"])),
    )
