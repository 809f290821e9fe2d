"""Translates between the ids of customers and the keys under which the store has their rows.

The two are equal until a customer with many rows is merged into one with few: then the many rows keep the
merged customer's id as their key, and the few are moved. So the cost of a merge depends on the customer
with fewer rows, whichever id survives. All code outside of this module uses ids; an engine's transactions
use keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from adapter.model.counter_key import CounterKey, ScopedKey
from adapter.model.customers import SOURCE_ID
from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event
from adapter.model.imports import ImportStep
from adapter.model.removals import Removal
from adapter.store.checkout_values import BookedState, BookingRequest
from adapter.store.owners import final_owners, given_to
from adapter.store.transaction_contract import Transaction
from adapter.store.values import (
    Changes,
    CounterState,
    CustomerRecord,
    Erasure,
    Identity,
    Known,
    LoadedState,
    LoadRequest,
    Place,
    Weight,
)

#: Up to so many rows are always moved: a key that differs from the id costs a look-up with each
#: message.
FEW = 100


class NamedTransaction:
    """A transaction that takes ids of customers, over one that takes keys."""

    def __init__(self, transaction: Transaction) -> None:
        self.known = transaction.known
        self._transaction = transaction
        self._names: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._weights: dict[str, Weight] = {}

    async def load(self, wanted: LoadRequest, now: datetime) -> LoadedState:
        """Load, and translate keys that differ from the id."""
        loaded = await self._transaction.load(wanted, now)
        for key, record in loaded.customers.items():
            if record.customer.known_as:
                self._names[key] = record.customer.known_as
        if self._names:
            self._keys = {name: key for key, name in self._names.items()}
            lost = {self._name(key): events for key, events in self.known.lost.items()}
            self.known = Known(self.known.repeated, lost)
            return self._named(loaded)
        return loaded

    async def booked(self, wanted: BookingRequest) -> BookedState:
        """Lock and read what is booked."""
        if self._keys and wanted.holders:
            wanted = replace(wanted, holders=[self._key(each) for each in wanted.holders])
        found = await self._transaction.booked(wanted)
        if not self._names:
            return found
        named = {
            id_: replace(each, source_id=self._name(each.source_id))
            for id_, each in found.redemptions.items()
        }
        return replace(found, redemptions=named)

    async def past(self, source_ids: Sequence[str]) -> dict[str, list[Event]]:
        """Read the events of customers."""
        found = await self._transaction.past([self._key(each) for each in source_ids])
        return {self._name(key): events for key, events in found.items()}

    async def past_weights(self, source_ids: Sequence[str]) -> dict[str, int]:
        """Weigh the events of customers."""
        found = await self._transaction.past_weights([self._key(each) for each in source_ids])
        return {self._name(key): weight for key, weight in found.items()}

    async def weigh(self, source_ids: Sequence[str], most: int) -> dict[str, Weight]:
        """Count what customers have."""
        found = await self._transaction.weigh([self._key(each) for each in source_ids], most)
        self._weights |= {self._name(key): weight for key, weight in found.items()}
        return {each: self._weights[self._name(each)] for each in source_ids}

    async def counters_of(
        self, source_ids: Sequence[str], containing: str
    ) -> dict[str, dict[CounterKey, int]]:
        """Read some of customers' own counters."""
        found = await self._transaction.counters_of([self._key(each) for each in source_ids], containing)
        return {self._name(key): counters for key, counters in found.items()}

    async def open_discounts(self, source_ids: Sequence[str]) -> list[DiscountRecord]:
        """Read customers' open discounts."""
        found = await self._transaction.open_discounts([self._key(each) for each in source_ids])
        return [given_to(held, self._names) for held in found]

    async def latest_discounts(self, source_id: str, most: int) -> list[DiscountRecord]:
        """Read a customer's newest discounts."""
        found = await self._transaction.latest_discounts(self._key(source_id), most)
        return [given_to(held, self._names) for held in found]

    async def reserve(self, counters: Sequence[ScopedKey], codes: Sequence[str]) -> CounterState:
        """Read counters."""
        if not self._keys:
            return await self._transaction.reserve(counters, codes)
        keyed = sorted({(self._key(scope), key) for scope, key in counters})
        reserved = await self._transaction.reserve(keyed, codes)
        used = {(self._name(scope), key): n for (scope, key), n in reserved.used.items()}
        return CounterState(used, reserved.taken)

    async def redact(
        self, source_id: str, removal: Removal, after: Place | None = None
    ) -> tuple[int, Place | None]:
        """Remove an address or ids from some of a customer's rows."""
        return await self._transaction.redact(self._key(source_id), removal, after)

    async def save(self, changes: Changes) -> None:
        """Write everything under the keys of its customers."""
        if not self._keys and not changes.moved:
            await self._transaction.save(changes)
            return
        owners = final_owners(changes.moved)
        left = {record.customer.source_id for record in changes.customers}
        keys = self._keys | {
            owner: self._kept(owner, sources, named=owner in left)
            for owner, sources in _by_owner(owners).items()
        }
        keys |= {old: keys[owner] for old, owner in owners.items()}
        moved = [(self._key(old), keys[old]) for old in (*owners, *set(owners.values()))]
        await self._transaction.save(_keyed(changes, keys, [(old, new) for old, new in moved if old != new]))

    def _key(self, name: str) -> str:
        return self._keys.get(name, name)

    def _name(self, key: str) -> str:
        return self._names.get(key, key)

    def _kept(self, owner: str, sources: Sequence[str], *, named: bool) -> str:
        """Return the key for merged customers: that of the customer with most rows, if these are many."""
        none = Weight()
        largest = max(sources, key=lambda each: self._weights.get(each, none).rows)
        most = self._weights.get(largest, none).rows
        stays = most > max(FEW, self._weights.get(owner, none).rows)
        return self._key(largest if stays and named else owner)

    def _named(self, loaded: LoadedState) -> LoadedState:
        names = self._names
        identities = {
            identity: self._name(owner)
            for identity, owner in loaded.identities.items()
            if identity != (SOURCE_ID, self._name(owner))
        }
        return LoadedState(
            loaded.answers,
            identities | {(SOURCE_ID, key): name for key, name in names.items()},
            {self._name(key): _named(record) for key, record in loaded.customers.items()},
            {code: given_to(held, names) for code, held in loaded.discounts.items()},
            [replace(timer, source_id=self._name(timer.source_id)) for timer in loaded.timers],
            [replace(move, source_id=self._name(move.source_id)) for move in loaded.pending],
        )


