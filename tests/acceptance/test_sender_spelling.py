"""The name of an event in another spelling is the same name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.acceptance.conftest import Server
from tests.acceptance.senders import SENT, checkout, earned, of_mparticle, sent

SPELLINGS: list[dict[str, Any]] = json.loads((SENT / "event-spelling.json").read_text())


def test_the_spelling_of_an_event_changes_nothing(shop: Server) -> None:
    known: dict[str, str] = {}
    for step in SPELLINGS:
        filled = json.loads(_filled(json.dumps(step), known))
        if step.get("method") == "GET":
            shop.get(filled["path"])
            continue
        result = sent(shop, filled["body"])
        if filled["body"]["event"] != "Order completed":
            [discount] = result["discounts"]
            assert discount["metadata"]["rule"] == "high-value-cart-first-purchase"
            known["code"] = discount["code"]
    assert shop.get(f"/v1/discounts/{known['code']}")["status"] == "redeemed"
    events = shop.get("/v1/customers/w/events")["events"]
    assert sorted(event["name"] for event in events) == ["checkout_started", "order_completed"]


def _filled(text: str, known: dict[str, str]) -> str:
    text = text.replace("$now", datetime.now(UTC).isoformat())
    return text.replace("$code", known["code"]) if "code" in known else text


@pytest.mark.parametrize(
    "event", ["order completed", "OrderCompleted", "order-completed", "ORDER_COMPLETED", "ordercompleted",
              "completed order", "Completed  Order", "completedOrder", " Order Completed "],
)  # fmt: skip
@pytest.mark.parametrize("source", ["segment", "mparticle"])
def test_an_order_in_any_spelling_counts_as_an_order(source: str, event: str, shop: Server) -> None:
    start = checkout()
    if source == "segment":
        order = start | {"event": event, "messageId": f"{start['messageId']}-o", "properties": {"total": 5}}
    else:
        order = of_mparticle(event_name=event, custom_attributes={"total": "5"})
        order["user_identities"] = [{"identity_type": "customer_id", "identity": start["userId"]}]
    sent(shop, order, source)
    assert "high-value-cart-first-purchase" not in earned(shop, start)
