"""A clock that jumps back an hour: every day keeps its cap, and what is over stays over.

What was decided is decided by the clock's own time line: a day's counter is that day's, on whatever visit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapter.app import App, compose
from adapter.services.environment import Environment
from adapter.settings.fields import Keys, build
from tests.acceptance.receiver import SECRET, Receiver

HOUR = timedelta(hours=1)
RULES = """
rules:
  - name: daily
    trigger: checkout_started
    action: {type: percentage_off, value: 10, expires_in_hours: 1}
    guardrails: {max_daily_redemptions: 3, stackable: true}
  - name: left
    trigger: {event: cart_viewed, unless: order_completed, within: 30m}
    action: {type: amount_off, value: 10, expires_in_hours: 48}
    guardrails: {stackable: true}
"""


class Shop:
    """The whole application over a clock of ours."""

    def __init__(self, app: App, client: httpx.AsyncClient, clock: list[datetime]) -> None:
        self.app, self._client, self._clock = app, client, clock
        self._sent = 0

    def at(self, hour: int, minute: int = 0, day: int = 2) -> None:
        self._clock[0] = datetime(2026, 3, day, hour, minute, tzinfo=UTC)

    async def tell(self, event: str, who: str = "", id_: str = "") -> dict[str, Any]:
        """Send a call without a time of its own: it happens now. Returns its result."""
        self._sent += 1
        call = {"type": "track", "event": event, "messageId": id_ or f"m{self._sent}"}
        answer = await self._client.post("/webhooks/segment", json=call | {"userId": who or f"u{self._sent}"})
        [result] = answer.json()["results"]
        return dict(result)

    async def issued(self, many: int) -> int:
        """Start so many checkouts, and return how many earned a discount."""
        return sum([bool((await self.tell("Checkout Started")).get("discounts")) for _ in range(many)])

    async def held(self, who: str) -> list[str]:
        answer = await self._client.get(f"/v1/customers/{who}/discounts")
        return [each["status"] for each in answer.json()["discounts"]]

    async def apply(self, code: str) -> int:
        return (await self._client.post(f"/v1/discounts/{code}/apply")).status_code

    async def sweep(self) -> int:
        """Write down what has expired; returns how many those were."""
        return await self.app.checkout.expire(await self.app.store.lapsed(self._clock[0], 100))


@pytest.fixture
async def shop(store_url: str, tmp_path: Path, receiver: Receiver) -> AsyncIterator[Shop]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES)
    webhook = {"url": receiver.url, "secrets": (SECRET,), "allow_private_addresses": True}
    chosen: dict[Keys, Any] = {("destinations", "webhook", name): value for name, value in webhook.items()}
    settings = build({("store", "url"): store_url, ("files", "rules"): str(tmp_path / "rules"), **chosen})
    clock = [datetime(2026, 3, 2, 12, tzinfo=UTC)]
    app = compose(settings, world=Environment(clock=lambda: clock[0]))
    async with app.running(), httpx.AsyncClient(
        transport=httpx.ASGITransport(app.asgi), base_url="http://127.0.0.1"
    ) as client:  # fmt: skip
        yield Shop(app, client, clock)


async def test_every_day_keeps_its_own_cap_over_a_midnight_passed_twice(shop: Shop) -> None:
    shop.at(23, 30, day=1)
    assert await shop.issued(2) == 2
    shop.at(0, 30)
    assert await shop.issued(5) == 3
    shop.at(23, 30, day=1)
    assert await shop.issued(5) == 1
    shop.at(0, 30)
    assert await shop.issued(5) == 0


async def test_a_duplicate_stays_one_when_the_clock_jumps(shop: Shop) -> None:
    shop.at(12)
    first = await shop.tell("Checkout Started", "ann", "once")
    shop.at(11)
    again = await shop.tell("Checkout Started", "ann", "once")
    assert (first["outcome"], again["outcome"]) == ("processed", "duplicate")
    assert again["discounts"] == first["discounts"]
    assert len(await shop.held("ann")) == 1


async def test_an_expired_discount_stays_expired_and_is_released_once(shop: Shop) -> None:
    shop.at(12)
    code = (await shop.tell("Checkout Started", "ann"))["discounts"][0]["code"]
    shop.at(13, 5)
    assert await shop.sweep() == 1
    shop.at(12, 5)
    assert await shop.held("ann") == ["expired"]
    assert await shop.apply(code) == 409
    assert await shop.sweep() == 0
    assert await shop.issued(5) == 3
    shop.at(13, 10)
    assert await shop.sweep() == 3


async def test_a_timer_that_fired_does_not_fire_again_and_one_that_waits_fires_in_its_time(
    shop: Shop,
) -> None:
    shop.at(12)
    await shop.tell("Cart Viewed", "ann")
    shop.at(12, 31)
    await until_held(shop, "ann")
    shop.at(11, 31)
    await shop.tell("Cart Viewed", "bob")
    shop.at(11, 59)
    await until_looked(shop)
    assert await shop.held("bob") == []
    shop.at(12, 40)
    await until_held(shop, "bob")
    await until_looked(shop)
    assert await shop.held("ann") == ["issued"]
    assert await shop.held("bob") == ["issued"]


async def test_discounts_issued_after_the_clock_jumped_are_pushed(shop: Shop, receiver: Receiver) -> None:
    shop.at(12)
    assert await shop.issued(1) == 1
    await until_pushed(receiver, 1)
    shop.at(11)
    assert await shop.issued(2) == 2
    await until_pushed(receiver, 3)
    assert all(ids.total() == 1 for ids in receiver.pushed.values())


async def until_looked(shop: Shop) -> None:
    """Wait until the server has looked for due timers by the clock as it is now, and has decided them."""
    due_timers, looks = shop.app.store.due_timers, 0

    async def counted(now: datetime, limit: int) -> Any:
        nonlocal looks
        looks += 1
        return await due_timers(now, limit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop.app.store, "due_timers", counted)
        async with asyncio.timeout(60):
            while looks < 2:  # noqa: ASYNC110 - the second look follows all that the first has decided
                await asyncio.sleep(0.02)


async def until_held(shop: Shop, who: str) -> None:
    async with asyncio.timeout(60):
        while not await shop.held(who):  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.05)


async def until_pushed(receiver: Receiver, many: int) -> None:
    async with asyncio.timeout(60):
        while len(receiver.pushed) < many:  # noqa: ASYNC110 - it knows no event
            await asyncio.sleep(0.05)
