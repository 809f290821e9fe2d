"""A receiver that asked for a pause, mended and sent to again without a restart, on both engines."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.receiver import Receiver


def checkout(number: int) -> dict[str, Any]:
    return {"type": "track", "event": "Checkout Started", "messageId": f"m{number}", "userId": f"c{number}",
            "properties": {"value": 150, "currency": "USD"}}  # fmt: skip


async def sent(client: httpx.AsyncClient, number: int) -> set[str]:
    """Send a message that earns discounts, and return their codes."""
    answer = await client.post("/webhooks/segment", json=checkout(number))
    [result] = answer.json()["results"]
    return {each["code"] for each in result["discounts"]}


async def until(condition: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("way", ["api", "command"])
async def test_a_recovered_receiver_gets_deliveries_without_a_restart(
    start_server: Any, rules: Path, receiver: Receiver, store_url: str, way: str
) -> None:
    if way == "command" and store_url.startswith("sqlite"):
        pytest.skip("one process may use the file: the command names the call of the API")
    receiver.answer = "410 Gone"
    server = await asyncio.to_thread(start_server, rules=rules, store=store_url, **receiver.environ)
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        codes = await sent(client, 1)

        async def pauses() -> list[dict[str, str]]:
            return list((await client.get("/v1/deliveries/pauses")).json()["pauses"])

        await until(pauses)
        [pause] = await pauses()
        assert (pause["destination"], pause["reason"]) == ("webhook", "answered 410")
        refused = len(codes)
        receiver.answer = "204 No Content"
        codes |= await sent(client, 2)
        await asyncio.sleep(0.5)
        assert receiver.count == refused, "it is left alone"
        receiver.pushed.clear()
        if way == "api":
            # Each refused delivery asks for a pause, and the one that ends last stays.
            paused = await pauses()
            done = (await client.post("/v1/deliveries/retries")).json()
            assert (done["retried"], done["resumed"]) == (refused, paused)
        else:
            command = [
                sys.executable,
                "-m",
                "adapter.cli.main",
                "deliveries",
                "--retry-all",
                "--store",
                store_url,
            ]
            ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
            assert "webhook is sent to again; it was paused until" in ran.stdout

        async def pushed() -> bool:
            return receiver.pushed.keys() == codes

        await until(pushed)
        assert await pauses() == []
