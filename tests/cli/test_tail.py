"""`adapter tail`: what arrives, filtered, with outcomes and reasons."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from adapter import app
from adapter.cli.main import commands
from adapter.services.arrivals.filters import MessageFilter
from adapter.services.arrivals.following import arrivals
from adapter.settings.values import Settings, Store
from adapter.store.engines import open_store

SENT: list[dict[str, Any]] = [
    {
        "type": "track",
        "event": "Checkout Started",
        "userId": "ann",
        "messageId": "m-1",
        "properties": {"value": 9},
    },
    {"type": "track", "event": "Order Completed", "userId": "bob", "messageId": "m-2", "properties": {}},
    {"type": "track", "event": "Order Completed", "messageId": "m-3"},
]


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path / 'adapter.db'}"
    asyncio.run(send(made, *SENT))
    return made


async def send(url: str, *messages: dict[str, Any]) -> None:
    composed = app.compose(Settings(store=Store(url=url)))
    transport = httpx.ASGITransport(composed.asgi)
    async with (
        composed.running(),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        for message in messages:
            await client.post("/webhooks/segment", json=message)


def tail(url: str, *arguments: str) -> Result:
    result = CliRunner().invoke(
        commands, ["tail", "--since", "1h", "--no-follow", "--store", url, *arguments]
    )
    assert result.exit_code == 0, result.output
    return result


def test_each_message_is_shown_with_its_outcome_and_reason(url: str) -> None:
    first, _, third = tail(url).stdout.splitlines()
    assert first.endswith("segment   processed   track Checkout Started ann  m-1")
    assert "quarantined track Order Completed -  m-3  (" in third or "m-3  (" in third


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (("--outcome", "quarantined"), ["m-3"]),
        (("--event", "order_completed"), ["m-2", "m-3"]),
        (("--customer", "ann"), ["m-1"]),
        (("--source", "mparticle"), []),
        (("--count", "2"), ["m-1", "m-2"]),
    ],
)
def test_filters(arguments: tuple[str, ...], ids: list[str], url: str) -> None:
    shown = [json.loads(line) for line in tail(url, "--json", *arguments).stdout.splitlines()]
    assert [each["message_id"] for each in shown] == ids


async def test_without_since_only_what_arrives_afterwards_is_shown_each_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'adapter.db'}"
    await send(url, SENT[0])
    store = open_store(url)
    following = arrivals(store, MessageFilter(), 0.01)
    try:
        first = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.05)
        assert not first.done()
        await send(url, SENT[1], SENT[2])
        assert [(await first).message_id, (await anext(following)).message_id] == ["m-2", "m-3"]
        more = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.05)
        assert not more.done()
        more.cancel()
    finally:
        await store.close()


def test_it_says_that_it_waits_beside_what_it_shows(url: str) -> None:
    result = tail(url, "--follow", "--count", "1")
    assert result.stderr == "waiting for messages, until Ctrl+C\n"
    assert "m-1" in result.stdout


def test_an_unknown_outcome_is_refused(url: str) -> None:
    result = CliRunner().invoke(commands, ["tail", "--outcome", "lost", "--store", url])
    assert result.exit_code == 2
    assert "`lost` is no outcome" in " ".join(result.stderr.split())
