"""What we push into a CDP is sent round: it comes back by the webhook, is counted, and earns nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapter import app
from adapter.destinations.mparticle.destination import MParticleDestination
from adapter.destinations.segment.destination import SegmentDestination
from adapter.metrics import Metrics
from adapter.model.deliveries import Delivery, Rendered
from adapter.model.encoding import encode
from adapter.services.environment import Environment
from adapter.settings.destinations.mparticle import MParticle
from adapter.settings.destinations.registry import Destinations
from adapter.settings.destinations.segment import Segment
from adapter.settings.fields import Keys, build
from adapter.settings.scalars import Secret
from tests.destinations.cdp_doubles import mparticle, segment

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
MAPPING = """\
source: {source}
mappings:
  - name: Every event
    subscribe: type = "{kind}"
    action: event
    fields:
      source_id: {{"@path": "$.userId"}}
      name: {{"@path": "$.event"}}
      occurred_at: {{"@path": "$.timestamp"}}
  - name: Every profile
    subscribe: type = "identify"
    action: customer.upsert
    fields: {{source_id: {{"@path": "$.userId"}}, traits: {{"@path": "$.traits"}}}}
"""
#: A rule on what we push ourselves: without the recognition it feeds itself.
RULES = """\
rules:
  - {name: first, trigger: checkout_started, action: {type: amount_off, value: 5, currency: EUR}}
  - {name: loop, trigger: discount_issued,
     action: {type: amount_off, value: 5, currency: EUR}}
"""
STARTED = {
    "segment": {"type": "track", "event": "Checkout Started", "userId": "u", "messageId": "ajs-1",
                "timestamp": "2026-03-04T12:00:00Z"},
    "mparticle": {
        "user_identities": {"customer_id": "u"}, "environment": "production",
        "events": [{"event_type": "custom_event", "data": {
            "event_name": "Checkout Started", "source_message_id": "m-1",
            "timestamp_unixtime_ms": 1772625600000}}]},
}  # fmt: skip


class Shop:
    """The whole adapter, pushing to both CDPs, of which nothing runs but what tests ask for."""

    def __init__(self, folder: Path) -> None:
        (folder / "rules.yaml").write_text(RULES)
        (folder / "mappings").mkdir()
        for source, kind in (("segment", "track"), ("mparticle", "custom_event")):
            text = MAPPING.format(source=source, kind=kind)
            (folder / "mappings" / f"{source}.yaml").write_text(text)
        chosen: dict[Keys, Any] = {
            ("files", "mappings"): str(folder / "mappings"),
            ("files", "rules"): str(folder),
            ("store", "url"): "sqlite:///:memory:",
        }
        named = {
            "segment": Segment(region="eu", write_key=Secret("write-key"), profile=True),
            "mparticle": MParticle(pod="eu1", key=Secret("k"), secret=Secret("s"), profile=True),
        }
        settings = msgspec.structs.replace(build(chosen), destinations=Destinations(named=named))
        self.metrics = Metrics()
        self.app = app.compose(settings, world=Environment(clock=lambda: NOON), metrics=self.metrics)
        transport = httpx.ASGITransport(self.app.asgi, client=("127.0.0.1", 1))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")

    async def post(self, source: str, body: bytes) -> httpx.Response:
        headers = {"content-type": "application/json"}
        answer = await self.http.post(f"/webhooks/{source}", content=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer

    async def pushed(self, destination: SegmentDestination | MParticleDestination) -> list[Delivery]:
        """Return what is due, rendered as it would be sent."""

        def render(delivery: Delivery) -> Rendered:
            return Rendered(destination.type, destination.render(delivery))

        later = NOON.replace(hour=13)
        return await self.app.store.lease(NOON, later, 99, destination.type, render, reading="codes")

    def counted(self, source: str, outcome: str) -> float | None:
        self.metrics.flush()
        labels = {"source": source, "outcome": outcome}
        return self.metrics.registry.get_sample_value("adapter_messages_total", labels)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    shop = Shop(tmp_path)
    async with shop.app.working(), shop.http:
        yield shop


def _as_segment_forwards(delivery: Delivery, wrap: str) -> list[bytes]:
    """Return bodies of the webhook: Segment adds times and its own members, and keeps ours."""
    calls = msgspec.json.decode(delivery.body)
    now = "2026-03-04T12:00:01Z"
    added = {"receivedAt": now, "sentAt": now, "originalTimestamp": now, "version": 2, "channel": "server"}
    forwarded = [{**call, **added} for call in calls]
    if wrap == "batch":
        return [encode(forwarded)]
    return [encode({"json": call} if wrap == "extensible" else call) for call in forwarded]


@pytest.mark.parametrize("wrap", ["classic", "batch", "extensible"])
async def test_what_segment_forwards_back_is_counted_and_earns_nothing(shop: Shop, wrap: str) -> None:
    await shop.post("segment", encode(STARTED["segment"]))
    [delivery] = await shop.pushed(segment(profile=True))
    for body in _as_segment_forwards(delivery, wrap):
        answer = await shop.post("segment", body)
        assert answer.json()["results"] == []
    assert (shop.counted("segment", "dropped"), shop.counted("segment", "processed")) == (2, 1)
    await _nothing_came_of_it(shop)


async def test_what_mparticle_forwards_back_is_counted_and_earns_nothing(shop: Shop) -> None:
    await shop.post("mparticle", encode(STARTED["mparticle"]))
    [delivery] = await shop.pushed(mparticle(profile=True))
    batch = msgspec.json.decode(delivery.body)
    source = {"channel": "server_to_server"}
    forwarded = {**batch, "batch_id": 1, "mpid": 5, "source_info": source, "schema_version": 2}
    # The id of the request may not come back.
    for kept in (forwarded, {name: forwarded[name] for name in forwarded if name != "source_request_id"}):
        answer = await shop.post("mparticle", encode(kept))
        assert answer.json()["results"] == []
    assert shop.counted("mparticle", "dropped") == 2
    await _nothing_came_of_it(shop)


async def test_ours_are_counted_beside_one_of_another_sender(shop: Shop) -> None:
    mark = {"library": {"name": "behaviour-discounts"}}
    ours = {"type": "track", "event": "Discount Issued", "userId": "u", "messageId": "x", "context": mark}
    theirs = {**ours, "event": "Cart Viewed", "messageId": "y", "context": {}}
    await shop.post("segment", encode([ours, theirs]))
    assert (shop.counted("segment", "dropped"), shop.counted("segment", "processed")) == (1, 1)


async def _nothing_came_of_it(shop: Shop) -> None:
    assert len(await shop.app.store.discounts("u")) == 1
    assert [event.name for event in await shop.app.store.events("u")] == ["checkout_started"]
    customer = await shop.app.store.customer("u")
    assert customer is not None
    assert customer.traits == {}
