"""What a process with a remote core does with mapped messages: it stores them, and forwards them.

A message's operations are an entry of the outbox, committed with the message's key before its sender is
answered. So a core that is killed, or away for a day, loses nothing. The id of the operations follows from
the key, so that the core decides them once, however often they are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from adapter.model.deliveries import Delivery, OutboxEvent
from adapter.model.discounts import Discount
from adapter.model.encoding import encode
from adapter.model.evaluated import ERASURE, OPERATIONS, erasure_id
from adapter.model.operations import CustomerErase, DiscountMove, Operation
from adapter.services.environment import Environment
from adapter.services.ingest import load
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.journal import Journal, Record
from adapter.services.ingest.operation_documents import members_of
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.sources.decoded_body import hash_key
from adapter.store.contract import Store
from adapter.store.transaction_contract import OnLocksAcquired, Transaction
from adapter.store.values import Changes, Erasure, LoadedState, LoadRequest

#: Characters of a key that are a part of an id, which may have 512.
_LONGEST_KEY: Final = 400
_DISCOUNTS = msgspec.json.Decoder(list[Discount])


class ForwardContext(Struct, frozen=True):
    """The time, ids, and the core's name among the destinations.

    An erasure is sent `erase_at`, so that requests in progress have ended, which may hold what came before.
    """

    now: datetime
    erase_at: datetime
    new_id: Callable[[], str]
    core: str


class ForwardTransactions:
    """Commits a batch to the outbox of the core; it takes the place of `Transactions`.

    `timeout` is the longest that one request to the core takes.
    """

    def __init__(
        self,
        store: Store,
        environment: Environment,
        core: str,
        timeout: timedelta,
        *,
        health: CommitHealth,
        wake: Callable[[], None],
        journal: Journal | None = None,
    ) -> None:
        self._store = store
        self._journal = journal or Journal(on=False)
        self._environment = environment
        self._core = core
        self._timeout = timeout
        self._health = health
        self._wake = wake

    async def settle(
        self, batch: Sequence[Work], on_locks_acquired: OnLocksAcquired | None = None
    ) -> list[Result]:
        """Commit a batch; one result for each of its messages, in order. Raises Unavailable."""
        now = self._environment.clock()
        context = ForwardContext(now, now + self._timeout, self._environment.new_id, self._core)
        with self._health.committing(), self._journal.recording() as record:
            results = await self._store.transact(
                lambda transaction: forward(transaction, batch, context, record), on_locks_acquired
            )
        self._wake()
        return results


async def forward(
    transaction: Transaction, batch: Sequence[Work], context: ForwardContext, record: Record | None = None
) -> list[Result]:
    """Save a batch for the core in one transaction; one result for each of its messages, in order.

    A repeated message gets the discounts that the core has returned for the first one. Erasures are applied
    here too: what waits of an erased customer is not sent any more, and then the core is told to erase.
    """
    keys = [(work.source, work.key) for work in batch if work.key]
    loaded = await transaction.load(LoadRequest(keys), context.now)
    fresh = set(load.fresh(batch, loaded))
    taken = [work for at, work in enumerate(batch) if at in fresh]
    results = [_result(work, loaded, is_new=at in fresh) for at, work in enumerate(batch)]
    await transaction.save(
        Changes(
            seen_at=context.now,
            erased=list(_erasures(taken)),
            deliveries=[each for work in taken for each in deliveries_of(work, context)],
            quarantine=[work.quarantine for work in taken if work.quarantine is not None],
            journal=record(batch, results, []) if record is not None else (),
        )
    )
    return results


def operation_id(work: Work, new_id: Callable[[], str]) -> str:
    """Return the id of a message's operations; that of work without a key is new."""
    key = (
        work.key if len(work.key) <= _LONGEST_KEY and work.key.isprintable() else hash_key(work.key.encode())
    )
    return f"{work.source}:{key or new_id()}"


def deliveries_of(work: Work, context: ForwardContext) -> Iterator[Delivery]:
    """Yield what is stored for the core of one message: each erasure apart, because it must be sent alone."""
    if work.quarantine is not None or not work.operations:
        return
    id_ = operation_id(work, context.new_id)
    erasures = [each for each in work.operations if isinstance(each, CustomerErase)]
    for erasure in erasures:
        # The id may hold that of the customer, and then would be removed with what else names them.
        members = {"id": erasure_id(erasure.source_id, context.now), "action": "customer.erase"}
        yield _delivery(ERASURE, erasure.source_id, members, context)
    others = tuple(each for each in work.operations if not isinstance(each, CustomerErase))
    if others:
        said = {**_envelope(work, id_), **members_of(others)}
        yield _delivery(OPERATIONS, _customer(others), said, context)


def _envelope(work: Work, id_: str) -> dict[str, Any]:
    """Return what a document says of its message."""
    said: dict[str, Any] = {"id": id_, "received_at": work.received_at}
    if work.message_id != id_:
        said["message_id"] = work.message_id
    if (at := work.occurred_at) is not None:
        said["timestamp"] = at
    if work.unrewarded is not None:
        said["unrewarded"] = work.unrewarded
    return said


def _delivery(kind: str, owner: str, document: dict[str, Any], context: ForwardContext) -> Delivery:
    event = OutboxEvent(kind, context.now, document)
    return Delivery(
        id=f"msg_{context.new_id()}",
        destination=context.core,
        source_id=owner,
        type=kind,
        event=Raw(encode(event)),
        created_at=context.now,
        due_at=context.erase_at if kind == ERASURE else context.now,
    )


def _customer(operations: Sequence[Operation]) -> str:
    """Return the customer of operations, whose order is kept; the code where they name no customer."""
    named = next((each.source_id for each in operations if each.source_id is not None), None)
    if named is not None:
        return named
    return next((each.code for each in operations if isinstance(each, DiscountMove)), "")


def _erasures(works: Sequence[Work]) -> Iterator[Erasure]:
    for work in works:
        for each in work.operations:
            if isinstance(each, CustomerErase):
                yield Erasure(each.source_id, (each.source_id,), work.source, work.message_id)


def _result(work: Work, loaded: LoadedState, *, is_new: bool) -> Result:
    if not is_new:
        answer = loaded.answers.get((work.source, work.key), b"")
        return Result(work.message_id, "duplicate", discounts=_DISCOUNTS.decode(answer) if answer else [])
    if work.quarantine is not None:
        return Result(work.message_id, "quarantined", work.quarantine.reason)
    return Result(work.message_id, "processed")
