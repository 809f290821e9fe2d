"""While no secret is set, programs on this machine may call, and pages of other sites may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

TRACK = {"type": "track", "event": "Order Completed", "messageId": "m-1", "userId": "u"}
OURS = "127.0.0.1:8000"
#: Every endpoint that is open while no secret is set.
ENDPOINTS = [
    ("POST", "/webhooks/segment"),
    ("POST", "/webhooks/mparticle"),
    ("POST", "/webhooks/mparticle/firehose"),
    ("POST", "/v1/track"),
    ("POST", "/v1/b"),
    ("POST", "/v1/m"),
    ("POST", "/v2/events"),
    ("GET", "/metrics"),
    ("GET", "/v1/discounts/HV15-8K2F"),
    ("GET", "/v1/customers/u"),
    ("GET", "/v1/customers/u/events"),
    ("GET", "/v1/customers/u/discounts"),
    ("GET", "/v1/customers/u/export"),
    ("DELETE", "/v1/customers/u"),
    ("GET", "/v1/decisions?source_id=u"),
    ("GET", "/v1/ignored"),
    ("GET", "/v1/quarantine"),
    ("POST", "/v1/discounts/HV15-8K2F/apply"),
]
#: Headers that browsers send for pages of other sites.
FOREIGN = {
    "a name that leads here": {"Host": "rebound.evil.test:8000"},
    "a name that begins like ours": {"Host": "127.0.0.1.evil.test"},
    "a name that ends like ours": {"Host": "evil-localhost"},
    "another address": {"Host": "192.168.0.7:8000"},
    "no name": {"Host": ""},
    "another origin": {"Host": OURS, "Origin": "https://evil.test"},
    "no origin": {"Host": OURS, "Origin": "null"},
    "another port": {"Host": OURS, "Origin": "http://127.0.0.1:9000"},
    "an origin that begins like ours": {"Host": "127.0.0.1", "Origin": "http://127.0.0.1.evil.test"},
    "another site": {"Host": OURS, "Sec-Fetch-Site": "cross-site"},
    "another part of a site": {"Host": OURS, "Sec-Fetch-Site": "same-site"},
    "both": {"Host": OURS, "Origin": f"http://{OURS}", "Sec-Fetch-Site": "cross-site"},
    "a form": {"Host": OURS, "Content-Type": "text/plain"},
    "a form with a charset": {"Host": OURS, "Content-Type": "Text/Plain;charset=UTF-8"},
}
LOCAL = {
    "curl": {"Host": OURS},
    "a name": {"Host": "localhost:8000"},
    "a name in capitals": {"Host": "LOCALHOST"},
    "a name with its root": {"Host": "localhost.:8000"},
    "a name below localhost": {"Host": "shop.localhost:8000"},
    "IPv6": {"Host": "[::1]:8000"},
    "another loopback address": {"Host": "127.4.5.6:1"},
    "an address typed by hand": {"Host": OURS, "Sec-Fetch-Site": "none"},
    "our own page": {"Host": OURS, "Origin": f"http://{OURS}", "Sec-Fetch-Site": "same-origin"},
    "curl without a type": {"Host": OURS, "Content-Type": "application/x-www-form-urlencoded"},
    "a type with a charset": {"Host": OURS, "Content-Type": "application/json; charset=utf-8"},
}


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_a_page_of_another_site_is_rejected_at_every_endpoint(
    connect: Callable[..., httpx.AsyncClient],
    services: Any,
    method: str,
    path: str,
    headers: dict[str, str],
) -> None:
    response = await connect().request(method, path, json=TRACK, headers=headers)
    assert response.status_code == 403
    assert (services.taken, services.moves, services.erased) == ([], [], [])


@pytest.mark.parametrize("headers", LOCAL.values(), ids=LOCAL)
async def test_programs_of_this_machine_are_served(
    connect: Callable[..., httpx.AsyncClient], services: Any, headers: dict[str, str]
) -> None:
    client = connect()
    for path in ("/webhooks/segment", "/v1/track", "/v1/discounts/HV15-8K2F/apply"):
        assert (await client.post(path, json=TRACK if path[1] == "w" else {}, headers=headers)).is_success
    assert (await client.get("/v1/customers/u", headers=headers)).is_success
    assert len(services.taken) == 2


async def test_with_a_secret_only_the_secret_counts(
    connect: Callable[..., httpx.AsyncClient],
) -> None:
    client = connect(api__tokens=("t",), segment__write_keys=("wk",))
    for headers in FOREIGN.values():
        shown = {**headers, "Authorization": "Bearer t"}
        assert (await client.get("/v1/customers/u", headers=shown)).is_success
        keyed = {**headers, "Content-Type": "text/plain"}
        assert (await client.post("/v1/track", json={**TRACK, "writeKey": "wk"}, headers=keyed)).is_success
        assert (await client.get("/v1/customers/u", headers=headers)).status_code == 401


async def test_a_listed_origin_may_call_only_the_tracking_paths(
    connect: Callable[..., httpx.AsyncClient], services: Any
) -> None:
    client = connect(segment__browser_origins=("https://shop.test",))
    page = {"Origin": "https://shop.test", "Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}
    for path in ("/v1/t", "/v1/track", "/v1/m"):
        assert (await client.post(path, json=TRACK, headers=page)).status_code == 200
        assert (await client.post(path, json=TRACK, headers={**page, "Host": "x.test"})).status_code == 403
    assert (await client.post("/webhooks/segment", json=TRACK, headers=page)).status_code == 403
    assert (await client.get("/v1/customers/u", headers={"Origin": "https://shop.test"})).status_code == 403
    assert len(services.taken) == 2
