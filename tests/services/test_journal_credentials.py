"""What the journal has of calls over HTTP: nothing of those that fail authentication, and no credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha1
from hmac import digest
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapter import app
from adapter.app import App
from adapter.model.encoding import encode
from adapter.settings.fields import Keys, build

ROOT = Path(__file__).parents[2]
SECRET, TOKEN, KEY = "shared-4711", "token-4712", "write-4713"
CALL: dict[str, Any] = {"type": "track", "event": "Checkout Started", "userId": "ann", "messageId": "m"}
CONTEXT = {"Content-Type": "application/json", "X-Api-Key": "header-4714"}


@pytest.fixture
async def server() -> AsyncIterator[App]:
    settings: dict[Keys, Any] = {
        ("files", "mappings"): str(ROOT / "mappings"),
        ("files", "rules"): str(ROOT / "rules"),
        ("store", "url"): "sqlite:///:memory:",
        ("segment", "shared_secrets"): (SECRET,),
        ("segment", "write_keys"): (KEY,),
        ("mparticle", "authorizations"): (f"Bearer {TOKEN}",),
    }
    composed = app.compose(build(settings))
    async with composed.working():
        yield composed


async def post(server: App, path: str, body: bytes, **headers: str) -> int:
    transport = httpx.ASGITransport(server.asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example.com") as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return (await client.post(path, content=body, headers=CONTEXT | named)).status_code


async def recorded(server: App) -> list[Any]:
    return [entry for row in await server.store.journal() for entry in row.entries()]


async def test_calls_that_fail_authentication_leave_nothing(server: App) -> None:
    body = encode(CALL)
    assert await post(server, "/webhooks/segment", body, x_signature="0" * 40) == 403
    assert await post(server, "/webhooks/mparticle", body, authorization="Bearer wrong") == 403
    assert await post(server, "/v1/batch", encode({"batch": [CALL], "writeKey": "wrong"})) == 403
    signature = digest(SECRET.encode(), body, sha1).hex()
    assert await post(server, "/webhooks/segment", body, x_signature=signature) == 200
    assert [(each.source, each.message_id) for each in await recorded(server)] == [("segment", "m")]


async def test_recorded_messages_and_refused_bodies_have_no_credentials(server: App) -> None:
    body = encode({"batch": [CALL], "writeKey": KEY})
    assert await post(server, "/v1/batch", body) == 200
    refused = encode({"batch": 7, "writeKey": KEY})
    assert await post(server, "/v1/batch", refused) == 400
    assert await post(server, "/webhooks/mparticle", b"[", authorization=f"Bearer {TOKEN}") == 400
    other = encode(CALL | {"messageId": "n"})
    signature = digest(SECRET.encode(), other, sha1).hex()
    assert await post(server, "/webhooks/segment", other, x_signature=signature) == 200
    found = await recorded(server)
    assert sorted(each.outcome for each in found) == ["processed", "processed", "refused", "refused"]
    text = " ".join(f"{each} {each.document.decode()}" for each in found)
    assert "***" in text  # what is left of the refused body
    for credential in (SECRET, TOKEN, KEY, signature, "header-4714"):
        assert credential not in text
