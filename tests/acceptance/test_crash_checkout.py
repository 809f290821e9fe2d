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
    guardrails: {stackable: true, max_total_redemptions: 1000, budget: {currency: EUR, total: 1000}}
"""
ORDER = {"currency": "EUR", "lines": [{"id": "1", "quantity": 1, "unit_price": "10.00"}]}
CALLS = 40


class Caller:
    """Sends each call until it is answered, under the call\'s own key, as a checkout does after a timeout."""

    def __init__(self, servers: list[Any]) -> None:
        self._servers = servers
        self.answers: dict[str, list[bytes]] = {}

    async def call(self, http: httpx.AsyncClient, at: int, path: str, key: str, body: Any) -> dict[str, Any]:
        while True:
            try:
                url = self._servers[at % len(self._servers)].url + path
                response = await http.post(url, json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
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
        booked = await asyncio.gather(
            killing(servers),
            *(
                caller.call(http, n, "/v1/redemptions", f"k{n}", {"codes": ["SUMMER"], "order": ORDER})
                for n in range(CALLS)
            ),
        )
        ids = [found["id"] for found in booked[1:]]
        await asyncio.gather(
            killing(servers),
            *(
                caller.call(http, n, f"/v1/redemptions/{id_}/rollbacks", f"back{n}", {})
                for n, id_ in enumerate(ids[: CALLS // 2])
            ),
        )
        again = [
            await caller.call(http, n, "/v1/redemptions", f"k{n}", {"codes": ["SUMMER"], "order": ORDER})
            for n in range(CALLS)
        ]
        listed = servers[0].get("/v1/redemptions?code=SUMMER")["redemptions"]
    assert [found["id"] for found in again] == ids
    assert all(len(set(answers)) == 1 for answers in caller.answers.values())
    assert sorted(found["id"] for found in listed) == sorted(ids)
    states = [found["state"] for found in listed]
    assert (states.count("redeemed"), states.count("rolled_back")) == (CALLS // 2, CALLS // 2)


async def killing(servers: list[Any]) -> None:
    """Kill each server in the middle of what it does, and start it again."""
    for server in servers:
        await asyncio.sleep(0.15)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
