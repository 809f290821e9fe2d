"""Events of development traffic go only to destinations that want them, to the end of a discount's life."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter import app
from adapter.metrics import Metrics
from adapter.model.deliveries import Recipients
from adapter.model.discounts import DiscountRecord
from adapter.model.messages import Message
from adapter.model.redemptions import Redemption
from adapter.services.checkout.pushes import Pushes
from adapter.services.environment import Environment
from adapter.services.ingest.work_item import Work
from adapter.settings.destinations.registry import Destinations
from adapter.settings.destinations.webhook import Webhook
from adapter.settings.fields import Keys, build
from adapter.settings.scalars import Secret
from adapter.settings.values import Settings
from adapter.sources.decoded_body import Decoded
from tests.destinations.cdp_doubles import discount

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
#: The context is not taken over, so nothing but the message says that it is a test.
MAPPING = """\
source: mparticle
mappings:
  - name: Event
    subscribe: type = "custom_event"
    action: event
    fields:
      source_id: {"@path": "$.userId"}
      name: {"@path": "$.event"}
      occurred_at: {"@path": "$.timestamp"}
  - name: Redeemed
    subscribe: type = "redeemed"
    action: discount.redeem
    fields: {code: {"@path": "$.code"}}
"""
RULES = """\
rules:
  - {name: any, trigger: started, action: {type: percentage_off, value: 5, max_amount: 9}}
  - {name: back, trigger: {event: seen, unless: started, within: 1h},
     action: {type: percentage_off, value: 5, max_amount: 9}}
"""


class Shop:
    """A composed adapter with a destination that wants tests, and one that does not."""

    def __init__(self, folder: Path) -> None:
        (folder / "rules.yaml").write_text(RULES)
        (folder / "mappings").mkdir()
        (folder / "mappings" / "mparticle.yaml").write_text(MAPPING)
        chosen: dict[Keys, Any] = {
            ("files", "mappings"): str(folder / "mappings"),
            ("files", "rules"): str(folder),
            ("store", "url"): "sqlite:///:memory:",
            ("mparticle", "accept_development"): True,
        }
        settings: Settings = build(chosen)
        webhook = Webhook(url="https://10.0.0.1/", secrets=(Secret("whsec_" + "A" * 32),))
        named = {"tests": msgspec.structs.replace(webhook, development=True), "live": webhook}
        settings = msgspec.structs.replace(settings, destinations=Destinations(named=named))
        self.now, self.metrics = NOON, Metrics()
        self.app = app.compose(settings, world=Environment(clock=lambda: self.now), metrics=self.metrics)

    async def send(self, kind: str, environment: str, key: str, **members: Any) -> Any:
        said = {"type": kind, "userId": "u", "timestamp": "2026-03-04T12:00:00Z", **members,
                "context": {"environment": environment}}  # fmt: skip
        [result] = await self.app.ingest.receive(
            Decoded([Message("mparticle", key, said, self.now)], [], source="mparticle")
        )
        return result

    async def pushed(self) -> list[tuple[str, str, str | None]]:
        found = await self.app.store.deliveries("due", 99)
        bodies = [msgspec.json.decode(each.event) for each in found]
        return sorted(
            (each.type, each.destination, body.get("environment"))
            for each, body in zip(found, bodies, strict=True)
        )

    def held_back(self, destination: str) -> float | None:
        labels = {"destination": destination, "reason": "development"}
        return self.metrics.registry.get_sample_value("adapter_deliveries_held_back_total", labels)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    shop = Shop(tmp_path)
    async with shop.app.working():
        yield shop


async def test_a_test_discount_is_told_only_where_tests_are_wanted(shop: Shop) -> None:
    result = await shop.send("custom_event", "development", "m1", event="started")
    assert await shop.pushed() == [("discount.issued", "tests", "development")]
    await shop.send("redeemed", "production", "m2", code=result.discounts[0].code)
    assert await shop.pushed() == [
        ("discount.issued", "tests", "development"),
        ("discount.redeemed", "tests", "development"),
    ]
    assert (shop.held_back("live"), shop.held_back("tests")) == (2, None)


async def test_a_live_discount_is_told_everywhere_and_without_an_environment(shop: Shop) -> None:
    await shop.send("custom_event", "production", "m1", event="started")
    assert await shop.pushed() == [("discount.issued", "live", None), ("discount.issued", "tests", None)]
    assert shop.held_back("live") is None


async def test_a_timer_that_a_test_started_earns_a_test_discount(shop: Shop) -> None:
    await shop.send("custom_event", "development", "m1", event="seen")
    shop.now += timedelta(hours=2)
    [timer] = await shop.app.store.due_timers(shop.now, 9)
    await shop.app.committer.submit([Work("timer", "", timer.event.id, shop.now, timer=timer)])
    assert await shop.pushed() == [("discount.issued", "tests", "development")]


REDEMPTION = Redemption(id="r", source_id="u", state="redeemed", at=NOON, uses=())


def test_a_checkout_of_a_test_discount_is_a_test() -> None:
    left_out: list[str] = []
    recipients = Recipients({"tests": (), "live": ()}, development=("tests",))
    pushes = Pushes(recipients, lambda: "1", left_out.append)
    held = DiscountRecord(discount(), "u", "r", "e", NOON, NOON, development=True)
    found = pushes.of("redemption.created", {"id": "r"}, REDEMPTION, [held], NOON)
    assert {each.destination for each in found} == {"tests"}
    assert {msgspec.json.decode(each.event)["environment"] for each in found} == {"development"}
    assert left_out == ["live", "live"]
    live = DiscountRecord(discount(), "u", "r", "e", NOON, NOON)
    assert len(pushes.of("redemption.created", {"id": "r"}, REDEMPTION, [live], NOON)) == 4


def test_a_redemption_of_nobody_goes_only_where_no_customer_is_needed() -> None:
    pushes = Pushes(Recipients.of_everything(("shop", "cdp")), lambda: "1")
    of_nobody = msgspec.structs.replace(REDEMPTION, source_id="")
    of_customers = msgspec.structs.replace(pushes.destinations, of_customers=("cdp",))
    pushes = msgspec.structs.replace(pushes, destinations=of_customers)
    assert [
        each.destination for each in pushes.of("redemption.created", {"id": "r"}, of_nobody, [], NOON)
    ] == ["shop"]
    assert len(pushes.of("redemption.created", {"id": "r"}, REDEMPTION, [], NOON)) == 2
