"""A code as people type it, over HTTP: in the event stream and in every path of the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

RULE = """
name: welcome
trigger: checkout_started
conditions: [cart_value >= 50]
action: {type: percentage_off, value: 10, max_amount: 20, code_prefix: WELC-, expires_in_hours: 24}
guardrails: {stackable: true}
"""


@pytest.fixture
def shop(store_url: str, start_server: Any, tmp_path: Path) -> Any:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "welcome.yaml").write_text(RULE)
    return start_server(store=store_url, rules=rules)


def track(shop: Any, key: str, event: str, **properties: Any) -> list[dict[str, Any]]:
    message = {"type": "track", "event": event, "messageId": key, "userId": "u1", "properties": properties}
    [result] = shop.post("/webhooks/segment", message)["results"]
    return list(result.get("discounts", []))


def wide(code: str) -> str:
    """Return a code as a Japanese keyboard writes it."""
    return "".join(chr(ord(character) + 0xFEE0) for character in code)


def test_the_stream_takes_a_code_in_any_spelling(shop: Any) -> None:
    [issued] = track(shop, "1", "Checkout Started", value=60)
    code = issued["code"]
    [applied] = track(shop, "2", "Coupon Applied", coupon_code=f" {code} ")
    [redeemed] = track(shop, "3", "Order Completed", order_id="o1", total=54, coupon=code.lower())
    assert [(each["code"], each["status"]) for each in (applied, redeemed)] == [
        (code, "applied"),
        (code, "redeemed"),
    ]
    again = track(shop, "4", "Order Completed", order_id="o2", total=54, coupon=wide(code))
    assert again == []


def test_every_path_of_the_api_takes_a_code_in_any_spelling(shop: Any) -> None:
    codes = [track(shop, str(n), "Checkout Started", value=60)[0]["code"] for n in range(2)]
    for code, last in zip(codes, ("redeem", "revoke"), strict=True):
        for verb, typed in [
            ("apply", code.lower()),
            ("release", code.replace("-", "")),
            (last, wide(code)),
        ]:
            told = shop.post(f"/v1/discounts/{quote(typed)}/{verb}", {"order_id": "o", "source_id": "u1"})
            assert told["code"] == code
        for typed in (f"\u00a0{code}\t", code.replace("-", "\u2011"), "\u200b".join(code)):
            assert shop.get(f"/v1/discounts/{quote(typed)}")["code"] == code


def test_an_unknown_code_is_still_404(shop: Any) -> None:
    for typed in ("welc", "%00", "-", "%E2%80%8B", "a" * 1_001):
        assert httpx.get(f"{shop.url}/v1/discounts/{typed}").status_code == 404
