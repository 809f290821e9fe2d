"""Combine deliveries that set the same state at their destination: only the latest is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapter.destinations.contract import Combining, Destination
from adapter.model.deliveries import Delivery
from adapter.store.contract import Store
from adapter.store.values import DeliveryResult

#: How many due deliveries of one customer are looked at.
MOST: Final = 100
REASON: Final = "not sent: a later delivery has the newer state"


async def superseded(store: Store, destination: Destination, leased: Sequence[Delivery]) -> frozenset[str]:
    """Return the ids of leased deliveries whose state a later due delivery of their customer sets again.

    A destination that combines nothing costs no query. Raises Unavailable.
    """
    if not isinstance(destination, Combining):
        return frozenset()
    states = {each.id: state for each in leased if (state := destination.state(each)) is not None}
    if not states:
        return frozenset()
    customers = sorted({each.source_id for each in leased if each.id in states})
    latest: dict[tuple[str, str], str] = {}
    for each in await store.due_of(destination.name, customers, MOST):
        state = destination.state(each)
        if state is not None:
            latest[each.source_id, state] = each.id
    return frozenset(
        each.id
        for each in leased
        if each.id in states and latest.get((each.source_id, states[each.id]), each.id) != each.id
    )


def left_out(delivery: Delivery) -> DeliveryResult:
    """Return the result of a delivery that is not sent, because a later one has the newer state."""
    return DeliveryResult(delivery.id, delivery.attempt, done=True, error=REASON)
