"""Messages of real senders, and what a started server says of them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import Server

SENT = Path(__file__).parent / "sent"
_numbers = itertools.count()


def ago(**lengths: int) -> datetime:
    return datetime.now(UTC) - timedelta(**lengths)


def checkout(**members: Any) -> dict[str, Any]:
    """Return a first checkout that earns 15 per cent, of somebody new."""
    number = next(_numbers)
    return {
        "type": "track", "event": "Checkout Started", "messageId": f"senders-{number}",
        "userId": f"senders-{number}",
        "properties": {"value": 150, "currency": "USD", "shipping_country": "US"},
    } | members  # fmt: skip


def sent(shop: Server, body: Any, source: str = "segment") -> dict[str, Any]:
    """Return the last result of a body, all others of which are processed without a remark."""
    answer = shop.post(f"/webhooks/{source}", body)
    results: list[dict[str, Any]] = answer.get("results", [])
    return results[-1] if results else answer


def earned(shop: Server, body: Any, source: str = "segment") -> list[str]:
    return [discount["metadata"]["rule"] for discount in sent(shop, body, source).get("discounts", [])]


def of_mparticle(**data: Any) -> dict[str, Any]:
    number = next(_numbers)
    said = {
        "event_name": "Checkout Started", "source_message_id": f"senders-{number}",
        "custom_attributes": {"value": "150", "currency": "USD", "shipping_country": "US"},
    }  # fmt: skip
    event = {"event_type": "custom_event", "data": said | data}
    return {"mpid": str(10**12 + number), "batch_id": number + 1, "events": [event]}


def customer(shop: Server, source_id: str) -> Any:
    return shop.get(f"/v1/customers/{source_id}")


def last_event(shop: Server, source_id: str) -> Any:
    """Return the only event of a customer."""
    [event] = shop.get(f"/v1/customers/{source_id}/events")["events"]
    return event
