"""The bound at which the order of one customer's deliveries is given up."""

from __future__ import annotations

import logging
from typing import Final

from adapter.destinations.contract import Manner
from adapter.metrics import Metrics
from adapter.store.contract import Store
from adapter.store.values import Ordering

log = logging.getLogger(__name__)

#: Seconds between two counts of what waits, and the most customers whose order is given up.
EVERY: Final = 10.0
MOST: Final = 1_000


class Order:
    """Which customers' deliveries to one destination need no order now: those with too many waiting.

    In order, each delivery waits for the one before; a program that sends as one customer all the time would
    fall behind more and more.
    """

    def __init__(self, store: Store, destination: str, manner: Manner, metrics: Metrics) -> None:
        self._store = store
        self._destination = destination
        self._bound = manner.order_limit if manner.ordered else 0
        self._gauge = metrics.unordered_customers.labels(destination)
        self._next = float("-inf")
        #: The order that a lease keeps.
        self.wanted = Ordering(manner.ordered)

    async def count(self, at: float) -> None:
        """Count what waits, unless that was done a moment ago; `at` is in seconds. Raises Unavailable."""
        if not self._bound or at < self._next:
            return
        self._next = at + EVERY
        found = frozenset(await self._store.crowded(self._destination, self._bound, MOST))
        self._gauge.set(len(found))
        before = frozenset(self.wanted.given_up)
        if found - before:
            log.warning(
                "deliveries to %s: order is given up for %d customers with more than %d waiting",
                self._destination,
                len(found),
                self._bound,
            )
        elif before and not found:
            log.warning("deliveries to %s: the order of every customer is kept again", self._destination)
        self.wanted = Ordering(kept=True, given_up=found)
