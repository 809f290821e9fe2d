"""How the core's answers are used: in the responses that wait for them, and as pushes.

A response waits for a bounded time. A discount that comes later is not lost: each one that the core returns
is also pushed to the other destinations of this process, by an id that follows from the operation, so that
an answer that comes twice pushes once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw
from msgspec.structs import replace

from adapter.metrics import Metrics
from adapter.model.codes import folded
from adapter.model.deliveries import Delivery, OutboxEvent, Recipients, Selection
from adapter.model.discounts import Discount
from adapter.model.encoding import encode
from adapter.model.environments import DEVELOPMENT, is_development
from adapter.model.evaluated import Evaluated
from adapter.services.core.capacity import CoreCapacity
from adapter.services.core.forwarding import operation_id
from adapter.services.ingest.pipeline import Committer
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, MessageKey

_LATER: Final = "the core has not answered yet; its discounts are pushed"
#: The type of the event by a discount's status; one that is released or used in part is issued or applied.
_PUSHED: Final = {
    "issued": "discount.issued",
    "applied": "discount.applied",
    "redeemed": "discount.redeemed",
    "revoked": "discount.revoked",
    "expired": "discount.expired",
}


class Waiting:
    """The responses that wait for the core, by the id of the operations."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, list[asyncio.Future[Evaluated]]] = defaultdict(list)
        #: Whether a response waited in vain, and no answer has come since: then others need not wait.
        self.in_vain = False

    @contextmanager
    def expecting(self, ids: Sequence[str]) -> Iterator[list[asyncio.Future[Evaluated]]]:
        """Expect answers inside the block, in the order of the ids."""
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in ids]
        for id_, future in zip(ids, futures, strict=True):
            self._waiting[id_].append(future)
        try:
            yield futures
        finally:
            for id_, future in zip(ids, futures, strict=True):
                self._waiting[id_].remove(future)
                if not self._waiting[id_]:
                    del self._waiting[id_]

    def give(self, id_: str, answer: Evaluated) -> bool:
        """Answer the responses that wait for an id; returns whether there were any."""
        self.in_vain = False
        waiting = [each for each in self._waiting.get(id_, ()) if not each.done()]
        for future in waiting:
            future.set_result(answer)
        return bool(waiting)


class Forwarding:
    """Submits works to the outbox, then waits for the core's answers, for `wait` at most.

    Raises Unavailable as the committer does, and while the outbox has no room.
    """

    def __init__(
        self, committer: Committer, waiting: Waiting, capacity: CoreCapacity, wait: timedelta
    ) -> None:
        self._committer = committer
        self._waiting = waiting
        self._capacity = capacity
        self._wait = wait.total_seconds()

    async def submit(self, works: Sequence[Work], size: int = 0) -> list[Result]:
        """Commit works in order; their results have the discounts that came in time."""
        self._capacity.require(len(works))
        ids = [operation_id(work, str) for work in works]
        with self._waiting.expecting(ids) as answers:
            results = await self._committer.submit(works, size)
            self._capacity.note(len(works))
            expected = [
                at
                for at, result in enumerate(results)
                if result.outcome == "processed" and works[at].key and works[at].operations
            ]
            await self._wait_for([answers[at] for at in expected])
            for at in expected:
                results[at] = _answered(results[at], answers[at])
        return results

    async def _wait_for(self, answers: Sequence[asyncio.Future[Evaluated]]) -> None:
        if answers and self._wait and not self._waiting.in_vain:
            _, late = await asyncio.wait(answers, timeout=self._wait)
            self._waiting.in_vain = bool(late)


