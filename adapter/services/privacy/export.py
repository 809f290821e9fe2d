"""All that is held of one person, as JSON that is never in memory as a whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from datetime import datetime
from itertools import chain
from typing import Any, Literal, Protocol, TypeVar

from msgspec import UNSET, Raw, Struct
from msgspec.structs import replace

from adapter.errors import NotFound
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.deliveries import Delivery
from adapter.model.discounts import DiscountRecord
from adapter.model.encoding import encode
from adapter.model.erasures import Receipt
from adapter.model.events import Event
from adapter.model.journal import JournalEntry, JournalOutcome
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.model.redemptions import Redemption, Rollback
from adapter.model.timers import Timer
from adapter.rules.history.history import History
from adapter.store.contract import Store
from adapter.store.erasures import meant
from adapter.store.forwarding_values import SentTo
from adapter.store.tables.registry import LISTED
from adapter.store.values import CustomerData

T = TypeVar("T")


class ExportedMessage(Struct, frozen=True):
    """A message as it arrived, what became of it, and why."""

    source: str
    message_id: str
    received_at: datetime
    outcome: JournalOutcome
    reason: str
    document: Raw


class Export(Struct, frozen=True):
    """All that is held of one person; lists oldest first, but receipts, which are newest first.

    `names` are the ids that lead to them, by kind. `history` is their past as rules read it, by event name.
    `sent_to` has the destinations that were sent this person, each with the id. `counters` are the counts of
    guardrails. `receipts` are of earlier erasures. `messages` are as they arrived, those that have
    an id of the person.
    """

    source_id: str
    customer: Customer | None
    names: dict[str, list[str]]
    history: dict[str, Any]
    discounts: list[DiscountRecord]
    deliveries: list[Delivery]
    sent_to: list[SentTo]
    timers: list[Timer]
    pending_moves: list[PendingMove]
    redemptions: list[Redemption]
    rollbacks: list[Rollback]
    counters: dict[str, int]
    receipts: list[Receipt]
    events: list[Event]
    decisions: list[Decision]
    quarantined: list[Quarantined]
    messages: list[ExportedMessage]


class StoreRead(Protocol):
    """Returns what is read of the store, or raises Unavailable when that takes too long."""

    async def __call__(self, reading: Awaitable[T], /) -> T:
        """Await a read."""
        ...


async def patiently(reading: Awaitable[T]) -> T:
    """Wait for a read however long it takes."""
    return await reading


async def export(store: Store, source_id: str, read: StoreRead = patiently) -> AsyncIterator[bytes]:
    """Yield an Export piece by piece: first what is small, then the lists that may be long, page by page.

    Raises NotFound, before the first piece, when nothing at all is held, not even a receipt of an erasure.
    """
    held = await read(store.held(source_id, apart=True))
    receipts = await read(store.receipts(source_id))
    events, decisions = _pages(store, "events", source_id, read), _pages(store, "decisions", source_id, read)
    first: list[list[Any]] = [await anext(events, []), await anext(decisions, [])]
    if not (any(first) or receipts or _anything(held)):
        raise NotFound("nothing is held under that id")
    yield encode(_small(held, receipts)).removesuffix(b"}")
    for name, page, pages in (("events", first[0], events), ("decisions", first[1], decisions)):
        yield b',"%b":[%b' % (name.encode(), _joined(page))
        async for more in pages:
            yield b"," + _joined(more)
        yield b"]"
    yield b',"quarantined":['
    async for piece in _quarantined(store, held.quarantined, read):
        yield piece
    yield b'],"messages":['
    async for piece in _messages(store, source_id, held, read):
        yield piece
    yield b"]}"


async def _pages(
    store: Store, kind: Literal["events", "decisions"], source_id: str, read: StoreRead
) -> AsyncIterator[list[Any]]:
    page = await read(store.oldest(kind, source_id))
    while page:
        yield page
        if page.next is None:
            return
        page = await read(store.oldest(kind, source_id, page.next))


async def _quarantined(store: Store, excerpts: list[Excerpt], read: StoreRead) -> AsyncIterator[bytes]:
    """Yield quarantined messages whole, one at a time; one that was replayed meanwhile is left out."""
    comma = b""
    for excerpt in excerpts:
        whole = await read(store.quarantined_message(excerpt.id))
        if whole is not None:
            yield comma + encode(whole)
            comma = b","


async def _messages(
    store: Store, source_id: str, held: CustomerData, read: StoreRead
) -> AsyncIterator[bytes]:
    """Yield the messages of the journal that have an id of the person, one at a time."""
    own = meant({source_id, held.source_id}, held.customer, held.names)
    comma, after = b"", 0
    while rows := await read(store.journal_of(source_id, after)):
        for entry in chain.from_iterable(row.entries() for row in rows):
            if not own.isdisjoint(entry.names):
                yield comma + encode(_exported(entry))
                comma = b","
        after = rows[-1].number


def _exported(entry: JournalEntry) -> ExportedMessage:
    return ExportedMessage(
        entry.source, entry.message_id, entry.received_at, entry.outcome, entry.reason, Raw(entry.document)
    )


def _joined(rows: list[Any]) -> bytes:
    return b",".join(map(encode, rows))


def _small(held: CustomerData, receipts: list[Receipt]) -> dict[str, Any]:
    names: dict[str, list[str]] = {}
    for kind, value in held.names:
        names.setdefault(kind, []).append(value)
    return {
        "source_id": held.source_id,
        "customer": held.customer,
        "names": names,
        "history": History.decode(held.history).tallies,
        **{name: getattr(held, name) for name in LISTED},
        "deliveries": [_without_copy(delivery) for delivery in held.deliveries],
        "receipts": receipts,
    }


def _without_copy(delivery: Delivery) -> Delivery:
    """Leave out what was rendered where it is the event itself, which is exported already."""
    same = delivery.rendered is not UNSET and delivery.rendered.body is None
    return replace(delivery, rendered=UNSET) if same else delivery


def _anything(held: CustomerData) -> bool:
    lists = held.names, *(getattr(held, name) for name in LISTED)
    return held.customer is not None or bool(held.history) or any(lists) or bool(held.quarantined)
