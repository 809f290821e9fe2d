"""A transaction over the state in memory: what the pipeline loads, reserves and saves."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import datetime

from adapter.errors import Unavailable
from adapter.model.codes import folded
from adapter.model.counter_key import CounterKey, ScopedKey
from adapter.model.customers import SOURCE_ID
from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event
from adapter.model.removals import Removal
from adapter.services.simulation.state import State
from adapter.store.checkout_values import BookedState, BookingRequest
from adapter.store.values import (
    NOTHING_KNOWN,
    Changes,
    CounterState,
    CustomerRecord,
    Identity,
    Known,
    KnownAlready,
    LoadedState,
    LoadRequest,
    MessageKey,
    Place,
    Weight,
)


class MemoryTransaction:
    """See `adapter.store.contract.Transaction`; its methods never suspend.

    With `dedupe` messages and events that come again are recognised; recorded events of a store never do.
    """

    def __init__(self, state: State, known: Known = NOTHING_KNOWN, *, dedupe: bool = True) -> None:
        self.known = known
        self._state = state
        self._dedupe = dedupe
        self._keys: Sequence[MessageKey] = ()

    async def load(self, wanted: LoadRequest, now: datetime) -> LoadedState:
        """Return what is known."""
        state = self._state
        answers = self._seen(wanted.messages)
        by_code = state.meant(wanted.codes) if wanted.codes else {}
        names = dict.fromkeys(wanted.customers)
        names |= dict.fromkeys(value for kind, value in wanted.identities if kind == SOURCE_ID)
        names |= dict.fromkeys(held.source_id for held in by_code.values())
        identities = self._identities(wanted)
        names |= dict.fromkeys(identities.values())
        customers = {name: state.customers[name] for name in names if name in state.customers}
        discounts = by_code | self._open(customers, now)
        pending = [
            move for name in names for move in state.pending.get(name, {}).values()
        ] if state.pending else []  # fmt: skip
        discounts |= state.meant([move.code for move in pending]) if pending else {}
        timers = [
            state.timers[name, rule]
            for rule in dict.fromkeys(wanted.waits)
            for name in customers
            if (name, rule) in state.timers
        ]
        return LoadedState(answers, identities, customers, discounts, timers, pending)

    def _seen(self, messages: Sequence[MessageKey]) -> dict[MessageKey, bytes]:
        if not self._dedupe:
            return {}
        self._keys = [key for key in dict.fromkeys(messages) if not self._state.seen.has(*key)]
        fresh = set(self._keys)
        answers = self._state.answers
        return {key: answers.get(key, b"") for key in messages if key not in fresh}

    def _identities(self, wanted: LoadRequest) -> dict[Identity, str]:
        state = self._state
        known = state.identities
        if not known:
            return {}
        found = {each: known[each] for each in wanted.identities if each in known}
        return found | state.redirects(wanted.customers)

    def _open(self, customers: dict[str, CustomerRecord], now: datetime) -> dict[str, DiscountRecord]:
        state = self._state
        codes = [code for name in customers for code in state.held.get(name, ())]
        found = {code: state.open[code] for code in codes}
        return {
            code: held
            for code, held in found.items()
            if held.discount.expires_at is None or held.discount.expires_at > now
        }

    async def booked(self, wanted: BookingRequest) -> BookedState:
        """Return what is booked, and the next codes of pools."""
        state = self._state
        redemptions = {id_: state.redemptions[id_] for id_ in wanted.redemptions if id_ in state.redemptions}
        holders = set(wanted.holders)
        redemptions |= {
            id_: each for id_, each in state.redemptions.items() if holders and each.source_id in holders
        }
        on_orders = {
            (order, code): id_
            for order in wanted.orders
            for code, id_ in state.on_orders.get(order, {}).items()
        }
        codes = {pool: state.pool_codes(pool, most) for pool, most in wanted.pools.items()}
        return BookedState(redemptions, on_orders, codes)

    async def past(self, source_ids: Sequence[str]) -> dict[str, list[Event]]:
        """Return nothing: histories are complete from their first event on, and events are not kept.

        Of merged customers one may have kept less than the other.
        """
        self._state.incomplete += len(set(source_ids))
        return {}

    async def past_weights(self, source_ids: Sequence[str]) -> dict[str, int]:
        """Return nothing, as `past` does."""
        return {}

    async def weigh(self, source_ids: Sequence[str], most: int) -> dict[str, Weight]:
        """Count the names of customers; their events are not kept."""
        counted = {name: len(self._state.named.get(name, ())) for name in source_ids}
        return {name: Weight(min(names, most), min(names, most)) for name, names in counted.items()}

    async def counters_of(
        self, source_ids: Sequence[str], containing: str
    ) -> dict[str, dict[CounterKey, int]]:
        """Return some of customers' own counters."""
        counters = self._state.counters
        found = {
            name: {key: used for key, used in counters[name].items() if containing in key}
            for name in source_ids
            if name in counters
        }
        return {name: own for name, own in found.items() if own}

    async def open_discounts(self, source_ids: Sequence[str]) -> list[DiscountRecord]:
        """Return customers' open discounts."""
        state = self._state
        return [state.open[code] for name in source_ids for code in state.held.get(name, ())]

    async def latest_discounts(self, source_id: str, most: int) -> list[DiscountRecord]:
        """Return a customer's newest discounts."""
        state = self._state
        held = [state.open[code] for code in state.held.get(source_id, ())]
        held += state.closed.get(source_id, ())
        return sorted(held, key=lambda each: each.issued_at, reverse=True)[:most]

    async def reserve(self, counters: Sequence[ScopedKey], codes: Sequence[str]) -> CounterState:
        """Return the values of counters, and which codes are open."""
        known, nothing = self._state.counters, dict[CounterKey, int]()
        found = {(scope, key): known.get(scope, nothing).get(key, 0) for scope, key in counters}
        taken = frozenset(code for code in codes if folded(code) in self._state.codes)
        return CounterState({each: used for each, used in found.items() if used}, taken)

    async def redact(
        self, source_id: str, removal: Removal, after: Place | None = None
    ) -> tuple[int, Place | None]:
        """Raise: nothing in a simulation removes addresses."""
        raise Unavailable("a simulation removes no addresses")

    async def save(self, changes: Changes) -> None:
        """Keep what decisions need; raises KnownAlready where an event came before."""
        if self._dedupe:
            self._expect_new(changes)
            for key in self._keys:
                self._state.seen.add(*key)
        self._state.save(changes)

    def _expect_new(self, changes: Changes) -> None:
        events, repeated = self._state.events, set[Hashable](self.known.repeated)
        batch: set[tuple[str, str, str, str]] = set()
        for new in changes.events:
            name = (new.source, new.source_id, new.event.name, new.event.id)
            if name in batch or events.has(*name):
                repeated.add(new.place)
            batch.add(name)
        if len(repeated) > len(self.known.repeated):
            raise KnownAlready(Known(frozenset(repeated)))
        for each in batch:
            events.add(*each)