class Answers:
    """Takes the answers of the core: gives them to the responses that wait, and pushes their discounts."""

    def __init__(
        self,
        store: Store,
        waiting: Waiting,
        recipients: Recipients,
        *,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._waiting = waiting
        self._recipients = recipients
        self._clock = clock
        self._wake = wake
        self._metrics = metrics

    async def take(self, answers: Sequence[tuple[Delivery, Evaluated]]) -> None:
        """Take answers to deliveries; durable when it returns. Raises Unavailable.

        What fails here is sent to the core again, which returns the same.
        """
        given = [self._waiting.give(answer.id or "", answer) for _, answer in answers]
        for in_time in given:
            self._metrics.core_answers.labels("in_time" if in_time else "late").inc()
        found = await self._still_here([pair for pair in answers if pair[1].discounts])
        if found:
            now = self._clock()
            await self._store.transact(lambda transaction: self._save(transaction, found, now))
            self._wake()

    async def _still_here(
        self, answers: Sequence[tuple[Delivery, Evaluated]]
    ) -> list[tuple[Delivery, Evaluated]]:
        """Return the answers whose delivery is in the outbox: an erasure meanwhile has removed the others."""
        if not answers:
            return []
        selection = Selection(ids=tuple(delivery.id for delivery, _ in answers))
        page = await self._store.deliveries("due", len(answers), selection=selection)
        here = {each.id for each in page}
        return [pair for pair in answers if pair[0].id in here]

    async def _save(
        self, transaction: Transaction, found: Sequence[tuple[Delivery, Evaluated]], now: datetime
    ) -> None:
        keys = {_key(answer): (delivery, answer) for delivery, answer in found}
        await transaction.save(
            Changes(
                seen_at=now,
                answers={key: encode(_plain(answer)) for key, (_, answer) in keys.items()},
                rewarded={key: delivery.source_id for key, (delivery, _) in keys.items()},
                deliveries=[each for pair in found for each in self._pushes(*pair, now)],
            )
        )

    def _pushes(self, delivery: Delivery, answer: Evaluated, now: datetime) -> Iterator[Delivery]:
        operations = _operations(delivery)
        moves = {folded(each["code"]): each for each in operations if "code" in each}
        development = any(is_development(each.get("event", {}).get("context")) for each in operations)
        for discount in answer.discounts:
            move = moves.get(folded(discount.code), {})
            event = OutboxEvent(
                _type(discount, move),
                now,
                discount.plain,
                version=discount.version,
                order_id=move.get("order_id") or UNSET,
                environment=DEVELOPMENT if development else UNSET,
            )
            names = self._recipients.of(event.type)
            held_back = self._recipients.held_back(names) if development else ()
            for name in names:
                if name not in held_back:
                    yield _push(name, event, discount, delivery)


def _plain(answer: Evaluated) -> list[Discount]:
    """Return the discounts of an answer, without what only the two processes tell each other."""
    return [each.plain for each in answer.discounts]


def _operations(delivery: Delivery) -> list[dict[str, Any]]:
    document: dict[str, Any] = msgspec.json.decode(delivery.event)["data"]
    return [document, *document.get("operations", ())]


def _type(discount: Discount, move: dict[str, Any]) -> str:
    """Return the type of the event about a discount that the core returned for a move, or for an event."""
    if move.get("action") == "discount.release":
        return "discount.released"
    if move.get("action") == "discount.redeem" and discount.status != "redeemed":
        return "discount.used"
    return _PUSHED[discount.status]


def _push(destination: str, event: OutboxEvent, discount: Discount, delivery: Delivery) -> Delivery:
    """Return the delivery of a discount.

    Its id is the same whenever the core returns the discount for these operations, and of an issued one also
    for others: the core returns it for each message with the event that earned it.
    """
    issued = event.type == "discount.issued"
    name = "\0".join((discount.code, event.type, destination, "" if issued else delivery.id))
    return Delivery(
        id=f"msg_{blake2b(name.encode(), digest_size=16).hexdigest()}",
        destination=destination,
        source_id=delivery.source_id,
        type=event.type,
        event=Raw(encode(event)),
        created_at=event.timestamp,
        due_at=event.timestamp,
        not_after=discount.expires_at if issued else None,
    )


def _key(answer: Evaluated) -> MessageKey:
    source, _, key = (answer.id or "").partition(":")
    return source, key


def _answered(result: Result, answer: asyncio.Future[Evaluated]) -> Result:
    """Return the result of a message with the core's answer, where it came in time."""
    if not answer.done():
        return replace(result, reason=_LATER)
    found = answer.result()
    if found.outcome == "quarantined":
        return replace(result, outcome="quarantined", reason=found.reason, misfits=found.misfits)
    return replace(
        result, reason=found.reason, discounts=_plain(found), error=found.error, misfits=found.misfits
    )
