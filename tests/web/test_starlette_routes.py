"""What all routes that Starlette serves have in common: tokens, strict queries, and the form of errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adapter.errors import StoreUnavailable, Unavailable, Unreadable
from adapter.web.query_string import require_exact
from adapter.web.route import ApiRoute
from adapter.web.routes import ROUTES

Connect = Callable[..., httpx.AsyncClient]
CODE = "HV15-8K2F"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"authorization": "Bearer wrong"}, 403), ({"authorization": "Basic new"}, 401),
     ({"authorization": "Bearer new"}, 200), ({"authorization": "bearer  old"}, 200)],
)  # fmt: skip
@pytest.mark.parametrize("path", [f"/v1/discounts/{CODE}", "/v1/customers/u", "/v1/quarantine", "/metrics"])
async def test_the_api_accepts_each_configured_token_and_no_other(
    path: str, headers: dict[str, str], status: int, connect: Connect
) -> None:
    response = await connect(api__tokens=("new", "old")).get(path, headers=headers)
    assert response.status_code == status
    assert status != 401 or "Bearer" in response.headers["www-authenticate"]


async def test_the_api_is_disabled_when_only_other_endpoints_have_secrets(connect: Connect) -> None:
    response = await connect(segment__shared_secrets=("secret",)).get(f"/v1/discounts/{CODE}")
    assert response.status_code == 403
    assert "ADAPTER_API_TOKENS" in response.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not_found"), ("DELETE", f"/v1/discounts/{CODE}", 405, "method_not_allowed"),
     ("GET", f"/v1/discounts/{CODE}/apply", 405, "method_not_allowed"),
     ("GET", "/v1/discounts/%00", 404, "not_found"), ("GET", f"/v1/discounts/{CODE}%0A", 404, "not_found"),
     ("GET", "/health/live%0A", 404, "not_found"), ("GET", "/v1/quarantine%0A", 404, "not_found")],
)  # fmt: skip
async def test_every_404_has_the_same_shape(
    method: str, path: str, status: int, code: str, connect: Connect
) -> None:
    response = await connect().request(method, path)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_an_unavailable_store_is_a_503_with_retry_after(connect: Connect, services: Any) -> None:
    services.error = Unavailable("the store is locked", retry_after=3)
    response = await connect().get(f"/v1/discounts/{CODE}")
    assert (response.status_code, response.headers["retry-after"]) == (503, "3")


async def test_responses_do_not_show_the_url_of_the_store(connect: Connect, services: Any) -> None:
    services.error = StoreUnavailable("the store postgresql://adapter@db1/adapter cannot be used now")
    response = await connect().get(f"/v1/discounts/{CODE}")
    assert response.json()["error"] == {"code": "unavailable", "message": "the store cannot be used now"}


async def test_an_unexpected_error_quotes_no_input(
    connect: Connect, services: Any, caplog: pytest.LogCaptureFixture
) -> None:
    services.error = KeyError("jane@example.com")
    response = await connect().get(f"/v1/discounts/{CODE}")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "unexpected")
    assert "jane" not in response.text
    assert "unexpected error" in caplog.text


@pytest.mark.parametrize(
    "query",
    ["source_id=%FF", "source_id=u1&event_id=%FF", "source_id=u1&before=1%FF", "source_id=%ED%A0%80", "%FF=u",
     "source_id=u1%C3", "source_id=u1&other=%C3%28", "source_id=u1&source_id=u2", "source_id=u1&a=&a=1"],
)  # fmt: skip
async def test_every_api_route_rejects_a_query_that_does_not_decode_exactly(
    query: str, connect: Connect, services: Any
) -> None:
    client = connect()
    routes = [route for route in ROUTES if isinstance(route, ApiRoute)]
    for route in routes:
        path = re.sub(r"{.*?}", "x", route.path)
        response = await client.request(route.method, f"{path}?{query}")
        error = response.json()
        code, known = error["error"]["code"] if "error" in error else "", "unreadable"
        if path.startswith("/voucherify/"):
            code, known = error["key"], "invalid_payload"
        assert (response.status_code, code) == (400, known), path
    assert (len(routes) >= 12, services.erased, services.moves) == (True, [], [])


def test_a_query_of_raw_bytes_that_are_not_utf_8_is_rejected() -> None:
    with pytest.raises(Unreadable):
        require_exact(b"source_id=\xff")
    require_exact("source_id=ü&event_id=%C3%BC&before=".encode())
