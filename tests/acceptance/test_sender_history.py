"""A store of the version before, in which events have names in old spellings, goes on under the new ones."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import StartServer
from tests.acceptance.senders import sent
from tests.store.before.restore import restore

RULES = """
rules:
  - name: ninth-order
    trigger: page_viewed
    conditions:
      - history.count("order_completed") == 9
      - history.sum("order_completed", "total") == 432
      - history.count("cart_viewed") == 1
      - history.count("wine_tasting_booked") == 2
    action: {type: free_shipping}
    guardrails: {stackable: true}
  - name: tenth-order
    trigger: order_completed
    conditions: ['history.count("order_completed") == 9']
    action: {type: free_shipping}
    guardrails: {stackable: true}
"""


@pytest.fixture(params=["sqlite", "postgres"])
def before(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The recorded store, by its url."""
    url = f"sqlite:///{tmp_path / 'before.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_store")
    asyncio.run(restore(url))
    return url


def test_orders_that_were_stored_in_old_spellings_count(
    before: str, start_server: StartServer, tmp_path: Path
) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rules.yaml").write_text(RULES)
    shop = start_server(store=before, rules=folder)
    page = {"type": "page", "userId": "speller", "messageId": "after-1"}
    assert rules_of(sent(shop, page)) == ["ninth-order"]
    order = {"type": "track", "event": "completed order", "userId": "speller", "messageId": "after-2"}
    assert rules_of(sent(shop, order)) == ["tenth-order"]
    names = {event["name"] for event in shop.get("/v1/customers/speller/events")["events"]}
    assert names == {"order_completed", "checkout_started", "cart_viewed", "coupon_applied", "page_viewed",
                     "wine_tasting_booked"}  # fmt: skip
    history = shop.get("/v1/customers/speller/export")["history"]
    assert "completed_order" not in history
    assert history["order_completed"][0] == 10


def rules_of(result: dict[str, Any]) -> list[str]:
    return [discount["metadata"]["rule"] for discount in result.get("discounts", [])]
