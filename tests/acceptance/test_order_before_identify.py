"""A server-side order that comes before the `identify` which joins it to the holder of the discount."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

NUMBERS = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, start_server: Any) -> Any:
    """A server with the starter files, on each engine."""
    store = {"store": request.getfixturevalue("postgres_store")} if request.param == "postgres" else {}
    return start_server(**store)


def send(shop: Any, kind: str, **said: Any) -> Any:
    message = {
        "type": kind, "messageId": f"m{next(NUMBERS)}", "timestamp": datetime.now(UTC).isoformat(), **said
    }  # fmt: skip
    [result] = shop.post("/webhooks/segment", message)["results"]
    return result


def checkout(shop: Any) -> str:
    properties = {"value": 145.75, "currency": "USD", "shipping_country": "US"}
    result = send(shop, "track", event="Checkout Started", properties=properties, anonymousId="a1")
    return str(result["discounts"][0]["code"])


def order(shop: Any, code: str, number: str, who: str = "u1") -> Any:
    properties = {"order_id": number, "total": 124, "coupon": code}
    return send(shop, "track", event="Order Completed", properties=properties, userId=who)


def pending(shop: Any, code: str) -> list[Any]:
    found: list[Any] = shop.get(f"/v1/discounts/{code}/pending-moves")["pending_moves"]
    assert shop.get("/v1/customers/u1/pending-moves")["pending_moves"] == found
    return found


def test_an_order_before_the_identify_redeems_once_they_are_joined(shop: Any) -> None:
    code = checkout(shop)
    first = order(shop, code, "o1")
    assert (first["outcome"], first["error"]) == ("processed", "pending")
    [waiting] = pending(shop, code.lower())
    assert (waiting["verb"], waiting["order_id"]) == ("redeem", "o1")
    assert "belongs to another customer" in waiting["reason"]
    assert shop.get(f"/v1/discounts/{code}")["status"] == "issued"
    send(shop, "identify", userId="u1", anonymousId="a1")
    assert shop.get(f"/v1/discounts/{code}")["status"] == "redeemed"
    assert pending(shop, code) == []
    assert order(shop, code, "o2")["error"] == "wrong_move"
    assert order(shop, code, "o1")["discounts"][0]["status"] == "redeemed"


def test_a_second_order_that_waited_is_refused_and_says_so(shop: Any) -> None:
    code = checkout(shop)
    for number in ("o1", "o2"):
        assert order(shop, code, number)["error"] == "pending"
    send(shop, "identify", userId="u1", anonymousId="a1")
    [refused] = pending(shop, code)
    assert (refused["status"], refused["order_id"]) == ("refused", "o2")
    assert "`o1`" in refused["reason"]
    assert shop.get("/v1/customers/u1/export")["pending_moves"] == [refused]
