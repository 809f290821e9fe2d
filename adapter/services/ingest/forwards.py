"""What is to be forwarded of a decided batch: customers whose state has changed, and new events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import cast

from adapter.model.environments import is_development
from adapter.model.forwards import ForwardTo
from adapter.services.ingest.apply import ApplyPass
from adapter.services.ingest.work_item import Work
from adapter.store.forwarding_values import NewForward
from adapter.store.values import NewEvent


def to_forward(batch: Sequence[Work], first: ApplyPass) -> list[NewForward]:
    """Return what is to be forwarded, to each destination; customers who changed get their next version."""
    destinations, now = first.context.forwards, first.context.now
    found: list[NewForward] = []
    restated = first.people.restate() if any(to.customers for to in destinations.values()) else []
    tested = _tested(batch, first)
    for name, to in destinations.items():
        if to.customers:
            changed = [each for each in restated if to.anonymous or not each.anonymous]
            changed = [each for each in changed if to.development or each.source_id not in tested]
            due_at = now + to.interval
            found += [NewForward(each.source_id, name, "customer", due_at) for each in changed]
        if to.events:
            found += [_event(new, name, first) for new in first.events if _takes(to, new, batch, first)]
    return found


def _takes(to: ForwardTo, new: NewEvent, batch: Sequence[Work], first: ApplyPass) -> bool:
    """Return whether a destination is forwarded an event: history is not, it would count as of now."""
    index, _ = cast("tuple[int, int]", new.place)
    work = batch[index]
    if not to.development if _is_test(work) else work.unrewarded is not None:
        return False
    if to.anonymous:
        return True
    person = first.people.known(new.source_id)
    return person is not None and not person.customer.anonymous


def _event(new: NewEvent, destination: str, first: ApplyPass) -> NewForward:
    told = f"{new.source}\0{new.event.name}\0{new.event.id}"
    ref = blake2b(told.encode(), digest_size=16).hexdigest()
    return NewForward(new.source_id, destination, "event", first.context.now, ref, new.event)


def _tested(batch: Sequence[Work], first: ApplyPass) -> set[str]:
    """Return customers that only development traffic of a batch names."""
    if not any(map(_is_test, batch)):
        return set()
    real = set(_named((work for work in batch if not _is_test(work)), first))
    return set(_named(filter(_is_test, batch), first)) - real


def _named(works: Iterator[Work], first: ApplyPass) -> Iterator[str]:
    for work in works:
        for operation in work.operations:
            if operation.source_id is not None:
                yield first.people.resolve(operation.source_id)


def _is_test(work: Work) -> bool:
    """Return whether a message is development traffic, whether that is rewarded or not."""
    if work.unrewarded is not None and work.unrewarded.code == "development":
        return True
    return isinstance(work.document, dict) and is_development(work.document.get("context"))
