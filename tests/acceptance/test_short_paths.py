"""Mobile libraries and analytics.js call short paths, as they send it over HTTP."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

ORIGIN = "https://shop.test"
BASIC = {"Authorization": "Basic d2sxOg=="}
#: What each library sends besides: analytics.js and Kotlin call their JSON plain text.
ANALYTICS_JS = {"Content-Type": "text/plain", "Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}
SWIFT = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "analytics-ios/1.5.11"}
KOTLIN = {"Content-Type": "text/plain", "Content-Encoding": "gzip", "User-Agent": "analytics-kotlin/1.16.3"}
CHECKOUT = {"value": 145.75, "currency": "USD", "shipping_country": "US"}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory, fork_launch: Any) -> Any:
    """A server with a write key and a listed origin."""
    from tests.acceptance.conftest import servers

    environ = {"ADAPTER_SEGMENT_WRITE_KEYS": "wk1, wk2", "ADAPTER_SEGMENT_BROWSER_ORIGINS": ORIGIN,
               "ADAPTER_API_TOKENS": "t"}  # fmt: skip
    with servers(tmp_path_factory.mktemp("keyed"), fork_launch) as start:
        yield start(**environ)


def track(who: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "track", "event": "Checkout Started", "messageId": f"m-{who}", "userId": who,
        "anonymousId": f"a-{who}", "properties": CHECKOUT, **more,
    }  # fmt: skip


def held(shop: Any, who: str) -> list[Any]:
    answer = httpx.get(f"{shop.url}/v1/customers/{who}/discounts", headers={"Authorization": "Bearer t"})
    return list(answer.json()["discounts"])


def kept(shop: Any, who: str) -> dict[str, Any]:
    answer = httpx.get(f"{shop.url}/v1/customers/{who}", headers={"Authorization": "Bearer t"})
    assert answer.status_code == 200
    return dict(answer.json())


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import"])
@pytest.mark.parametrize("library", ["swift", "kotlin", "analytics.js", "basic"])
def test_a_batch_earns_the_same_by_every_path_and_library(keyed: Any, path: str, library: str) -> None:
    who = f"{library}{path[4:]}"
    body = {"batch": [track(who)], "writeKey": "wk1", "sentAt": "2026-11-29T12:00:00.000Z"}
    headers = {"swift": SWIFT, "kotlin": KOTLIN, "analytics.js": ANALYTICS_JS, "basic": BASIC}[library]
    content = json.dumps(body).encode()
    content = gzip.compress(content) if library == "kotlin" else content
    answer = httpx.post(keyed.url + path, content=content, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert len(held(keyed, who)) == 1
    assert ("access-control-allow-origin" in answer.headers) == (library == "analytics.js")


def test_analytics_js_calls_each_kind_by_its_first_letter(keyed: Any) -> None:
    calls: dict[str, dict[str, Any]] = {
        "i": {"type": "identify", "traits": {"email": "ada@shop.test"}},
        "g": {"type": "group", "groupId": "team", "traits": {"plan": "gold"}},
        "p": {"type": "page", "name": "Cart", "properties": {"path": "/cart"}},
        "s": {"type": "screen", "name": "Cart"},
        "t": track("web"),
        "a": {"type": "alias", "previousId": "a-web"},
    }
    for letter, call in calls.items():
        body = {"messageId": f"ajs-{letter}", "userId": "web", "writeKey": "wk2",
                "sentAt": "2026-11-29T12:00:00.000Z", "_metadata": {"bundled": []}, **call}  # fmt: skip
        answer = httpx.post(f"{keyed.url}/v1/{letter}", content=json.dumps(body), headers=ANALYTICS_JS)
        assert (letter, answer.status_code) == (letter, 200)
        assert answer.headers["access-control-allow-origin"] == ORIGIN
    customer = kept(keyed, "web")
    assert (customer["email"], customer["groups"]) == ("ada@shop.test", {"team": {"plan": "gold"}})
    assert len(held(keyed, "web")) == 1
    events = httpx.get(f"{keyed.url}/v1/customers/web/events", headers={"Authorization": "Bearer t"}).json()
    names = {event["name"] for event in events["events"]}
    assert names == {"checkout_started", "page_viewed", "screen_viewed"}


def test_metrics_of_analytics_js_are_answered_and_ignored(keyed: Any) -> None:
    series = [{"type": "Counter", "metric": "analytics_js.invoke", "value": 1, "tags": {"library": "x"}}]
    for content in (json.dumps({"series": series}), "{", ""):
        answer = httpx.post(f"{keyed.url}/v1/m", content=content, headers=ANALYTICS_JS)
        assert (answer.status_code, answer.json()) == (200, {"success": True})


@pytest.mark.parametrize("path", ["/v1/b", "/v1/t", "/v1/i"])
def test_a_short_path_asks_for_the_write_key(keyed: Any, path: str) -> None:
    for key, status in (("no", 403), (None, 401)):
        body = track("nobody") | ({"writeKey": key} if key else {}) | {"batch": []}
        assert httpx.post(keyed.url + path, json=body, headers=ANALYTICS_JS).status_code == status


def test_rudderstacks_sdks_are_understood(keyed: Any) -> None:
    moment = (
        (datetime.now(UTC) - timedelta(hours=2)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
    call = {"channel": "web", "originalTimestamp": moment, "sentAt": datetime.now(UTC).isoformat(),
            "context": {"traits": {"email": "rud@shop.test"}}, "integrations": {"All": True}}  # fmt: skip
    headers = BASIC | {"AnonymousId": "YS1ydWQ=", "Origin": ORIGIN, "Content-Type": "application/json"}
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "anonymousid,authorization,content-type"}  # fmt: skip
    for path, who in (("/v1/track", "rud-1"), ("/v1/batch", "rud-2")):
        preflight = httpx.options(keyed.url + path, headers=asked)
        assert preflight.headers["access-control-allow-headers"] == asked["Access-Control-Request-Headers"]
        item = track(who) | call
        body = {"batch": [item], "sentAt": call["sentAt"]} if path.endswith("batch") else item
        assert httpx.post(keyed.url + path, json=body, headers=headers).json() == {"success": True}
        assert len(held(keyed, who)) == 1
        shown = {"Authorization": "Bearer t"}
        [event] = httpx.get(f"{keyed.url}/v1/customers/{who}/events", headers=shown).json()["events"]
        assert datetime.fromisoformat(event["occurred_at"]) == datetime.fromisoformat(moment)


def test_a_preflight_over_the_wire(keyed: Any) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    granted = httpx.options(f"{keyed.url}/v1/track", headers=asked)
    refused = httpx.options(f"{keyed.url}/v1/track", headers=asked | {"Origin": "https://evil.test"})
    assert (granted.status_code, granted.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (403, False)


def test_without_a_secret_a_foreign_page_is_refused_over_the_wire(shop: Any) -> None:
    for headers in ({"Host": f"evil.test:{shop.port}"}, {"Origin": "https://evil.test"}, ANALYTICS_JS):
        for method, path in (("POST", "/v1/t"), ("POST", "/webhooks/segment"), ("GET", "/v1/quarantine")):
            body = None if method == "GET" else json.dumps(track("rebound"))
            answer = httpx.request(method, shop.url + path, content=body, headers=headers)
            assert (path, answer.status_code) == (path, 403)
    assert httpx.get(f"{shop.url}/v1/customers/rebound").status_code == 404
