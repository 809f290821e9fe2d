"""Customers found by their own email address, over a composed server."""

from __future__ import annotations

from pathlib import Path

import httpx

from adapter import app
from adapter.settings.values import Settings, Store


async def test_an_address_in_any_spelling_finds_whose_own_it_is(tmp_path: Path) -> None:
    composed = app.compose(Settings(store=Store(url=f"sqlite:///{tmp_path / 'adapter.db'}")))
    transport = httpx.ASGITransport(composed.asgi)
    ann = {"type": "identify", "userId": "ann", "messageId": "1", "traits": {"email": "Ann@Example.org"}}
    friend = {
        "type": "track", "event": "Invited", "userId": "bob", "messageId": "2",
        "properties": {"friend": "ann@example.org"},
    }  # fmt: skip
    async with (
        composed.running(),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        for message in (ann, friend):
            await client.post("/webhooks/segment", json=message)
        found = await client.get("/v1/customers", params={"email": "ANN@example.org"})
        assert [each["source_id"] for each in found.json()["customers"]] == ["ann"]
        assert (await client.get("/v1/customers", params={"email": "ann"})).status_code == 400
        # An unknown customer cannot be read, and can be erased.
        assert (await client.get("/v1/customers/nobody")).status_code == 404
        assert (await client.delete("/v1/customers/nobody")).status_code == 200
