"""Decides operations that another program sends: the corridor of a webhook's messages after mapping.

Each operation has an id, under which it is decided once. One that cannot be applied is quarantined under its
id, one that cannot be taken at all is refused at its place, and neither costs the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET

from adapter.errors import TooManyOperations, Unreadable
from adapter.model.decisions import Decision
from adapter.model.discounts import Discount, VersionedDiscount
from adapter.model.evaluated import Evaluated, Refusal
from adapter.model.ids import invalid_id_reason
from adapter.model.messages import Message
from adapter.model.operations import EventOccurred, Operation
from adapter.model.times import parse_timestamp
from adapter.services.ingest.evaluations import Evaluating, content_of
from adapter.services.ingest.operation_documents import SOURCE, operations_of, unknown_action
from adapter.services.ingest.pipeline import Ingest
from adapter.services.ingest.result import EvaluatedResult, Result
from adapter.sources import payloads
from adapter.sources.decoded_body import Bounds, Decoded
from adapter.store.contract import Store

#: The most operations of one request.
MOST_OPERATIONS: Final = 500
#: Among so many of a customer's latest decisions those of an operation that comes again are found.
_LATEST = 1_000
#: No operation was received before: ages are reckoned from it, within the calendar.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class Evaluate:
    """Decides operations. `ingest` takes messages that are documents of operations."""

    def __init__(
        self,
        ingest: Ingest,
        store: Store,
        evaluating: Evaluating,
        clock: Callable[[], datetime],
        bounds: Bounds,
    ) -> None:
        self._ingest = ingest
        self._store = store
        self._evaluating = evaluating
        self._clock = clock
        self._bounds = bounds

    async def evaluate(self, body: bytes) -> list[Evaluated]:
        """Return the outcome of each operation of a body, in order, once all are durable.

        Raises Unreadable, TooLarge or TooManyOperations where the body is not taken, and Unavailable when it
        should be sent again: operations that were committed are duplicates then.
        """
        now = self._clock()
        taken = [message_of(at, item, now, self._bounds) for at, item in enumerate(_items(body))]
        messages = [each for each in taken if isinstance(each, Message)]
        with self._evaluating.begun():
            results = iter(await self._ingest.receive(Decoded(messages, []), len(body)) if messages else ())
        settled = [
            _evaluated(at, each, next(results)) if isinstance(each, Message) else each
            for at, each in enumerate(taken)
        ]
        again = {at: message for at, message in enumerate(taken) if settled[at].outcome == "duplicate"}
        if again:
            await self._complete(
                settled, {at: each for at, each in again.items() if isinstance(each, Message)}
            )
        return settled

    async def _complete(self, settled: list[Evaluated], again: dict[int, Message]) -> None:
        """Add their decisions to duplicates; refuse those that differ from what came the first time."""
        known = await self._store.contents({(SOURCE, message.key) for message in again.values()})
        for at, message in again.items():
            content = known.get((SOURCE, message.key))
            if content is not None and content != content_of(message.document):
                why = "another operation came under this `id` before"
                settled[at] = _refused(at, message.key, "idempotency_key_reused", why)
            elif not settled[at].decisions:
                settled[at].decisions = await self._decisions(operations_of(message))

    async def _decisions(self, operations: Sequence[Operation]) -> list[Decision]:
        """Return the first decision on each event."""
        found: list[Decision] = []
        for each in operations:
            if isinstance(each, EventOccurred):
                found += await self._first_decision(each.source_id, each.event.id)
        return found

    async def _first_decision(self, source_id: str, event_id: str) -> list[Decision]:
        found, before, seen = list[Decision](), None, 0
        while seen < _LATEST:
            page = await self._store.decisions(source_id, _LATEST - seen, before)
            found += [decision for decision in page if decision.event_id == event_id]
            seen, before = seen + len(page), page.next
            if before is None:
                break
        return found[-1:]


def message_of(at: int, item: Any, now: datetime, bounds: Bounds) -> Message | Evaluated:
    """Return the operation at a place of a request as a message, or why it is refused."""
    if isinstance(item, payloads.MalformedItem):
        return _refused(at, None, "unreadable", item.reason)
    if not isinstance(item, dict):
        return _refused(at, None, "unreadable", "the operation is not an object")
    id_ = item.get("id")
    wrong = "`id` is not text" if not isinstance(id_, str) else invalid_id_reason(id_)
    if wrong or not isinstance(id_, str):
        return _refused(at, None, "unreadable", f"the operation has no usable `id`: {wrong}")
    unknown = unknown_action(item)
    if unknown is not None:
        why = "this program does not know the `action`; it may be older than its caller"
        return _refused(at, id_, "unknown_action", why)
    if len(msgspec.json.encode(item)) > bounds.message:
        return _refused(at, id_, "too_large", bounds.exceeded("the operation"))
    received = parse_timestamp(item.get("received_at"))
    return Message(SOURCE, id_, item, now if received is None else min(max(received, _EARLIEST), now))


def _items(body: bytes) -> list[Any]:
    """Return the operations of a body; raises Unreadable, TooLarge or TooManyOperations."""
    value = payloads.decode_items(body, "operations")
    items = value.get("operations") if isinstance(value, dict) else None
    if not isinstance(items, list):
        raise Unreadable(
            'the body is not an object with `operations`: {"operations": [{"id": ..., "action": ...}]}'
        )
    if len(items) > MOST_OPERATIONS:
        raise TooManyOperations(
            f"the request has {len(items)} operations; send at most {MOST_OPERATIONS} at a time"
        )
    return items


def _evaluated(at: int, message: Message, result: Result) -> Evaluated:
    return Evaluated(
        at,
        message.key,
        result.outcome,
        result.reason,
        result.error,
        [_versioned(each) for each in result.discounts],
        result.decisions if isinstance(result, EvaluatedResult) else [],
        result.misfits,
    )


def _versioned(discount: Discount) -> VersionedDiscount:
    """Return a discount of a result, whose version is unknown where an older program has stored it."""
    return discount if isinstance(discount, VersionedDiscount) else VersionedDiscount.of(discount, UNSET)


def _refused(at: int, id_: str | None, error: Refusal, reason: str) -> Evaluated:
    return Evaluated(at, id_, "refused", reason, error)
