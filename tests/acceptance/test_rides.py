"""A scooter company's story: minutes and unlocks for a set time, spent, and gone at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapter import app
from adapter.settings.fields import Keys, build

ROOT = Path(__file__).parents[2]
MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
RULES = """
rules:
  - name: weekend-rides
    trigger: pass_purchased
    conditions: [pass == "weekend"]
    action: {type: unit_off, value: 60, unit_type: minutes, code_prefix: RIDE-, expires_in_hours: 48,
             metadata: {city: berlin}}
    guardrails: {stackable: true, max_total_redemptions: 2, per_user_limit: 1}
  - name: weekend-unlocks
    trigger: pass_purchased
    conditions: [pass == "weekend"]
    action: {type: unit_off, value: 3, unit_type: unlocks, code_prefix: OPEN-, expires_in_hours: 48}
    guardrails: {stackable: true, per_user_limit: 1}
"""


class City:
    """The adapter, asked over HTTP, under a clock that the test sets."""

    def __init__(self, folder: Path) -> None:
        (folder / "rules").mkdir()
        (folder / "rules" / "rides.yaml").write_text(RULES)
        self.now = MONDAY
        chosen: dict[Keys, Any] = {
            ("files", "mappings"): str(ROOT / "mappings"),
            ("files", "rules"): str(folder / "rules"),
            ("store", "url"): f"sqlite:///{folder / 'adapter.db'}",
        }
        self.app = app.compose(build(chosen), world=app.World(clock=lambda: self.now))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app.asgi), base_url="http://adapter")

    async def buys_pass(self, rider: str) -> list[Any]:
        call = {
            "type": "track", "event": "Pass Purchased", "userId": rider, "messageId": f"{rider}-{self.now}",
            "timestamp": self.now.isoformat(), "properties": {"pass": "weekend"},
        }  # fmt: skip
        answer = await self.http.post("/webhooks/segment", json=call)
        return list(answer.json()["results"][0].get("discounts", ()))

    async def rides(self, code: str, verb: str, rider: str, trip: str) -> tuple[int, Any]:
        body = {"source_id": rider, "order_id": trip}
        answer = await self.http.post(f"/v1/discounts/{code}/{verb}", json=body)
        return answer.status_code, answer.json()

    async def holds(self, rider: str) -> dict[str, str]:
        answer = (await self.http.get(f"/v1/customers/{rider}/discounts")).json()
        return {each["action"]["unit_type"]: each["status"] for each in answer["discounts"]}


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    city = City(tmp_path)
    async with city.app.running(), city.http:
        yield city


async def test_minutes_and_unlocks_are_attached_spent_and_gone_at_the_end(city: City) -> None:
    minutes, unlocks = await city.buys_pass("mia")
    assert minutes["action"] == {"type": "unit_off", "value": 60, "unit_type": "minutes"}
    assert unlocks["action"] == {"type": "unit_off", "value": 3, "unit_type": "unlocks"}
    assert minutes["expires_at"] == "2026-03-04T08:00:00Z"
    await city.buys_pass("noa")
    assert await city.holds("noa") == {"minutes": "issued", "unlocks": "issued"}
    assert [each["action"]["unit_type"] for each in await city.buys_pass("oli")] == ["unlocks"]

    city.now += timedelta(hours=20)
    assert (await city.rides(minutes["code"], "apply", "mia", "trip-1"))[0] == 200
    status, spent = await city.rides(minutes["code"], "redeem", "mia", "trip-1")
    assert (status, spent["status"]) == (200, "redeemed")
    assert (await city.rides(minutes["code"], "redeem", "mia", "trip-2"))[0] == 409
    assert (await city.rides(unlocks["code"], "redeem", "noa", "trip-3"))[0] == 409

    city.now = MONDAY + timedelta(hours=48)
    assert await city.holds("mia") == {"minutes": "redeemed", "unlocks": "expired"}
    assert await city.holds("noa") == {"minutes": "expired", "unlocks": "expired"}
    status, refused = await city.rides(unlocks["code"], "redeem", "mia", "trip-4")
    assert status == 409
    assert "expired at 2026-03-04T08:00:00Z" in str(refused)


async def test_what_expires_unspent_is_free_for_the_next_rider(city: City) -> None:
    [mine, *_] = await city.buys_pass("mia")
    await city.rides(mine["code"], "redeem", "mia", "trip-1")
    await city.buys_pass("noa")
    city.now += timedelta(hours=48)
    async with asyncio.timeout(15):
        while await city.app.store.lapsed(city.now, 9):  # noqa: ASYNC110 - the sweep tells nobody
            await asyncio.sleep(0.05)
    given = [await city.buys_pass(rider) for rider in ("oli", "pia")]
    assert [[each["action"]["unit_type"] for each in each_rider] for each_rider in given] == [
        ["minutes", "unlocks"], ["unlocks"],
    ]  # fmt: skip
