"""Servers killed in the middle of redemptions and rollbacks: a call repeated under its key books once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.slow
RULES = """
rules:
  - name: summer
    action: {type: amount_off, value: 1, currency: EUR, code: SUMMER}
    guardrails: {stackable: true, max_total_redemptions: 40, budget: {currency: EUR, total: 40}}
"""
ORDER = {"currency": "EUR", "lines": [{"id": "1", "quantity": 1, "unit_price": "10.00"}]}
CALLS = 40
ASKED = {"codes": ["SUMMER"], "order": ORDER}


class Caller:
    """Sends each call until it is answered, under the call\'s own key, as a checkout does after a timeout."""

    def __init__(self, servers: list[Any]) -> None:
        self._servers = servers
        self.answers: dict[str, list[bytes]] = {}
        self.cut = 0
        #: Calls wait for their turn, so that some are on their way whenever a server is killed.
        self._turns = asyncio.Semaphore(8)

    async def answered(self, count: int) -> None:
        """Wait until so many calls are answered."""
        while len(self.answers) < count:  # noqa: ASYNC110 - the calls tell nobody
            await asyncio.sleep(0.001)

    async def call(self, http: httpx.AsyncClient, at: int, path: str, key: str, body: Any) -> dict[str, Any]:
        while True:
            try:
                url = self._servers[at % len(self._servers)].url + path
                async with self._turns:
                    response = await http.post(url, json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                self.cut += 1
                await asyncio.sleep(0.05)
                continue
            if response.status_code == 200:
                self.answers.setdefault(key, []).append(response.content)
                found: dict[str, Any] = response.json()
                return found
            assert response.status_code == 503, response.text
            await asyncio.sleep(0.05)


async def test_what_was_redeemed_and_rolled_back_when_servers_were_killed_is_booked_once(
    store_url: str, tmp_path: Path, start_server: Callable[..., Any]
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "rules.yaml").write_text(RULES)
    count = 2 if store_url.startswith("postgres") else 1
    servers = [start_server(rules=folder, store=store_url) for _ in range(count)]
    caller = Caller(servers)
    async with httpx.AsyncClient(timeout=10) as http:

        async def redeem(n: int, key: str = "k") -> dict[str, Any]:
            return await caller.call(http, n, "/v1/redemptions", f"{key}{n}", ASKED)

        async def roll_back(n: int) -> dict[str, Any]:
            return await caller.call(http, n, f"/v1/redemptions/{ids[n]}/rollbacks", f"back{n}", {})

        booked = await asyncio.gather(killing(servers, caller), *map(redeem, range(CALLS)))
        ids = [found["id"] for found in booked[1:]]
        backs = await asyncio.gather(killing(servers, caller), *map(roll_back, range(CALLS // 2)))
        assert [(await redeem(n))["id"] for n in range(CALLS)] == ids
        assert [await roll_back(n) for n in range(CALLS // 2)] == backs[1:]
        assert all(len(set(answers)) == 1 for answers in caller.answers.values())
        assert caller.cut, "no call was in the middle when a server was killed"
        listed = servers[0].get("/v1/redemptions?code=SUMMER")["redemptions"]
        assert sorted(found["id"] for found in listed) == sorted(ids)
        states = [found["state"] for found in listed]
        assert (states.count("redeemed"), states.count("rolled_back")) == (CALLS // 2, CALLS // 2)
        [total] = servers[0].get("/v1/rules/summer/figures")["totals"]
        assert (total["redeemed"], total["redeemed_amount"]) == (CALLS, f"{CALLS}.00")
        assert (total["rolled_back"], total["rolled_back_amount"]) == (CALLS // 2, f"{CALLS // 2}.00")
        # As many uses and as much of the budget as came back can be taken again, and no more.
        await asyncio.gather(*(redeem(n, "more") for n in range(CALLS // 2)))
        last = await http.post(servers[0].url + "/v1/redemptions", json=ASKED)
        assert last.json()["error"]["reason"] == "usage_limit_reached"


async def killing(servers: list[Any], caller: Caller) -> None:
    """Kill each server in the middle of what it does, and start it again."""
    before = len(caller.answers)
    for number, server in enumerate(servers, 1):
        await caller.answered(before + 4 * number)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