def _named(record: CustomerRecord) -> CustomerRecord:
    return replace(record, customer=record.customer.named())


def _by_owner(owners: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for old, owner in owners.items():
        found.setdefault(owner, []).append(old)
    return found


def _keyed(changes: Changes, keys: Mapping[str, str], moved: list[tuple[str, str]]) -> Changes:
    """Return the changes with keys in place of ids; `moved` has keys already."""

    def key(name: str) -> str:
        return keys.get(name, name)

    return replace(
        changes,
        moved=moved,
        customers=[_kept_as(record, key(record.customer.source_id)) for record in changes.customers],
        identities=dict(_led((identity, key(owner)) for identity, owner in changes.identities.items())),
        erased=[_erasing(each, key(each.source_id)) for each in changes.erased],
        events=[replace(new, source_id=key(new.source_id)) for new in changes.events],
        discounts=[given_to(held, keys) for held in changes.discounts],
        rewritten=[given_to(held, keys) for held in changes.rewritten],
        counters=_sums(((key(scope), name), n) for (scope, name), n in changes.counters.items()),
        bounds=_least(((key(scope), name), n) for (scope, name), n in changes.bounds.items()),
        decisions=[replace(each, source_id=key(each.source_id)) for each in changes.decisions],
        deliveries=[replace(each, source_id=key(each.source_id)) for each in changes.deliveries],
        rewarded={message: key(owner) for message, owner in changes.rewarded.items()},
        cancelled=[replace(each, source_id=key(each.source_id)) for each in changes.cancelled],
        armed=[replace(each, source_id=key(each.source_id)) for each in changes.armed],
        pending=[replace(each, source_id=key(each.source_id)) for each in changes.pending],
        ended=[replace(each, source_id=key(each.source_id)) for each in changes.ended],
        redemptions=[replace(each, source_id=key(each.source_id)) for each in changes.redemptions],
        forwards=[replace(each, source_id=key(each.source_id)) for each in changes.forwards],
        rollbacks=[replace(each, source_id=key(each.source_id)) for each in changes.rollbacks],
        step=None if changes.step is None else _of_customers(changes.step, keys),
    )


def _of_customers(step: ImportStep, keys: Mapping[str, str]) -> ImportStep:
    """Return a step of an import with keys in the rows that it refused."""
    refused = (replace(row, source_id=keys.get(row.source_id, row.source_id)) for row in step.refused)
    return replace(step, refused=tuple(refused))


def _kept_as(record: CustomerRecord, key: str) -> CustomerRecord:
    name = record.customer.source_id
    if key == name:
        return record
    return replace(record, customer=replace(record.customer, source_id=key, known_as=name))


def _led(identities: Iterable[tuple[Identity, str]]) -> Iterable[tuple[Identity, str]]:
    """Leave out that a key leads to itself."""
    return ((identity, key) for identity, key in identities if identity != (SOURCE_ID, key))


def _erasing(erasure: Erasure, key: str) -> Erasure:
    asked = erasure.asked or (erasure.source_id,)
    return erasure if key == erasure.source_id else replace(erasure, source_id=key, asked=asked)


def _sums(counters: Iterable[tuple[ScopedKey, int]]) -> dict[ScopedKey, int]:
    sums: dict[ScopedKey, int] = {}
    for counter, n in counters:
        sums[counter] = sums.get(counter, 0) + n
    return sums


def _least(bounds: Iterable[tuple[ScopedKey, int]]) -> dict[ScopedKey, int]:
    least: dict[ScopedKey, int] = {}
    for counter, n in bounds:
        least[counter] = min(n, least.get(counter, n))
    return least
