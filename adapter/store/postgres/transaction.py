"""One open transaction: load, reserve, save.

Locks are taken in one order everywhere: messages, customers, identities, counters, each by key. Each
statement sees what was committed before it (READ COMMITTED), so what is read after a lock is current.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from adapter.model.customers import SOURCE_ID
from adapter.model.discounts import HeldDiscount
from adapter.model.events import Event
from adapter.model.timers import Timer
from adapter.store.contract import (
    Changes,
    CounterKey,
    CustomerRecord,
    Identity,
    Loaded,
    MessageKey,
    Reserved,
    Wanted,
)
from adapter.store.moments import micros
from adapter.store.postgres.committer import Again
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.saving import Saving
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import array, arrays
from adapter.store.rows import digest, read_customer, read_event, read_held, read_timer


class PostgresTransaction:
    """Runs inside BEGIN on the committer's connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._customers: dict[str, CustomerRecord] = {}
        self._held_customers: set[str] = set()
        self._held_identities: set[Identity] = set()
        self._discounts: dict[str, HeldDiscount] = {}

    async def load(self, wanted: Wanted, now: datetime) -> Loaded:
        """Claim the messages, lock and read the rest; see the contract."""
        answers = await self._claim(wanted.messages, now) if wanted.messages else {}
        names = set(wanted.customers)
        names.update(value for kind, value in wanted.identities if kind == SOURCE_ID)
        if wanted.codes:
            names.update(row[1] for row in await self._fetch("code_owners", array(wanted.codes)))
        await self._read_customers(names)
        # A visitor's anonymous id seldom has a record: whether its place is needed, identities will tell.
        visitors = {value for _, value in wanted.identities}
        await self._hold_customers(names - visitors - self._customers.keys())
        asked = set(wanted.identities)
        asked.update((SOURCE_ID, name) for name in wanted.customers if name not in self._customers)
        identities = await self._identities(asked)
        await self._follow(names, identities, asked)
        await self._read_discounts(wanted.codes, now)
        timers = await self._timers(wanted.waits) if wanted.waits else []
        return Loaded(answers, identities, self._customers, self._discounts, timers)

    async def past(self, source_ids: Sequence[str]) -> dict[str, list[Event]]:
        """Read the events of customers."""
        events: dict[str, list[Event]] = {}
        for source_id, body in await self._fetch("past", array(set(source_ids))):
            events.setdefault(source_id, []).append(read_event(body))
        return events

    async def reserve(self, counters: Sequence[CounterKey], codes: Sequence[str]) -> Reserved:
        """Lock the counters in key order, and say which codes exist."""
        used: dict[CounterKey, int] = {}
        ordered = sorted(set(counters))
        for statement in ("lock_counters", "hold_counters"):
            if missing := [key for key in ordered if key not in used]:
                rows = await self._fetch(statement, *arrays(missing, 2))
                used |= {(scope, key): n for scope, key, n in rows}
        taken = await self._fetch("taken_codes", array(codes)) if codes else []
        return Reserved({key: n for key, n in used.items() if n}, frozenset(row[0] for row in taken))

    async def save(self, changes: Changes) -> None:
        """Write everything."""
        owners = {code: held.source_id for code, held in self._discounts.items()}
        await Saving(self._connection, changes, owners).write()
        self._held_customers.difference_update(record.customer.source_id for record in changes.customers)
        self._held_identities -= changes.identities.keys()

    async def finish(self) -> None:
        """Give back the places that no save has filled."""
        if self._held_customers:
            await self._fetch("drop_held_customers", array(sorted(self._held_customers)))
        if self._held_identities:
            await self._fetch("drop_held_identities", *arrays(sorted(self._held_identities), 2))

    async def _fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        return await self._connection.fetch(SQL[statement], *values)

    async def _claim(self, messages: Sequence[MessageKey], now: datetime) -> dict[MessageKey, bytes]:
        digests = {digest(key): key for key in messages}
        fresh = {row[0] for row in await self._fetch("claim_messages", sorted(digests), micros(now))}
        if len(fresh) == len(digests):
            return {}
        rows = await self._fetch("answers", sorted(digests.keys() - fresh))
        return {digests[row[0]]: row[1] or b"" for row in rows}

    async def _hold_customers(self, unknown: set[str]) -> None:
        """Take the places of unknown customers, and lock those that were made meanwhile."""
        if not unknown:
            return
        held = {row[0] for row in await self._fetch("hold_customers", array(sorted(unknown)))}
        self._held_customers |= held
        await self._read_customers(unknown - held)
        if unknown - held - self._customers.keys():
            raise Again

    async def _follow(self, names: set[str], identities: dict[Identity, str], asked: set[Identity]) -> None:
        """Lock whom the identities lead to, and the places of visitors that nobody is known by."""
        locked = self._customers.keys() | self._held_customers
        led_to = set(identities.values()) - locked
        await self._read_customers(led_to)
        spoken_for = {value for _, value in identities}
        if unknown := ((names - spoken_for) | led_to) - locked - self._customers.keys():
            await self._hold_customers(unknown)
            # Between our looking and our holding, one may have been made and merged into another.
            if await self._known_identities(asked) != identities:
                raise Again

    async def _read_customers(self, names: Collection[str]) -> None:
        rows = await self._fetch("lock_customers", array(sorted(names))) if names else []
        self._customers |= {
            name: CustomerRecord(read_customer(body), history) for name, body, history in rows
        }

    async def _identities(self, asked: set[Identity]) -> dict[Identity, str]:
        """Return the identities known, and hold the places of the unknown ones."""
        known = await self._known_identities(asked)
        # A redirect needs no place held: who would write it needs the customer, and we have that locked.
        if unknown := {identity for identity in asked - known.keys() if identity[0] != SOURCE_ID}:
            rows = await self._fetch("hold_identities", *arrays(sorted(unknown)))
            self._held_identities = {(kind, value) for kind, value in rows}
            known |= await self._known_identities(unknown - self._held_identities)
        return known

    async def _known_identities(self, asked: Collection[Identity]) -> dict[Identity, str]:
        if not asked:
            return {}
        rows = await self._fetch("known_identities", *arrays(sorted(asked), 2))
        return {(kind, value): source_id for kind, value, source_id in rows if source_id}

    async def _timers(self, rules: Sequence[str]) -> list[Timer]:
        rows = await self._fetch("waiting", array(sorted(self._customers)), array(set(rules)))
        return [read_timer(row) for row in rows]

    async def _read_discounts(self, codes: Sequence[str], now: datetime) -> None:
        if codes:
            rows = await self._fetch("discounts_by_code", array(sorted(set(codes))))
            if any(row[0] not in self._customers and row[0] not in self._held_customers for row in rows):
                raise Again
            self._discounts |= {row[1]: read_held(row[2]) for row in rows}
        if self._customers:
            rows = await self._fetch("open_discounts", array(sorted(self._customers)), micros(now))
            self._discounts |= {row[1]: read_held(row[2]) for row in rows}
