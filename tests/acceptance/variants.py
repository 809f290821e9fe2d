"""Servers that are broken on purpose, to show that the checkers bite.

acknowledge-before-commit    answers first, and commits a little later
read-then-write              decides on counters as the transaction before it read them
remember-everything          keeps every message that it settled, and a handle for some
count-again                  takes a message that comes again for a new one
new-ids                      sends operations to a remote core under a new id in each attempt
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from adapter.composition import base, committing
from adapter.destinations import core
from adapter.model.counter_key import CounterKey, ScopedKey
from adapter.model.deliveries import Delivery
from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event
from adapter.model.removals import Removal
from adapter.server import serve
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.settings import load as reading
from adapter.store.checkout_values import BookedState, BookingRequest
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.transaction_contract import OnLocksAcquired, Transaction
from adapter.store.values import NOTHING_KNOWN, Changes, CounterState, LoadedState, LoadRequest, Place, Weight

T = TypeVar("T")


class AcknowledgeFirst(GroupCommitter):
    """Says yes at once."""

    async def submit(self, works: Sequence[Work], size: int = 0) -> list[Result]:
        async def later() -> None:
            await asyncio.sleep(0.1)
            await super(AcknowledgeFirst, self).submit(works, size)

        self._later = asyncio.create_task(later())
        return [Result(work.message_id, "processed") for work in works]


class RememberEverything(GroupCommitter):
    """Forgets nothing."""

    async def submit(self, works: Sequence[Work], size: int = 0) -> list[Result]:
        self._works = [*getattr(self, "_works", ()), *works]
        if len(self._works) % 50 == 0:
            self._handles = [*getattr(self, "_handles", ()), os.dup(1)]
        return await super().submit(works, size)


class Passing:
    """A transaction that hands everything on."""

    def __init__(self, inner: Transaction) -> None:
        self._inner = inner
        self.known = inner.known

    async def load(self, wanted: LoadRequest, now: Any) -> LoadedState:
        return await self._inner.load(wanted, now)

    async def booked(self, wanted: BookingRequest) -> BookedState:
        return await self._inner.booked(wanted)

    async def past(self, source_ids: Sequence[str]) -> dict[str, list[Event]]:
        return await self._inner.past(source_ids)

    async def past_weights(self, source_ids: Sequence[str]) -> dict[str, int]:
        return await self._inner.past_weights(source_ids)

    async def weigh(self, source_ids: Sequence[str], most: int) -> dict[str, Weight]:
        return await self._inner.weigh(source_ids, most)

    async def counters_of(
        self, source_ids: Sequence[str], containing: str
    ) -> dict[str, dict[CounterKey, int]]:
        return await self._inner.counters_of(source_ids, containing)

    async def latest_discounts(self, source_id: str, most: int) -> list[DiscountRecord]:
        return await self._inner.latest_discounts(source_id, most)

    async def open_discounts(self, source_ids: Sequence[str]) -> list[DiscountRecord]:
        return await self._inner.open_discounts(source_ids)

    async def reserve(self, counters: Sequence[ScopedKey], codes: Sequence[str]) -> CounterState:
        return await self._inner.reserve(counters, codes)

    async def redact(
        self, source_id: str, removal: Removal, after: Place | None = None
    ) -> tuple[int, Place | None]:
        return await self._inner.redact(source_id, removal, after)

    async def save(self, changes: Changes) -> None:
        await self._inner.save(changes)


class Forgetful(Passing):
    """Knows no message from before, and no event."""

    def __init__(self, inner: Transaction) -> None:
        super().__init__(inner)
        self.known = NOTHING_KNOWN

    async def load(self, wanted: LoadRequest, now: Any) -> LoadedState:
        return replace(await self._inner.load(wanted, now), answers={})


class StaleTransaction(Passing):
    """Reserves nothing: returns the counters that the last transaction saw, and saves blindly."""

    def __init__(self, inner: Transaction, remembered: dict[ScopedKey, int]) -> None:
        super().__init__(inner)
        self._remembered = remembered

    async def reserve(self, counters: Sequence[ScopedKey], codes: Sequence[str]) -> CounterState:
        real = await self._inner.reserve(counters, codes)
        stale = {key: self._remembered.get(key, 0) for key in real.used}
        self._remembered.update(real.used)
        return CounterState(stale, real.taken)

    async def save(self, changes: Changes) -> None:
        await self._inner.save(replace(changes, bounds={}))


def read_then_write(store: Store) -> Store:
    """Return the store with stale counters."""
    remembered: dict[ScopedKey, int] = {}
    return through(store, lambda transaction: StaleTransaction(transaction, remembered))


def count_again(store: Store) -> Store:
    """Return the store without its memory of messages."""
    return through(store, Forgetful)


def through(store: Store, wrap: Callable[[Transaction], Transaction]) -> Store:
    """Return the store whose transactions are wrapped."""
    transact = store.transact

    async def wrapped(
        script: Callable[[Transaction], Awaitable[T]], on_locks_acquired: OnLocksAcquired | None = None
    ) -> T:
        return await transact(lambda transaction: script(wrap(transaction)), on_locks_acquired)

    store.transact = wrapped  # type: ignore[method-assign]
    return store


def new_ids() -> None:
    """Give operations and their events a new id whenever they are sent; what follows `~` is new."""
    document, numbers, given = core.document, itertools.count(), dict[str, str]()

    def renamed(delivery: Delivery) -> bytes:
        said = msgspec.json.decode(document(delivery))
        given[delivery.id] = f"{said['id']}~{next(numbers)}"
        event = {**said["event"], "id": f"{said['event']['id']}~{next(numbers)}"}
        return msgspec.json.encode({**said, "id": given[delivery.id], "event": event})

    vars(core).update(document=renamed, _id=lambda delivery: given[delivery.id])


COMMITTERS = {"acknowledge-before-commit": AcknowledgeFirst, "remember-everything": RememberEverything}
STORES = {"read-then-write": read_then_write, "count-again": count_again}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("variant", choices=[*COMMITTERS, *STORES, "new-ids"])
    for name in ("port", "store", "rules", "config"):
        parser.add_argument(f"--{name}")
    arguments = parser.parse_args()
    options: dict[tuple[str, ...], Any] = {
        ("server", "port"): arguments.port,
        ("store", "url"): arguments.store,
        ("files", "rules"): str(Path(arguments.rules)),
    }
    config = Path(arguments.config) if arguments.config else None
    settings = reading.load(config, os.environ, options)
    if arguments.variant == "new-ids":
        new_ids()
    elif committer := COMMITTERS.get(arguments.variant):
        replace_in(committing, "GroupCommitter", committer)
    else:
        replace_in(base, "open_store", lambda url: STORES[arguments.variant](open_store(url)))
    serve.serve(settings)


def replace_in(module: ModuleType, name: str, value: Any) -> None:
    """Replace what a module uses under a name; a name that it does not use would break nothing."""
    if name not in vars(module):
        raise NameError(f"{module.__name__} has no `{name}`")
    setattr(module, name, value)


if __name__ == "__main__":
    main()
