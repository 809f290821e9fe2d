"""Writing one transaction's changes: merges, then erasures, then all the rest at once, counters last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.model.encoding import encode
from adapter.model.events import Event
from adapter.store.addresses import Row, address_rows, redemption_addresses
from adapter.store.checkout_rows import voucher_rows
from adapter.store.forwarding import forward_row
from adapter.store.outbox_rows import delivery_row
from adapter.store.owners import final_owners, given_to
from adapter.store.postgres import schedules
from adapter.store.postgres.addresses import put
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.erasing import erase, keep_quarantined
from adapter.store.postgres.imports import save_step
from adapter.store.postgres.journal import add_journal
from adapter.store.postgres.merging import Merging
from adapter.store.postgres.redemptions import book, pool_code_columns
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import arrays, escape
from adapter.store.rows import digest, discount_row, event_row, expect_known, pending_row, timer_row
from adapter.store.schedule_rows import changed_customers
from adapter.store.timestamps import micros
from adapter.store.values import Changes, Known

Rows = list[tuple[Any, ...]]
#: The position of customers in what `_rows` yields.
_CUSTOMERS = 1


class Saving:
    """Writes the changes of one transaction.

    `loaded` has the customer of each loaded discount, `used` the values of reserved counters, `known` what
    the script knew of earlier runs.
    """

    def __init__(
        self,
        connection: Connection,
        changes: Changes,
        loaded: Mapping[str, str],
        used: Mapping[ScopedKey, int],
        known: Known,
    ) -> None:
        self._connection = connection
        self._changes = changes
        self._loaded = loaded
        self._used = used
        self._known = known
        self._owners = final_owners(changes.moved) if changes.moved else {}

    async def write(self) -> bool:
        """Write all changes; true when counters that many share wait to be added together with COMMIT.

        The order of the statements is that of the locks.
        """
        await self._save_steps()
        lost = await self._move_and_erase()
        await keep_quarantined(self._connection, self._changes.quarantine)
        await add_journal(self._connection, self._changes.journal)
        given = {each.discount.code: given_to(each, self._owners) for each in self._changes.discounts}
        await self._hand_over(given)
        await self._put_pending_moves()
        await self._book()
        await self._put_codes()
        if self._changes.contents:
            kept = self._changes.contents.items()
            await self._many("keep_contents", [(digest(key), content) for key, content in kept])
        # Before deliveries, as when they are forwarded.
        forwards = [forward_row(each, self._owner(each.source_id)) for each in self._changes.forwards]
        await self._many("put_forwards", forwards)
        own, shared = self._counters()
        repeated = await self._save_batch(given, own, shared)
        if self._changes.dated and (changed := changed_customers(self._changes)):
            await schedules.put_dates(self._connection, changed, self._changes.dated)
        expect_known(self._known, [self._changes.events[at - 1].place for at in repeated], lost)
        return bool(shared)

    async def _save_steps(self) -> None:
        """Say how far an import and an occurrence of a schedule have come."""
        if self._changes.step is not None:
            await save_step(self._connection, self._changes.step)
        if self._changes.schedule is not None:
            await schedules.save_step(self._connection, self._changes.schedule)

    async def _move_and_erase(self) -> dict[str, list[Event]]:
        """Merge customers, then erase; the events that both of two merged customers have, by customer."""
        lost: dict[str, list[Event]] = {}
        if self._owners:
            lost = await Merging(self._connection).move(self._owners)
        for erasure in self._changes.erased:
            await erase(self._connection, erasure, self._changes.seen_at)
        return lost

    async def _hand_over(self, given: Mapping[str, DiscountRecord]) -> None:
        """Write open discounts of merged customers, and those whose customer is another by now."""
        rewritten = [given_to(each, self._owners) for each in self._changes.rewritten]
        await self._many("put_discounts", map(discount_row, rewritten))
        await self._many("give_discounts", self._changed_hands(given))

    async def _put_pending_moves(self) -> None:
        """Remove moves that have ended, and keep those that wait."""
        ended = [(self._owner(each.source_id), each.id) for each in self._changes.ended]
        await self._many("end_pending_moves", ended)
        pending = [pending_row(each, self._owner(each.source_id)) for each in self._changes.pending]
        await self._many("put_pending_moves", pending)

    async def _book(self) -> None:
        """Write redemptions and rollbacks, and take codes out of pools."""
        if self._changes.redemptions or self._changes.rollbacks or self._changes.drawn:
            await book(self._connection, self._changes, self._owner)
            await put(self._connection, redemption_addresses(self._changes.redemptions, self._owner))

    async def _put_codes(self) -> None:
        """Add codes to pools, and write vouchers."""
        if self._changes.pool_codes:
            for pool, *columns in pool_code_columns(self._changes):
                await self._connection.execute(SQL["add_pool_codes"], pool, *columns)
        if self._changes.vouchers or self._changes.changed_vouchers:
            await self._many("add_vouchers", voucher_rows(self._changes.vouchers))
            await self._many("update_vouchers", voucher_rows(self._changes.changed_vouchers))

    async def _save_batch(self, given: Mapping[str, DiscountRecord], own: Rows, shared: Rows) -> list[int]:
        """Write all other rows by one statement; the places, from 1, of events that were there before."""
        rows = list(self._rows(given))
        columns = [column for each, width in rows for column in arrays(each, width)]
        event_rows = [event_row(new, self._owner(new.source_id)) for new in self._changes.events]
        events = arrays(event_rows, 5)
        repeated: list[int] = []
        if own or shared or any(columns) or events[0]:
            seen_at = micros(self._changes.seen_at)
            values = (seen_at, *columns, _json(own), _json(shared), *events)
            repeated = await self._connection.fetchval(SQL["save_batch"], *values)
        await put(self._connection, self._addresses(rows[_CUSTOMERS][0], event_rows))
        return repeated

    def _addresses(self, customers: Rows, events: Rows) -> list[Row]:
        """Return what is to be noted of the rows that were written."""
        known = {record.customer.source_id: record for record in self._changes.customers}
        facts = [(known[row[0]].customer, row[1]) for row in customers if known[row[0]].changed]
        owners = {name: record.customer for name, record in known.items()}
        return address_rows(facts, ((row[0], row[-1]) for row in events), owners)

    async def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Bind rows as one array per column."""
        taken = arrays(rows)
        if taken:
            await self._connection.execute(SQL[statement], *taken)

    def _owner(self, source_id: str) -> str:
        return self._owners.get(source_id, source_id) if self._owners else source_id

    def _rows(self, given: Mapping[str, DiscountRecord]) -> Iterator[tuple[Rows, int]]:
        """Yield the rows of each table and how wide they are, in the order in which save_batch takes them."""
        owner, changes = self._owner, self._changes
        yield self._messages(), 3
        records = {record.customer.source_id: record for record in changes.customers}
        yield [(name, encode(each.customer), each.history) for name, each in sorted(records.items())], 3
        yield [(*identity, owner(name)) for identity, name in sorted(changes.identities.items())], 3
        yield [], 4  # events: older programs give them here
        yield (
            [(owner(each.source_id), micros(each.decided_at), encode(each)) for each in changes.decisions],
            3,
        )
        discounts = sorted(given.items())
        yield [(code, held.source_id) for code, held in discounts if code not in self._loaded], 2
        yield [discount_row(held) for _, held in discounts], 7
        deliveries = map(delivery_row, changes.deliveries)
        yield [(*row[:2], owner(row[2]), *row[3:]) for row in deliveries], 11
        yield [(owner(each.source_id), each.rule, micros(each.at)) for each in changes.cancelled], 3
        yield [timer_row(timer, owner(timer.source_id)) for timer in changes.armed], 5

    def _messages(self) -> Rows:
        answers, rewarded = self._changes.answers, self._changes.rewarded
        owners = {key: self._owner(source_id) for key, source_id in rewarded.items()}
        rows = {
            digest(key): (answers.get(key) or None, owners.get(key))
            for key in answers.keys() | owners.keys()
            if answers.get(key) or key in owners
        }
        return [(kept, *row) for kept, row in sorted(rows.items())]

    def _changed_hands(self, given: Mapping[str, DiscountRecord]) -> list[tuple[str, str]]:
        return [
            (code, held.source_id)
            for code, held in sorted(given.items())
            if code in self._loaded and self._owner(self._loaded[code]) != held.source_id
        ]

    def _counters(self) -> tuple[Rows, Rows]:
        """Return scope, key, amount and bound of customers' own counters, and of those that many share.

        Without a bound of its own, a counter that was reserved and grows may not have grown meanwhile.
        """
        amounts = self._by_owner(self._changes.counters)
        bounds = self._by_owner(self._used)
        bounds |= {(self._owner(scope), key): n for (scope, key), n in self._changes.bounds.items()}
        touched = {key for key, amount in amounts.items() if amount} | self._changes.bounds.keys()
        rows = [
            (*map(escape, key), amounts.get(key, 0), bounds.get(key) if amounts.get(key, 0) >= 0 else None)
            for key in sorted(touched, key=in_order)
        ]
        return [row for row in rows if row[0]], [row for row in rows if not row[0]]

    def _by_owner(self, counters: Mapping[ScopedKey, int]) -> dict[ScopedKey, int]:
        sums: dict[ScopedKey, int] = {}
        for (scope, key), amount in counters.items():
            counter = (self._owner(scope), key)
            sums[counter] = sums.get(counter, 0) + amount
        return sums


def in_order(counter: ScopedKey) -> tuple[bool, str, str]:
    """Return what counters are ordered by: those that many share are locked last."""
    return not counter[0], *counter


def _json(rows: Rows) -> str:
    return encode(rows).decode() if rows else ""
