"""Writing one transaction's changes: merges, then erasures, then everything else, counters last."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from typing import Any

import apsw

from adapter.model.customers import Customer
from adapter.model.encoding import encode
from adapter.model.events import Event
from adapter.store.addresses import address_rows, redemption_addresses
from adapter.store.checkout_rows import pool_code_rows, voucher_rows
from adapter.store.forwarding import forward_row
from adapter.store.outbox_rows import delivery_row
from adapter.store.owners import final_owners, given_to
from adapter.store.rows import digest, discount_row, event_row, expect_known, pending_row, timer_row
from adapter.store.schedule_rows import changed_customers
from adapter.store.sqlite import schedules
from adapter.store.sqlite.erasing import erase, keep_quarantined
from adapter.store.sqlite.imports import save_step
from adapter.store.sqlite.journal import add_journal
from adapter.store.sqlite.merging import Merging
from adapter.store.sqlite.redemptions import book
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros
from adapter.store.values import Changes, Known, MessageKey

_Row = tuple[Any, ...]


class Saving:
    """Writes the changes of one transaction.

    `customers` and `discounts` are the keys that the transaction has loaded, so that they exist; `known` is
    what the script knew of earlier runs.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        changes: Changes,
        customers: Collection[str],
        discounts: Collection[str],
        known: Known,
    ) -> None:
        self._connection = connection
        self._changes = changes
        self._customers = customers
        self._discounts = discounts
        self._known = known
        self._owners = final_owners(changes.moved) if changes.moved else {}
        self._facts: list[tuple[Customer, bytes]] = []
        self._event_bodies: list[tuple[str, bytes]] = []

    def write(self, claimed: dict[MessageKey, bytes], claimed_at: int) -> None:
        """Write all changes, and the messages claimed, with their digests, whether answered or not."""
        lost: dict[str, list[Event]] = {}
        if self._changes.step is not None:
            save_step(self._connection, self._changes.step)
        if self._changes.schedule is not None:
            schedules.save_step(self._connection, self._changes.schedule)
        if self._owners:
            lost = Merging(self._connection).move(self._owners)
        for erasure in self._changes.erased:
            erase(self._connection, erasure, self._changes.seen_at)
        self._write_messages(claimed, claimed_at)
        if self._changes.contents:
            kept = self._changes.contents.items()
            self._many("keep_content", [(digest(key), content) for key, content in kept])
        self._write_customers()
        if self._changes.dated and (changed := changed_customers(self._changes)):
            schedules.put_dates(self._connection, changed, self._changes.dated)
        expect_known(self._known, self._write_events(), lost)
        self._write_addresses()
        self._write_facts()
        self._write_discounts()
        self._write_timers()
        self._write_pending()
        if self._changes.redemptions or self._changes.rollbacks or self._changes.drawn:
            book(self._connection, self._changes, self._owner)
            self._many("put_address", redemption_addresses(self._changes.redemptions, self._owner))
        if self._changes.pool_codes:
            list(self._connection.executemany(SQL["add_pool_code"], pool_code_rows(self._changes)))
        if self._changes.vouchers or self._changes.changed_vouchers:
            self._many("add_voucher", voucher_rows(self._changes.vouchers))
            self._many("update_voucher", voucher_rows(self._changes.changed_vouchers))
        self._write_counters()

    def _many(self, statement: str, rows: Iterable[_Row]) -> None:
        self._connection.executemany(SQL[statement], rows)

    def _owner(self, source_id: str) -> str:
        return self._owners.get(source_id, source_id) if self._owners else source_id

    def _write_messages(self, claimed: dict[MessageKey, bytes], claimed_at: int) -> None:
        answers, rewarded = self._changes.answers, self._changes.rewarded
        seen_at = claimed_at or micros(self._changes.seen_at)
        keys = claimed | {key: digest(key) for key in answers.keys() - claimed.keys()}
        keys |= {key: digest(key) for key in rewarded.keys() - keys.keys()}
        self._many(
            "answer_message",
            [
                (kept, seen_at, answers.get(key) or None, self._rewarded(key) if rewarded else None)
                for key, kept in keys.items()
            ],
        )

    def _rewarded(self, key: MessageKey) -> str | None:
        source_id = self._changes.rewarded.get(key)
        return None if source_id is None else self._owner(source_id)

    def _write_customers(self) -> None:
        known: list[_Row] = []
        fresh: list[_Row] = []
        for record in self._changes.customers:
            source_id = record.customer.source_id
            body = encode(record.customer)
            if record.changed:
                self._facts.append((record.customer, body))
            row: _Row = (source_id, body, record.history)
            (known if source_id in self._customers else fresh).append(row)
        # A merge or an erasure in this transaction may have removed what was loaded.
        untouched = not (self._changes.moved or self._changes.erased)
        self._many("update_customer" if untouched else "put_customer", known)
        self._many("put_customer", fresh)
        identities = self._changes.identities.items()
        self._many("put_identity", [(*identity, self._owner(owner)) for identity, owner in identities])

    def _write_events(self) -> list[Hashable]:
        """Append the events, and return the places of those that were there."""
        events = self._changes.events
        if not events:
            return []
        rows = [event_row(new, self._owner(new.source_id)) for new in events]
        before = self._connection.total_changes()
        self._many("add_event", rows)
        added = self._connection.total_changes() - before
        self._many("count_events", [(added,)])
        self._event_bodies = [(row[0], row[-1]) for row in rows]
        return [] if added == len(rows) else self._repeated(rows, added)

    def _repeated(self, rows: list[_Row], added: int) -> list[Hashable]:
        """Return the places of rows that were not added: new rows have the highest numbers, without a gap."""
        first_new = self._connection.last_insert_rowid() - added + 1
        numbers = self._connection.executemany(SQL["event_number"], [(row[0], row[3]) for row in rows])
        seen: set[int] = set()
        places = []
        for new, (number,) in zip(self._changes.events, numbers, strict=True):
            if number in seen or not added or number < first_new:
                places.append(new.place)
            seen.add(number)
        return places

    def _write_addresses(self) -> None:
        customers = {record.customer.source_id: record.customer for record in self._changes.customers}
        self._many("put_address", address_rows(self._facts, self._event_bodies, customers))

    def _write_facts(self) -> None:
        owner, changes = self._owner, self._changes
        self._many(
            "add_decision",
            [(owner(each.source_id), micros(each.decided_at), encode(each)) for each in changes.decisions],
        )
        deliveries = map(delivery_row, changes.deliveries)
        self._many("add_delivery", [(*row[:2], owner(row[2]), *row[3:]) for row in deliveries])
        self._many("put_forward", [forward_row(each, owner(each.source_id)) for each in changes.forwards])
        keep_quarantined(self._connection, changes.quarantine)
        add_journal(self._connection, changes.journal)

    def _write_timers(self) -> None:
        owner, changes = self._owner, self._changes
        ended = [(owner(each.source_id), each.rule, micros(each.at)) for each in changes.cancelled]
        self._many("end_timer", ended)
        self._many("arm_timer", [timer_row(timer, owner(timer.source_id)) for timer in changes.armed])

    def _write_pending(self) -> None:
        owner, changes = self._owner, self._changes
        self._many("end_pending_move", [(owner(each.source_id), each.id) for each in changes.ended])
        self._many("put_pending_move", [pending_row(each, owner(each.source_id)) for each in changes.pending])

    def _write_discounts(self) -> None:
        rewritten = [given_to(held, self._owners) for held in self._changes.rewritten]
        self._many("replace_discount", map(discount_row, rewritten))
        added: dict[str, _Row] = {}
        replaced: list[_Row] = []
        for held in self._changes.discounts:
            row = discount_row(given_to(held, self._owners) if self._owners else held)
            if held.discount.code in self._discounts:
                replaced.append(row)
            else:
                added[held.discount.code] = row
        self._many("add_discount", added.values())
        self._many("replace_discount", replaced)

    def _write_counters(self) -> None:
        owner = self._owner
        differences = sorted(self._changes.counters.items())
        self._many("count", [(owner(scope), key, amount) for (scope, key), amount in differences if amount])
