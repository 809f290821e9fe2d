"""Which leased deliveries go into one request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapter.destinations.contract import BatchLimits
from adapter.model.deliveries import Delivery


def batches(deliveries: Iterable[Delivery], limits: BatchLimits) -> Iterator[list[Delivery]]:
    """Yield the deliveries in their order, as many together as one request takes.

    A delivery that alone is larger than a request may be goes alone: the receiver says what it thinks of it.
    """
    batch: list[Delivery] = []
    size = 0
    for delivery in deliveries:
        length = len(delivery.body)
        if batch and (len(batch) >= limits.most or size + length > limits.most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(delivery)
        size += length
    if batch:
        yield batch
