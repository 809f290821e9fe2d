"""A scooter company's story: minutes and unlocks for a set time, spent, and gone at the end."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapter import app
from adapter.services.environment import Environment
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


def _of_the_page(name: str) -> str:
    """Return the example of docs/mapping-files.md that holds a mapping of that name."""
    page = (ROOT / "docs" / "mapping-files.md").read_text(encoding="utf-8")
    [found] = [block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if name in block]
    return str(found)


class City:
    """The adapter, asked over HTTP, under a clock that the test sets."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(ROOT / "mappings", folder / "mappings")
        (folder / "mappings" / "rides.yaml").write_text(_of_the_page("Minutes of a ride"))
        (folder / "rules").mkdir()
        (folder / "rules" / "rides.yaml").write_text(RULES)
        self.now, self.sent = MONDAY, 0
        chosen: dict[Keys, Any] = {
            ("files", "mappings"): str(folder / "mappings"),
            ("files", "rules"): str(folder / "rules"),
            ("store", "url"): f"sqlite:///{folder / 'adapter.db'}",
        }
        self.app = app.compose(build(chosen), world=Environment(clock=lambda: self.now))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app.asgi), base_url="http://127.0.0.1"
        )

    async def buys_pass(self, rider: str) -> list[Any]:
        call = {
            "type": "track", "event": "Pass Purchased", "userId": rider, "messageId": f"{rider}-{self.now}",
            "timestamp": self.now.isoformat(), "properties": {"pass": "weekend"},
        }  # fmt: skip
        answer = await self.http.post("/webhooks/segment", json=call)
        return list(answer.json()["results"][0].get("discounts", ()))

    async def completes_ride(self, rider: str, code: str, trip: str, minutes: float | None) -> list[Any]:
        """Send the event, under another id each time."""
        self.sent += 1
        call = {
            "type": "track", "event": "Ride Completed", "userId": rider, "messageId": f"ride-{self.sent}",
            "timestamp": self.now.isoformat(),
            "properties": {"pass_code": code, "ride_id": trip, "minutes": minutes},
        }  # fmt: skip
        answer = await self.http.post("/webhooks/segment", json=call)
        return list(answer.json()["results"][0].get("discounts", ()))

    async def rides(self, code: str, verb: str, rider: str, trip: str, **more: float) -> tuple[int, Any]:
        body = {"source_id": rider, "order_id": trip, **more}
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


async def test_a_pass_is_spent_ride_by_ride_over_the_api_and_by_the_event_stream(city: City) -> None:
    minutes, _ = await city.buys_pass("mia")
    status, first = await city.rides(minutes["code"], "redeem", "mia", "trip-1", units=22)
    assert (status, first["status"], first["action"]["left"]) == (200, "issued", 38)

    city.now += timedelta(hours=1)
    [second] = await city.completes_ride("mia", minutes["code"], "trip-2", 12.5)
    assert second["action"] == {
        "type": "unit_off", "value": 60, "unit_type": "minutes", "left": 25.5,
        "uses": [{"units": 22, "at": "2026-03-02T08:00:00Z", "order_id": "trip-1"},
                 {"units": 12.5, "at": "2026-03-02T09:00:00Z", "order_id": "trip-2"}],
    }  # fmt: skip
    assert await city.completes_ride("mia", minutes["code"], "trip-2", 12.5) == [second]
    city.app.metrics.flush()
    issued = city.app.metrics.registry.get_sample_value
    assert issued("adapter_discounts_issued_total", {"rule": "weekend-rides"}) == 1
    assert (await city.rides(minutes["code"], "redeem", "mia", "trip-2", units=12.5))[1] == second
    assert (await city.rides(minutes["code"], "redeem", "noa", "trip-3", units=1))[0] == 409
    assert await city.completes_ride("mia", minutes["code"], "trip-4", None) == []
    [kept] = await city.app.store.quarantined()
    assert "no units: what the mapping takes it from is missing or blank in the message" in kept.reason

    [last] = await city.completes_ride("mia", minutes["code"], "trip-5", 40)
    assert (last["status"], last["action"]["left"], last["action"]["uses"][2]["units"]) == (
        "redeemed",
        0,
        25.5,
    )
    assert (await city.rides(minutes["code"], "redeem", "mia", "trip-6", units=1))[0] == 409


async def test_a_call_that_is_repeated_under_its_key_takes_nothing_more_and_is_answered_alike(
    city: City,
) -> None:
    minutes, _ = await city.buys_pass("mia")
    url = f"/v1/discounts/{minutes['code']}/redeem"

    async def asks(key: str, **body: Any) -> tuple[int, Any]:
        answer = await city.http.post(url, json=body, headers={"Idempotency-Key": key})
        return answer.status_code, answer.json()

    first = await asks("minute-1", units=1)
    assert (await asks("minute-2", units=1))[1]["action"]["left"] == 58
    assert await asks("minute-1", units=1) == first
    refused = await asks("minute-3", units=1, source_id="noa")
    assert refused[0] == 409
    assert await asks("minute-3", units=1, source_id="noa") == refused
    another = await asks("minute-3", units=1, source_id="mia")
    assert another[1]["action"]["left"] == 57, "another body is another call"
    assert await asks("minute-3", units=1, source_id="mia") == another
    assert (await city.http.get(f"/v1/discounts/{minutes['code']}")).json()["action"]["left"] == 57


async def test_unused_units_of_a_pass_expire_and_used_ones_stay_counted(city: City) -> None:
    for rider in ("mia", "noa"):
        minutes, _ = await city.buys_pass(rider)
        await city.rides(minutes["code"], "redeem", rider, f"trip-of-{rider}", units=1)
    city.now += timedelta(hours=48)
    async with asyncio.timeout(15):
        while await city.app.store.lapsed(city.now, 9):  # noqa: ASYNC110 - the sweep tells nobody
            await asyncio.sleep(0.05)
    assert (await city.rides(minutes["code"], "redeem", "noa", "trip-9", units=1))[0] == 409
    assert await city.holds("noa") == {"minutes": "expired", "unlocks": "expired"}
    assert [each["action"]["unit_type"] for each in await city.buys_pass("oli")] == ["unlocks"]


async def test_unused_units_that_expire_are_free_for_the_next_rider(city: City) -> None:
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
