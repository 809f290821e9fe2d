"""What an operator sees of deliveries and destinations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from adapter.model.breakers import Breaker
from adapter.model.deliveries import Delivery, DeliveryStatus, PastAttempt, Pause
from adapter.services.health import Check
from adapter.store.contract import Store

_KINDS: Final = {
    "pause": "is paused until",
    "open": "failed too often, and gets nothing until",
    "half_open": "failed too often, and is being tried since",
}


class Rest(Struct, frozen=True):
    """A time in which nothing is sent to a destination, and why.

    `pause`: it asked for that. `open`: it failed too often, so its breaker is open. From the end of that on
    the breaker is `half_open`: one delivery tries the destination.
    """

    destination: str
    since: datetime
    until: datetime
    reason: str
    kind: Literal["pause", "open", "half_open"] = "pause"


class ShownDelivery(Struct, frozen=True):
    """A delivery without its body, which holds a code; `history` has its latest attempts, oldest first."""

    id: str
    status: DeliveryStatus
    destination: str
    type: str
    source_id: str
    attempts: int
    created_at: datetime
    next_at: datetime | None
    paused_until: datetime | None
    last_error: str | None
    history: tuple[PastAttempt, ...]


def shown(delivery: Delivery, paused_until: datetime | None) -> ShownDelivery:
    """Return what an operator needs of a delivery."""
    due = delivery.status == "due"
    return ShownDelivery(
        id=delivery.id,
        status=delivery.status,
        destination=delivery.destination,
        type=delivery.type,
        source_id=delivery.source_id,
        attempts=delivery.tries,
        created_at=delivery.created_at,
        next_at=delivery.due_at if due else None,
        paused_until=paused_until,
        last_error=delivery.last_error,
        history=delivery.past.latest,
    )


async def rests(store: Store, now: datetime) -> list[Rest]:
    """Return the pauses in force and the breakers that are not closed, by destination."""
    pauses = [_paused(each) for each in await store.pauses(now)]
    breakers = [rest for each in await store.breakers() if (rest := _resting(each, now))]
    return sorted([*pauses, *breakers], key=lambda rest: (rest.destination, rest.kind))


async def sending(store: Store, clock: Callable[[], datetime]) -> Check:
    """Return whether all destinations receive deliveries, and until when which do not.

    Readiness is public, so the reasons, which may name hosts, are left out.
    """
    found = [
        f"`{each.destination}` {_KINDS[each.kind]} {each.until:%Y-%m-%dT%H:%M:%SZ}"
        for each in await rests(store, clock())
    ]
    if not found:
        return Check("destinations", ok=True)
    return Check("destinations", ok=False, detail=f"{'; '.join(found)}: see `adapter deliveries`")


def ends(found: Iterable[Rest]) -> dict[str, datetime]:
    """Return until when each destination receives nothing."""
    latest: dict[str, datetime] = {}
    for rest in found:
        latest[rest.destination] = max(rest.until, latest.get(rest.destination, rest.until))
    return latest


def _paused(pause: Pause) -> Rest:
    return Rest(pause.destination, pause.since, pause.until, pause.reason)


def _resting(breaker: Breaker, now: datetime) -> Rest | None:
    state = breaker.state(now)
    if breaker.until is None or state == "closed":
        return None
    return Rest(breaker.destination, breaker.since, breaker.until, breaker.reason, state)
