"""A customer's own discounts in conditions: `discounts.count("welcome", "redeemed", "30d")`.

The newest `MOST` discounts of a customer are read by an index, however many there were; more are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from adapter.model.discounts import DiscountRecord
from adapter.rules.expressions import Metric

#: So many of a customer's discounts are counted.
MOST: Final = 200


class OwnDiscounts:
    """The newest discounts of one customer, before the event that is decided."""

    def __init__(self, held: Iterable[DiscountRecord] = ()) -> None:
        newest = sorted(held, key=lambda each: (each.issued_at, each.discount.code), reverse=True)
        self._held = newest[:MOST]

    def count(self, metric: Metric, now: datetime) -> int:
        """Return how many there are of a rule and a status, which they have had since the window began."""
        since = None if metric.window is None else now - metric.window
        return sum(1 for each in self._held if _counts(each, metric, since, now))


def _counts(held: DiscountRecord, metric: Metric, since: datetime | None, now: datetime) -> bool:
    if metric.event and held.rule != metric.event:
        return False
    status = held.status_at(now)
    if metric.attribute is not None and status != metric.attribute:
        return False
    return since is None or _since(held, metric, now) >= since


def _since(held: DiscountRecord, metric: Metric, now: datetime) -> datetime:
    """Return since when a discount has its status; of any status, when it was issued."""
    if metric.attribute in (None, "issued"):
        return held.issued_at
    ended = held.discount.expires_at
    if metric.attribute == "expired" and ended is not None:
        return min(ended, now)
    return held.moved_at
