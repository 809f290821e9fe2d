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
    answer = await connect().post(
        f"/v1/{kind}", json={"userId": "u", "previousId": "p", "groupId": "g", "event": "x"}
    )
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert services.taken[0].messages[0].document["type"] == kind


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/import", "/v1/batch/"])
async def test_a_gzip_batch_is_taken(path: str, connect: Connect, services: Any) -> None:
    body = gzip.compress(json.dumps(BATCH).encode())
    answer = await connect().post(path, content=body, headers={"content-encoding": "gzip"})
    assert answer.json() == {"success": True}
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
async def test_the_write_key_stands_in_the_header_or_in_the_body(
    headers: dict[str, str], extra: dict[str, Any], status: int, connect: Connect, services: Any
) -> None:
    answer = await connect(segment__write_keys=("key", "other")).post(
        "/v1/batch", json=BATCH | extra, headers=headers
    )
    assert answer.status_code == status
    assert len(services.taken) == (status == 200)


async def test_a_bad_call_is_kept_and_the_sender_told_success(connect: Connect, services: Any) -> None:
    answer = await connect().post("/v1/batch", json={"batch": [7, BATCH["batch"][0]]})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert (len(services.taken[0].messages), len(services.taken[0].quarantined)) == (1, 1)
