"""A store of the version before, served over HTTP: its codes, customers and duplicates go on as they were."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.store.before.restore import HERE, restore

MESSAGES = json.loads((HERE / "messages.json").read_text())


@pytest.fixture
def shop(store_url: str, start_server: Any) -> Any:
    """A server over the recorded store, which it migrates."""
    asyncio.run(restore(store_url))
    return start_server(store=store_url, rules=HERE / "rules")


def redeemed(shop: Any, key: str, user: str, coupon: str) -> dict[str, Any]:
    """Send an order with a coupon, and return what became of the message."""
    order = {"type": "track", "event": "Order Completed", "messageId": key, "userId": user,
             "properties": {"order_id": key, "total": 9, "coupon": coupon}}  # fmt: skip
    [result] = shop.post("/webhooks/segment", order)["results"]
    return dict(result)


def test_codes_that_fold_together_work_by_their_exact_spelling_alone(shop: Any) -> None:
    for typed, owner in [("SAVE-N9FZ6M", "cara"), ("SaveN9FZ6M", "dora")]:
        assert shop.get(f"/v1/discounts/{typed}")["code"] == typed
        [moved] = redeemed(shop, f"after-{owner}", owner, typed)["discounts"]
        assert (moved["code"], moved["status"]) == (typed, "redeemed")
    unclear = httpx.get(f"{shop.url}/v1/discounts/save-xra5ev")
    assert (unclear.status_code, unclear.json()["error"]["code"]) == (404, "not_found")
    assert redeemed(shop, "after-both", "both", "save xra5ev")["error"] == "not_found"
    [moved] = redeemed(shop, "after-ann", "ann", "thanks3myrmxwe")["discounts"]
    assert (moved["code"], moved["status"]) == ("THANKS-3MYRMXWE", "redeemed")


@pytest.mark.parametrize("name", ["undefined", "null", "00000000-0000-0000-0000-000000000000"])
def test_customers_under_placeholders_are_read_exported_and_erased(shop: Any, name: str) -> None:
    assert shop.get(f"/v1/customers/{name}")["source_id"] == name
    exported = shop.get(f"/v1/customers/{name}/export")
    assert len(exported["events"]) == (name != "null")
    assert httpx.delete(f"{shop.url}/v1/customers/{name}").status_code == 200
    assert httpx.get(f"{shop.url}/v1/customers/{name}").status_code == 404
    assert shop.get("/v1/customers/ann")["source_id"] == "ann"


def test_a_repeated_message_gets_its_first_answer(shop: Any) -> None:
    for number, code in [(1, "SAVE-N9FZ6M"), (2, "SaveN9FZ6M"), (6, "THANKS-3MYRMXWE")]:
        message = MESSAGES[number - 1] | {"messageId": f"before-{number}"}
        [result] = shop.post("/webhooks/segment", message)["results"]
        assert (result["outcome"], [each["code"] for each in result["discounts"]]) == ("duplicate", [code])


def test_limits_that_were_used_up_are_used_up(shop: Any) -> None:
    again = {"type": "track", "event": "Order Completed", "messageId": "after-ann", "userId": "ann",
             "properties": {"order_id": "o-after", "total": 150, "currency": "USD"}}  # fmt: skip
    [result] = shop.post("/webhooks/segment", again)["results"]
    assert result.get("discounts", []) == []
    fresh = again | {"messageId": "after-eve", "userId": "eve"}
    [result] = shop.post("/webhooks/segment", fresh)["results"]
    assert [each["metadata"]["rule"] for each in result["discounts"]] == ["thanks"]
