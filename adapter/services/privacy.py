"""What a person may ask: what is held of them, and that it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from adapter.errors import NotFound, Unavailable, Unreadable
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.deliveries import Delivery
from adapter.model.discounts import HeldDiscount
from adapter.model.erasures import Receipt
from adapter.model.events import Event
from adapter.model.ids import fault
from adapter.model.operations import CustomerErase
from adapter.model.quarantine import Quarantined
from adapter.model.timers import Timer
from adapter.rules.history import History
from adapter.services.patience import Patience
from adapter.services.results import Result
from adapter.services.work import Work
from adapter.store.contract import Held, Store

Submit = Callable[[Sequence[Work]], Awaitable[list[Result]]]


class Export(Struct, frozen=True):
    """All that is held of one person; lists oldest first, but receipts, which are newest first.

    `names` are the ids that lead to them, by kind. `history` is their past as rules read it, by event name.
    `counters` are the guardrails' counts of this person. `receipts` are of earlier erasures.
    """

    source_id: str
    customer: Customer | None
    names: dict[str, list[str]]
    history: dict[str, Any]
    events: list[Event]
    decisions: list[Decision]
    discounts: list[HeldDiscount]
    deliveries: list[Delivery]
    timers: list[Timer]
    counters: dict[str, int]
    quarantined: list[Quarantined]
    receipts: list[Receipt]


class Privacy:
    """Erases and exports. `submit` settles works durably, as the committer does."""

    def __init__(
        self, store: Store, submit: Submit, clock: Callable[[], datetime], patience: Patience
    ) -> None:
        self._store = store
        self._submit = submit
        self._clock = clock
        self._read = patience.read

    async def erase(self, source_id: str, by: str = "api", request: str = "") -> Receipt:
        """Remove all that is held of whom any of their ids names, durably, and return the receipt.

        Repeating it is safe, also after it was cut off: the second time there is nothing left to remove.
        What arrives afterwards begins a new, empty customer, whom a `request` that comes again spares.
        Raises Unreadable where no one person can be meant, Unavailable when it should be tried again.
        """
        wrong = fault(source_id)
        if wrong is not None:
            raise Unreadable(wrong)
        key = f"{request} {source_id}" if request else ""
        work = Work(by, key, request, self._clock(), (CustomerErase(source_id),))
        [result] = await self._submit([work])
        receipts = await self._read(self._store.receipts(source_id))
        ours = (receipt for receipt in receipts if (receipt.by, receipt.request) == (by, request))
        receipt = next(ours, None)
        if result.error is not None or receipt is None:
            raise Unavailable("the erasure left no receipt: try it again")
        return receipt

    async def with_email(self, email: str) -> list[str]:
        """Return the source_ids of customers with exactly this email; reads all customers."""
        return await self._store.customers_by_email(email)

    async def export(self, source_id: str) -> Export:
        """Return all that is held of a person; see `export`. Raises Unavailable when that takes too long."""
        return await self._read(export(self._store, source_id))


async def export(store: Store, source_id: str) -> Export:
    """Return all that is held of whom any of their ids names.

    Raises NotFound when that is nothing at all, not even the receipt of an erasure.
    """
    held = await store.held(source_id)
    receipts = await store.receipts(source_id)
    names: dict[str, list[str]] = {}
    for kind, value in held.names:
        names.setdefault(kind, []).append(value)
    found = _export(held, names, receipts)
    if not _anything(found):
        raise NotFound("nothing is held under that id")
    return found


def _export(held: Held, names: dict[str, list[str]], receipts: list[Receipt]) -> Export:
    return Export(
        source_id=held.source_id,
        customer=held.customer,
        names=names,
        history=dict(History.decode(held.history).tallies),
        events=held.events,
        decisions=held.decisions,
        discounts=held.discounts,
        deliveries=held.deliveries,
        timers=held.timers,
        counters=held.counters,
        quarantined=held.quarantined,
        receipts=receipts,
    )


def _anything(found: Export) -> bool:
    return any(getattr(found, name) for name in Export.__struct_fields__ if name != "source_id")
