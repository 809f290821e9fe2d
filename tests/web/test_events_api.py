"""mParticle's Events API, as its SDKs use it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adapter.errors import Unavailable

Connect = Callable[..., httpx.AsyncClient]
BATCH = {"events": [{"event_type": "custom_event", "data": {"event_name": "x", "source_message_id": "m"}}],
         "user_identities": {"customer_id": "u"}, "environment": "production"}  # fmt: skip


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(text.encode()).decode()}


@pytest.mark.parametrize(("path", "body"), [("/v2/events", BATCH), ("/v2/bulkevents", [BATCH, BATCH])])
async def test_batches_are_accepted_with_an_empty_202(
    path: str, body: Any, connect: Connect, services: Any
) -> None:
    response = await connect().post(path, json=body)
    assert (response.status_code, response.content) == (202, b"")
    assert services.taken[0].messages


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [({}, 401, "UNAUTHORIZED"), (basic("key:wrong"), 403, "FORBIDDEN"), (basic("key"), 403, "FORBIDDEN")],
)
async def test_wrong_credentials_are_answered_as_mparticle_does(
    headers: dict[str, str], status: int, code: str, connect: Connect, services: Any
) -> None:
    response = await connect(mparticle__api_keys=("key:secret",)).post(
        "/v2/events", json=BATCH, headers=headers
    )
    assert response.status_code == status
    [error] = response.json()["errors"]
    assert error["code"] == code
    assert not services.taken


async def test_key_and_secret_are_accepted(connect: Connect) -> None:
    client = connect(mparticle__api_keys=("old:one", "key:se:cret"))
    assert (await client.post("/v2/events", json=BATCH, headers=basic("key:se:cret"))).status_code == 202


async def test_a_body_that_is_no_json_is_a_bad_request(connect: Connect) -> None:
    response = await connect().post("/v2/events", content=b"nope")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "BAD_REQUEST")


async def test_overload_has_retry_after(connect: Connect, services: Any) -> None:
    services.error = Unavailable("too many messages are queued")
    response = await connect().post("/v2/events", json=BATCH)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json() == {
        "errors": [{"code": "SERVICE_UNAVAILABLE", "message": "too many messages are queued"}]
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("POST", "/v2/event", 404, "NOT_FOUND"), ("POST", "/v2/bulkevents/historical", 404, "NOT_FOUND"),
     ("GET", "/v2/", 404, "NOT_FOUND"), ("GET", "/v2/events", 405, "METHOD_NOT_ALLOWED")],
)  # fmt: skip
async def test_an_unknown_path_is_answered_as_mparticle_does(
    method: str, path: str, status: int, code: str, connect: Connect
) -> None:
    response = await connect().request(method, path)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (status, code)
