"""How an erasure is forwarded to a destination that was sent the customer, and what its receipt says."""

from __future__ import annotations

import re
from datetime import datetime

from msgspec.structs import replace

from adapter.destinations.contract import Attempt, Destination, Erasing, Told
from adapter.model.deliveries import Delivery
from adapter.model.erasures import CUSTOMER_ERASED, ErasureState, ForwardedErasure, read_customer_erased
from adapter.store.values import DeliveryResult


def is_erasure(delivery: Delivery) -> bool:
    """Return whether a delivery forwards an erasure."""
    return delivery.type == CUSTOMER_ERASED


async def forward(destination: Destination, delivery: Delivery, now: datetime) -> Attempt:
    """Have the destination forget a customer, by its own means; one without such is sent the event.

    What the operator must do is the `error` of an attempt that succeeded.
    """
    if not isinstance(destination, Erasing):
        [attempt] = await destination.send([delivery], now)
        return replace(attempt, answer=b"")
    erased = read_customer_erased(bytes(delivery.event))
    identities = sorted(erased.identities.items())
    outcome = await destination.erase(erased.source_id, identities, now)
    if isinstance(outcome, Told):
        return Attempt(ok=True, error=_without(outcome.sentence, erased.source_id))
    # What was answered may name the customer.
    return replace(outcome, answer=b"")


def _without(sentence: str, source_id: str) -> str:
    """Return a sentence without an id: it is kept with the receipt."""
    return re.sub(rf"(?<!\w){re.escape(source_id)}(?!\w)", "ID", sentence)


def noted(
    delivery: Delivery, result: DeliveryResult, now: datetime, attempt: Attempt | None = None
) -> DeliveryResult:
    """Return the result of a delivery, with what the receipt of an erasure says of it."""
    if not is_erasure(delivery):
        return result
    told = attempt.error if attempt is not None and attempt.ok else None
    state: ErasureState = (
        "told" if told else "done" if result.done else "waiting" if result.due_at else "dead"
    )
    detail = told or result.error or ""
    return replace(result, forwarded=ForwardedErasure(delivery.destination, state, now, detail))
