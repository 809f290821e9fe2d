"""While no secret is set, a proxy on this machine does not open the endpoints to others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Connect = Callable[..., httpx.AsyncClient]
ENDPOINTS = {
    ("POST", "/webhooks/segment"): "SEGMENT_SHARED_SECRETS",
    ("POST", "/webhooks/mparticle"): "MPARTICLE_AUTHORIZATIONS",
    ("POST", "/webhooks/mparticle/firehose"): "MPARTICLE_AUTHORIZATIONS",
    ("POST", "/v1/batch"): "SEGMENT_WRITE_KEYS",
    ("POST", "/v1/track"): "SEGMENT_WRITE_KEYS",
    ("POST", "/v2/events"): "MPARTICLE_API_KEYS",
    ("POST", "/v1/discounts/HV15-8K2F/redeem"): "API_TOKENS",
    ("DELETE", "/v1/customers/u"): "API_TOKENS",
    ("GET", "/metrics"): "API_TOKENS",
}
HEADERS = ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
async def test_requests_through_a_proxy_are_refused_with_the_setting_to_change(
    method: str, path: str, connect: Connect, services: Any
) -> None:
    response = await connect().request(method, path, headers={"X-Forwarded-For": "203.0.113.9"})
    assert response.status_code == 403
    assert "x-forwarded-for" in response.text
    assert f"ADAPTER_{ENDPOINTS[method, path]}" in response.text
    assert (services.taken, services.moves, services.erased) == ([], [], [])


@pytest.mark.parametrize("header", HEADERS)
async def test_a_proxy_is_recognised_by_its_headers(header: str, connect: Connect, services: Any) -> None:
    client = connect()
    assert (await client.delete("/v1/customers/u", headers={header: "x"})).status_code == 403
    assert not services.erased
    assert (await client.delete("/v1/customers/u")).status_code == 200


async def test_requests_through_a_proxy_are_taken_with_the_secret(connect: Connect) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9", "Authorization": "Bearer token"}
    response = await connect(api__tokens=("token",)).delete("/v1/customers/u", headers=headers)
    assert response.status_code == 200


async def test_a_proxy_may_read_health(connect: Connect) -> None:
    response = await connect().get("/health/live", headers={"X-Forwarded-For": "203.0.113.9"})
    assert response.status_code == 200
