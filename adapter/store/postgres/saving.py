"""Writing one transaction's changes: merges, then erasures, then a statement per table, counters last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adapter.model.discounts import HeldDiscount
from adapter.model.encoding import encode
from adapter.store.contract import Changes
from adapter.store.moments import micros, micros_or_none
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.erasing import erase, keep_quarantined
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import arrays
from adapter.store.rows import (
    delivery_row,
    digest,
    final_owners,
    given_to,
    is_open,
    read_held,
    timer_row,
)

_MOVES = (
    "move_events",
    "move_decisions",
    "move_deliveries",
    "move_timers",
    "move_messages",
    "move_identities",
)


class Saving:
    """The changes of one transaction on their way into the tables.

    `loaded` says of each discount loaded whose it was.
    """

    def __init__(self, connection: Connection, changes: Changes, loaded: Mapping[str, str]) -> None:
        self._connection = connection
        self._changes = changes
        self._loaded = loaded
        self._owners = final_owners(changes.moved) if changes.moved else {}

    async def write(self) -> None:
        """Write all changes."""
        for old, new in self._changes.moved:
            if old != new:
                await self._move(old, new)
        for erasure in self._changes.erased:
            await erase(self._connection, erasure, self._changes.seen_at)
        await self._write_messages()
        await self._write_customers()
        await self._write_facts()
        await self._write_discounts()
        await self._write_deliveries()
        await self._write_timers()
        await self._write_counters()

    async def _many(self, statement: str, rows: Iterable[Sequence[Any]], *more: Any) -> None:
        """Bind rows as one array per column; `more` are values for all rows, bound second."""
        taken = arrays(rows)
        if taken:
            await self._connection.execute(SQL[statement], taken[0], *more, *taken[1:])

    async def _one(self, statement: str, *values: str) -> None:
        await self._connection.execute(SQL[statement], *values)

    def _owner(self, source_id: str) -> str:
        return self._owners.get(source_id, source_id) if self._owners else source_id

    async def _move(self, old: str, new: str) -> None:
        rows = await self._connection.fetch(SQL["all_discounts"], old)
        moved = [given_to(read_held(row[0]), {old: new}) for row in rows]
        await self._one("drop_discounts", old)
        await self._one("move_codes", old, new)
        await self._many("put_discounts", map(_discount_row, moved))
        for statement in _MOVES:
            await self._one(statement, old, new)
        await self._one("drop_customer", old)
        await self._one("end_redirect", new)
        await self._many("put_identities", [("source_id", old, new)])
        if old and new:
            await self._one("move_counters", old, new)

    async def _write_messages(self) -> None:
        answers, rewarded = self._changes.answers, self._changes.rewarded
        owners = {key: self._owner(source_id) for key, source_id in rewarded.items()}
        rows = {
            digest(key): (answers.get(key) or None, owners.get(key))
            for key in answers.keys() | owners.keys()
            if answers.get(key) or key in owners
        }
        ordered = ((kept, *row) for kept, row in sorted(rows.items()))
        await self._many("answer_messages", ordered, micros(self._changes.seen_at))

    async def _write_customers(self) -> None:
        records = {record.customer.source_id: record for record in self._changes.customers}
        rows = [(name, encode(record.customer), record.history) for name, record in sorted(records.items())]
        await self._many("put_customers", rows)
        identities = sorted(self._changes.identities.items())
        await self._many(
            "put_identities", [(*identity, self._owner(owner)) for identity, owner in identities]
        )

    async def _write_facts(self) -> None:
        owner, changes = self._owner, self._changes
        await self._many(
            "add_events",
            [
                (owner(name), micros(event.occurred_at), event.id, encode(event))
                for name, event in changes.events
            ],
        )
        await self._many(
            "add_decisions",
            [(owner(each.source_id), micros(each.decided_at), encode(each)) for each in changes.decisions],
        )
        await keep_quarantined(self._connection, changes.quarantine)

    async def _write_discounts(self) -> None:
        if not self._changes.discounts:
            return
        given = {each.discount.code: given_to(each, self._owners) for each in self._changes.discounts}
        fresh = [(code, held.source_id) for code, held in sorted(given.items()) if code not in self._loaded]
        await self._many("add_codes", fresh)
        changed_hands = [
            (code, held.source_id)
            for code, held in sorted(given.items())
            if code in self._loaded and self._owner(self._loaded[code]) != held.source_id
        ]
        await self._many("give_discounts", changed_hands)
        await self._many("put_discounts", [_discount_row(held) for _, held in sorted(given.items())])

    async def _write_deliveries(self) -> None:
        rows = map(delivery_row, self._changes.deliveries)
        await self._many("add_deliveries", [(*row[:2], self._owner(row[2]), *row[3:]) for row in rows])

    async def _write_timers(self) -> None:
        owner, changes = self._owner, self._changes
        ended = [(owner(each.source_id), each.rule, micros(each.at)) for each in changes.cancelled]
        await self._many("end_timers", ended)
        await self._many("arm_timers", [timer_row(timer, owner(timer.source_id)) for timer in changes.armed])

    async def _write_counters(self) -> None:
        sums: dict[tuple[str, str], int] = {}
        for (scope, key), amount in self._changes.counters.items():
            counter = (self._owner(scope), key)
            sums[counter] = sums.get(counter, 0) + amount
        await self._many("count", [(*counter, amount) for counter, amount in sorted(sums.items()) if amount])


def _discount_row(held: HeldDiscount) -> tuple[Any, ...]:
    discount = held.discount
    return (
        discount.code,
        held.source_id,
        held.event_id,
        micros(held.issued_at),
        micros_or_none(discount.expires_at),
        is_open(held),
        encode(held),
    )
