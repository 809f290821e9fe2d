"""Converts between deliveries, pauses and breakers, and rows of both engines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from adapter.model.breakers import Breaker
from adapter.model.deliveries import Delivery, Past, Pause, Rendered, Selection
from adapter.model.encoding import decode, encode
from adapter.store.timestamps import micros, micros_or_none, moment
from adapter.store.values import DeliveryResult, Render


def delivery_row(delivery: Delivery) -> tuple[Any, ...]:
    """Return the columns of a new delivery, in the order of `read_delivery`; nothing is rendered yet."""
    return (
        delivery.id,
        delivery.destination,
        delivery.source_id,
        delivery.type,
        bytes(delivery.event),
        micros(delivery.created_at),
        micros(delivery.due_at),
        delivery.attempt,
        delivery.status,
        micros_or_none(delivery.not_after),
        delivery.last_error,
    )


def read_pause(row: Iterable[Any]) -> Pause:
    """Return the pause of a row."""
    destination, since, until, reason = row
    return Pause(destination, moment(since), moment(until), reason)


def breaker_row(breaker: Breaker) -> tuple[Any, ...]:
    """Return the row of a breaker."""
    times = micros_or_none(breaker.until), micros_or_none(breaker.probed_until)
    counts = breaker.succeeded, breaker.failed, breaker.openings
    return (breaker.destination, micros(breaker.since), *counts, *times, breaker.reason)


def read_breaker(row: Iterable[Any]) -> Breaker:
    """Return the breaker of a row of `breaker_row`."""
    destination, since, succeeded, failed, openings, until, probed_until, reason = row
    return Breaker(
        destination,
        moment(since),
        succeeded,
        failed,
        openings,
        None if until is None else moment(until),
        None if probed_until is None else moment(probed_until),
        reason,
    )


def read_delivery(row: Iterable[Any]) -> Delivery:
    """Return the delivery of a row of `delivery_row`, then `rendered_by`, `rendered`, `attempts`."""
    id_, destination, source_id, type_, event, created_at, due_at, attempt, status, not_after, *rest = row
    error, rendered_by, rendered, attempts = rest
    return Delivery(
        id=id_,
        destination=destination,
        source_id=source_id,
        type=type_,
        event=msgspec.Raw(event),
        created_at=moment(created_at),
        due_at=moment(due_at),
        attempt=attempt,
        status=status,
        not_after=None if not_after is None else moment(not_after),
        last_error=error,
        rendered=_read_rendered(rendered_by, rendered),
        past=Past() if attempts is None else decode(bytes(attempts), Past),
    )


def rendered(delivery: Delivery, render: Render | None) -> Delivery:
    """Return a leased delivery with what is sent of it; the same object where that was stored before."""
    made = render(delivery) if render is not None else None
    return delivery if made is None or made == delivery.rendered else replace(delivery, rendered=made)


def rendered_row(delivery: Delivery) -> tuple[str | None, bytes | None]:
    """Return the columns `rendered_by` and `rendered`."""
    rendered = delivery.rendered
    if rendered is UNSET:
        return None, None
    return rendered.by, None if rendered.body is None else bytes(rendered.body)


def _read_rendered(by: str | None, body: bytes | None) -> Rendered | UnsetType:
    if by is None:
        return UNSET
    return Rendered(by, None if body is None else msgspec.Raw(body))


def settled_row(settlement: DeliveryResult) -> tuple[str, int, str, int | None, str | None, bytes | None]:
    """Return id, attempt, and the status, due moment, error and past that the attempt leaves."""
    again = not settlement.done and settlement.due_at is not None
    status = "due" if again else "done" if settlement.done else "dead"
    due_at = micros_or_none(settlement.due_at) if again else None
    past = None if settlement.past is None else encode(settlement.past)
    return settlement.id, settlement.attempt, status, due_at, settlement.error, past


def selection_row(selection: Selection) -> tuple[Any, ...]:
    """Return the parts of a selection that both engines bind alike."""
    times = micros_or_none(selection.since), micros_or_none(selection.until)
    return (selection.destination, selection.type, selection.error, *times)
