"""Placeholders in the place of ids join no strangers and fill no limit, whatever way a message comes in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapter import app
from adapter.services.replay import ReplayOptions, replay
from adapter.settings.fields import Keys, build

ROOT = Path(__file__).parents[2]
ZEROS = "00000000-0000-0000-0000-000000000000"
RULE = """
rules:
  - name: first
    trigger: checkout_started
    conditions: ['history.count("order_completed") == 0']
    action: {type: free_shipping}
    guardrails: {per_user_limit: 1, stackable: true}
"""


def batch(call: dict[str, Any]) -> dict[str, Any]:
    """Return the same as mParticle says it."""
    order = call["event"] == "Order Completed"
    data = {"product_action": {"action": "purchase" if order else "checkout", "transaction_id": "o1"},
            "source_message_id": call["messageId"]}  # fmt: skip
    said = {
        "events": [{"event_type": "commerce_event", "data": data}],
        "user_identities": {"customer_id": call["userId"]} if "userId" in call else {},
        "mp_deviceid": call["context"]["device"]["id"],
    }
    return said | ({"mpid": call["anonymousId"]} if "anonymousId" in call else {})


#: Each way in: its path, and what one message of it is in a body.
WAYS: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "webhook": ("/webhooks/segment", lambda call: call),
    "batch of a webhook": ("/webhooks/segment", lambda call: [call]),
    "tracking API": ("/v1/batch", lambda call: {"batch": [call]}),
    "one call": ("/v1/track", lambda call: call),
    "mParticle": ("/webhooks/mparticle", batch),
    "events API": ("/v2/events", batch),
}


class Shop:
    """The adapter with one rule, which counts by customer and device."""

    def __init__(self, folder: Path, url: str, **identities: Any) -> None:
        (folder / "rules.yaml").write_text(RULE)
        chosen: dict[Keys, Any] = {
            ("files", "mappings"): str(ROOT / "mappings"), ("files", "rules"): str(folder),
            ("store", "url"): url,
        }  # fmt: skip
        self.app = app.compose(
            build(chosen | {("identities", name): said for name, said in identities.items()})
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app.asgi), base_url="http://127.0.0.1"
        )
        self.sent = 10 * len(identities)

    async def send(self, way: str, event: str, device: str = ZEROS, **ids: Any) -> list[dict[str, Any]]:
        """Send an event by a way in, and return the discounts that its customer has."""
        self.sent += 1
        path, wrapped = WAYS[way]
        call = {
            "type": "track", "event": event, "messageId": f"m{self.sent}", "properties": {"order_id": "o1"},
            "context": {"device": {"id": device}}, "timestamp": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        answer = await self.http.post(path, json=wrapped(call | ids))
        assert answer.status_code in (200, 202), answer.text
        customer = next((each for each in (ids.get("anonymousId"), ids.get("userId")) if each), "")
        return await self.discounts(str(customer or "nobody"))

    async def discounts(self, source_id: str) -> list[dict[str, Any]]:
        answer = await self.http.get(f"/v1/customers/{source_id}/discounts")
        found: list[dict[str, Any]] = answer.json()["discounts"]
        return found


@asynccontextmanager
async def opened(shop: Shop) -> AsyncIterator[Shop]:
    async with shop.app.running(), shop.http:
        yield shop


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened(Shop(tmp_path, "sqlite:///:memory:")) as shop:
        yield shop


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("device", [ZEROS, "unknown", " N/A", "9774D56D682E549C", "02:00:00:00:00:00"])
async def test_customers_on_a_device_that_is_a_placeholder_have_a_limit_each(
    shop: Shop, way: str, device: str
) -> None:
    for user in ("1001", "1002"):
        assert len(await shop.send(way, "Checkout Started", device, userId=user)) == 1
    assert len(await shop.send(way, "Checkout Started", "a-real-one", userId="1003")) == 1
    assert len(await shop.send(way, "Checkout Started", "a-real-one", userId="1004")) == 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("user", ["undefined", "NULL", ZEROS, " anonymous "])
async def test_visitors_under_a_placeholder_stay_themselves(shop: Shop, way: str, user: str) -> None:
    await shop.send(way, "Order Completed", userId=user, anonymousId="901")
    assert len(await shop.send(way, "Checkout Started", userId=user, anonymousId="902")) == 1
    assert await shop.send(way, "Checkout Started", userId=user, anonymousId="901") == []
    assert (await shop.http.get(f"/v1/customers/{user}")).status_code == 404
    # The visitor who ordered signs in: what they did is theirs.
    assert await shop.send(way, "Checkout Started", userId="real-1", anonymousId="901") == []
    events = (await shop.http.get("/v1/customers/real-1/events")).json()["events"]
    assert [event["name"] for event in events] == ["checkout_started", "checkout_started", "order_completed"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("user", [True, {}, []])
async def test_an_invalid_id_leaves_the_message_its_other_ids(shop: Shop, way: str, user: Any) -> None:
    assert len(await shop.send(way, "Checkout Started", userId=user, anonymousId="902")) == 1
    assert (await shop.http.get("/v1/quarantine")).json()["quarantined"] == []
    await shop.send(way, "Checkout Started", userId=user)
    kept = (await shop.http.get("/v1/quarantine")).json()["quarantined"]
    assert kept
    results = [done async for done in replay(shop.app.store, shop.app.ingest, ReplayOptions())]
    assert [done.stays for done in results] == [True] * len(kept)


@pytest.mark.parametrize("way", WAYS)
async def test_a_message_without_another_id_waits_in_quarantine_and_is_counted(shop: Shop, way: str) -> None:
    await shop.send(way, "Order Completed", userId="undefined")
    kept = (await shop.http.get("/v1/quarantine")).json()["quarantined"]
    assert kept
    assert all("identities.placeholders" in each["reason"] for each in kept)
    assert "undefined" in json.dumps([each["document"] for each in kept])
    metrics = (await shop.http.get("/metrics")).text
    assert 'adapter_placeholders_total{field="userId",source=' in metrics
    results = [done async for done in replay(shop.app.store, shop.app.ingest, ReplayOptions())]
    assert [done.stays for done in results] == [True] * len(kept)


async def test_a_customer_stored_under_a_placeholder_is_read_exported_and_erased(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    async with opened(Shop(tmp_path, url, placeholders=())) as before:
        assert len(await before.send("webhook", "Checkout Started", userId="undefined")) == 1
    async with opened(Shop(tmp_path, url)) as shop:
        assert len(await shop.discounts("undefined")) == 1
        await shop.send("webhook", "Checkout Started", userId="undefined", anonymousId="v1")
        exported = (await shop.http.get("/v1/customers/undefined/export")).json()
        assert (exported["source_id"], len(exported["events"])) == ("undefined", 1)
        erased = await shop.http.post("/webhooks/segment", json={"type": "delete", "userId": "undefined"})
        assert erased.json()["results"][0]["outcome"] == "processed"
        assert (await shop.http.get("/v1/customers/undefined")).status_code == 404
        assert len(await shop.discounts("v1")) == 1


async def test_a_shop_adds_placeholders_of_its_own(tmp_path: Path) -> None:
    async with opened(Shop(tmp_path, "sqlite:///:memory:", more_placeholders=("Laufkunde",))) as shop:
        for user in ("LAUFKUNDE ", "undefined"):
            await shop.send("webhook", "Order Completed", userId=user)
        assert len((await shop.http.get("/v1/quarantine")).json()["quarantined"]) == 2
