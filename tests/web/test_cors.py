"""The tracking API from pages of listed origins, as browsers call it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from adapter.errors import Unavailable
from adapter.web.tracking import ROUTES

Connect = Callable[..., httpx.AsyncClient]
SHOP = "https://shop.test"
PREFLIGHT = {
    "Origin": SHOP,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "anonymousid,authorization,content-type",
}
TRACK = {"event": "x", "userId": "u", "messageId": "m", "writeKey": "wk"}


@pytest.fixture
def shop(connect: Connect) -> httpx.AsyncClient:
    return connect(segment__write_keys=("wk",), segment__browser_origins=(SHOP, "http://localhost:3000"))


def shared(response: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("path", [route.path for route in ROUTES])
async def test_a_preflight_of_a_listed_origin_is_granted(shop: httpx.AsyncClient, path: str) -> None:
    response = await shop.options(path, headers=PREFLIGHT)
    assert response.status_code == 200
    assert shared(response) == {
        "access-control-allow-origin": SHOP,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "anonymousid,authorization,content-type",
        "access-control-max-age": "7200",
        "access-control-expose-headers": "Retry-After",
    }
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.test", "http://shop.test", "https://shop.test:8443", "https://shop.test.evil.test",
     "https://evil-shop.test", "HTTPS://shop.test", "https://shop.test/", "null", "*", ""],
)  # fmt: skip
async def test_another_origin_is_granted_nothing(shop: httpx.AsyncClient, origin: str) -> None:
    refused = await shop.options("/v1/t", headers=PREFLIGHT | {"Origin": origin})
    assert (refused.status_code, shared(refused)) == (403, {})
    response = await shop.post("/v1/t", json=TRACK, headers={"Origin": origin})
    assert (response.status_code, shared(response), response.headers["vary"]) == (200, {}, "Origin")


async def test_errors_may_be_read_by_a_listed_page_too(shop: httpx.AsyncClient, services: object) -> None:
    page = {"Origin": SHOP, "Content-Type": "text/plain;charset=UTF-8"}
    wrong = await shop.post("/v1/t", json=TRACK | {"writeKey": "no"}, headers=page)
    services.error = Unavailable("later")  # type: ignore[attr-defined]
    late = await shop.post("/v1/b", json={"batch": [TRACK], "writeKey": "wk"}, headers=page)
    method = await shop.get("/v1/t", headers=page)
    assert [response.status_code for response in (wrong, late, method)] == [403, 503, 405]
    for response in (wrong, late, method):
        assert response.headers["access-control-allow-origin"] == SHOP
    assert int(late.headers["retry-after"]) >= 1


async def test_invalid_header_names_are_not_echoed(shop: httpx.AsyncClient) -> None:
    asked = PREFLIGHT | {"Access-Control-Request-Headers": "x\tset-cookie: a=b; (evil)"}
    assert "access-control-allow-headers" not in shared(await shop.options("/v1/t", headers=asked))


async def test_without_a_listed_origin_no_cors_header_is_sent(connect: Connect) -> None:
    client = connect(segment__write_keys=("wk",))
    preflight = await client.options("/v1/t", headers=PREFLIGHT)
    response = await client.post("/v1/t", json=TRACK, headers={"Origin": SHOP})
    assert (preflight.status_code, response.status_code) == (405, 200)
    for each in (preflight, response):
        assert (shared(each), "vary" in each.headers) == ({}, False)


@pytest.mark.parametrize("path", ["/webhooks/segment", "/v2/events", "/v1/customers/u", "/metrics"])
async def test_no_other_endpoint_accepts_preflights(shop: httpx.AsyncClient, path: str) -> None:
    preflight = await shop.options(path, headers=PREFLIGHT)
    response = await shop.get(path, headers={"Origin": SHOP})
    assert preflight.status_code == 405
    assert (shared(preflight), shared(response)) == ({}, {})
