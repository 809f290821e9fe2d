"""Segment's tracking API, as its SDKs use it."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adapter.web.tracking import KINDS

Connect = Callable[..., httpx.AsyncClient]
BATCH = {
    "batch": [{"type": "track", "event": "x", "userId": "u", "messageId": "m1"}],
    "sentAt": "2024-07-15T00:00:00Z",
}


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(text.encode()).decode()}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_single_call_is_taken_as_its_kind(kind: str, connect: Connect, services: Any) -> None:
    response = await connect().post(
        f"/v1/{kind}", json={"userId": "u", "previousId": "p", "groupId": "g", "event": "x"}
    )
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert services.taken[0].messages[0].document["type"] == kind


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/import", "/v1/batch/"])
async def test_a_gzip_batch_is_taken(path: str, connect: Connect, services: Any) -> None:
    body = gzip.compress(json.dumps(BATCH).encode())
    response = await connect().post(path, content=body, headers={"content-encoding": "gzip"})
    assert response.json() == {"success": True}
    assert services.taken[0].messages[0].document["event"] == "x"


@pytest.mark.parametrize(
    ("headers", "extra", "status"),
    [
        (basic("key:"), {}, 200),
        (basic("key"), {}, 200),
        (basic("other:"), {}, 200),
        (basic("wrong:"), {}, 403),
        (basic("wrong:"), {"writeKey": "key"}, 403),
        ({"authorization": "Basic ???"}, {}, 403),
        ({}, {"writeKey": "key"}, 200),
        ({"authorization": "Bearer token"}, {"writeKey": "key"}, 200),
        ({}, {"writeKey": "wrong"}, 403),
        ({}, {"writeKey": 7}, 401),
        ({}, {}, 401),
        (basic(":"), {}, 401),
    ],
)
async def test_the_write_key_is_taken_from_the_header_or_the_body(
    headers: dict[str, str], extra: dict[str, Any], status: int, connect: Connect, services: Any
) -> None:
    response = await connect(segment__write_keys=("key", "other")).post(
        "/v1/batch", json=BATCH | extra, headers=headers
    )
    assert response.status_code == status
    assert len(services.taken) == (status == 200)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"batch":[{}]}', 401),
        (b'{"batch":[{}],"writeKey":"wrong"}', 403),
        (b'{"batch":[{"note":"\\ud800"}],"writeKey":"wrong"}', 403),
        (b'{"batch":[{"note":"\\ud800"}]}', 401),
        (b'{"batch":[1e999,' + b"[]," * 30_000 + b"1]}", 401),
        (b'{"batch":[{"note":', 400),
        (b"[" * 5_000, 400),
    ],
    ids=["no key", "a wrong one", "wrong and half a pair", "half a pair", "much", "half a body", "brackets"],
)
async def test_without_a_valid_write_key_the_rest_of_the_body_is_not_read(
    body: bytes, status: int, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("adapter.sources.payloads.decode_items")
    response = await connect(segment__write_keys=("key",)).post("/v1/batch", content=body)
    assert response.status_code == status


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track"])
async def test_a_call_that_cannot_be_kept_as_text_is_kept_in_quarantine_under_its_key(
    path: str, connect: Connect, services: Any
) -> None:
    body = b'{"batch":[{"note":"\\ud800"}],"writeKey":"key"}'
    response = await connect(segment__write_keys=("key",)).post(path, content=body)
    assert (response.status_code, len(services.taken[0].quarantined)) == (200, 1)


async def test_a_bad_call_is_quarantined_and_answered_with_success(connect: Connect, services: Any) -> None:
    response = await connect().post("/v1/batch", json={"batch": [7, BATCH["batch"][0]]})
    assert (response.status_code, response.json()) == (200, {"success": True})
    assert (len(services.taken[0].messages), len(services.taken[0].quarantined)) == (1, 1)
