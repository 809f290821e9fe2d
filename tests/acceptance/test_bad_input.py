"""Bad input gets its status and a clear message, and costs nothing that was good."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

MB = 1_000_000


def _track(**changes: Any) -> dict[str, Any]:
    call = {
        "type": "track",
        "event": "Product Viewed",
        "messageId": str(uuid.uuid4()),
        "userId": f"shopper-{uuid.uuid4()}",
        "timestamp": datetime.now(UTC).isoformat(),
        "properties": {"product_id": "p1"},
    }
    return call | changes


def _post(shop: Any, body: bytes | str, path: str = "/webhooks/segment") -> httpx.Response:
    content = body.encode() if isinstance(body, str) else body
    return httpx.post(shop.url + path, content=content, timeout=20)


UNREADABLE = {
    "nothing at all": b"",
    "not JSON": b"<event/>",
    "half a body": b'{"type": "track", "event',
    "not UTF-8": b'{"type": "\xff\xfe"}',
    "a number": b"12",
    "text": b'"track"',
    "NaN": b'{"type": "track", "userId": "u", "properties": {"value": NaN}}',
    "nesting without end": b'{"type": "track", "properties": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("path", ["/webhooks/segment", "/webhooks/mparticle", "/v1/track", "/v2/events"])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_parsed_is_400_and_says_why(shop: Any, path: str, body: bytes) -> None:
    answer = _post(shop, body, path)
    assert answer.status_code == 400, answer.text
    assert len(answer.json()) == 1, answer.text


@pytest.mark.parametrize("path", ["/webhooks/segment", "/webhooks/mparticle", "/v1/track", "/v2/events"])
def test_a_message_that_nests_too_deep_is_taken_and_waits_in_quarantine(shop: Any, path: str) -> None:
    deep = f'{{"type": "track", "properties": {"[" * 100_000}{"]" * 100_000}, "path": "{path}"}}'
    answer = _post(shop, deep, path)
    assert answer.status_code in (200, 202), answer.text
    [latest, *_] = httpx.get(f"{shop.url}/v1/quarantine").json()["quarantined"]
    assert latest["reason"] == "the JSON nests deeper than 64 levels"
    assert (latest["truncated"], latest["size"]) == (True, len(json.dumps(deep)))
    assert httpx.get(shop.url + latest["whole"]).json()["document"] == deep


def test_a_body_over_the_limit_is_413_and_names_the_limit(shop: Any) -> None:
    answer = _post(shop, json.dumps(_track(properties={"text": "x" * 10 * MB})))
    assert answer.status_code == 413
    assert "max_body_bytes" in answer.json()["error"]["message"]


def test_an_overflowing_number_does_not_become_infinity(shop: Any) -> None:
    good, bad = _track(), json.dumps(_track(properties={"value": 424242})).replace("424242", "1e999")
    answer = _post(shop, f"[{json.dumps(good)}, {bad}]")
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        assert [each["outcome"] for each in answer.json()["results"]] == ["processed", "quarantined"]


def test_a_lone_surrogate_fails_its_own_message_only(shop: Any) -> None:
    good, bad = _track(), json.dumps(_track(event="bad \\ud800 name")).replace("\\\\ud800", "\\ud800")
    answer = _post(shop, f"[{json.dumps(good)}, {bad}]")
    assert answer.status_code == 200, answer.text
    assert sorted(each["outcome"] for each in answer.json()["results"]) == ["processed", "quarantined"]


@pytest.mark.parametrize("path", ["/webhooks/segment", "/webhooks/mparticle", "/v1/track", "/v2/events"])
@pytest.mark.parametrize(
    "value", [b'"\\ud800"', b"1e999", b"[" * 100 + b"]" * 100], ids=["half a pair", "1e999", "deep"]
)
def test_one_call_that_is_json_but_cannot_be_kept_as_such_is_quarantined(
    shop: Any, path: str, value: bytes
) -> None:
    before = _quarantined(shop)
    body = b'{"type": "track", "userId": "%b", "value": %b}' % (path.encode(), value)
    answer = _post(shop, body, path)
    assert answer.status_code in (200, 202), answer.text
    assert _quarantined(shop) == before + 1


def _quarantined(shop: Any) -> float:
    """Return how many messages were quarantined so far."""
    lines = httpx.get(shop.url + "/metrics").text.splitlines()
    counts = [line for line in lines if line.startswith("adapter_messages_total") and "quarantined" in line]
    return sum(float(line.split()[-1]) for line in counts)


def test_of_duplicate_keys_the_last_one_counts(shop: Any) -> None:
    call = _track()
    body = json.dumps(call)[:-1] + ', "event": "Product Added"}'
    assert _post(shop, body).status_code == 200
    [event] = shop.get(f"/v1/customers/{call['userId']}/events")["events"]
    assert event["name"] == "product_added"


def test_one_bad_event_among_four_thousand_is_quarantined_alone(shop: Any) -> None:
    user = f"shopper-{uuid.uuid4()}"
    batch: list[Any] = [_track(userId=user) for _ in range(4_000)]
    batch[1_234] = _track(userId=None, anonymousId=None)
    answer = _post(shop, json.dumps(batch)).json()
    assert answer["counts"] == {"processed": 3_999, "quarantined": 1}
    assert answer["results"][0]["message_id"] == batch[1_234]["messageId"]


def test_a_message_without_any_id_is_quarantined_with_the_reason(shop: Any) -> None:
    [result] = _post(shop, json.dumps(_track(userId=None))).json()["results"]
    assert result["outcome"] == "quarantined"
    assert "neither userId nor anonymousId" in result["reason"]


def test_an_unmapped_type_is_reported_as_ignored(shop: Any) -> None:
    [result] = _post(shop, json.dumps(_track(type="heartbeat"))).json()["results"]
    assert result["outcome"] == "ignored"


NOW = datetime.now(UTC).replace(microsecond=0)
TIMESTAMPS: dict[str, tuple[Any, datetime | None]] = {
    "ISO with an offset": (NOW.astimezone(UTC).isoformat(), NOW),
    "seconds": (int(NOW.timestamp()), NOW),
    "milliseconds as text": (str(int(NOW.timestamp() * 1000)), NOW),
    "twelve digits": (157_609_199_900, datetime(1974, 12, 30, 4, 19, 59, 900_000, tzinfo=UTC)),
    "as Go prints it": (NOW.strftime("%Y-%m-%d %H:%M:%S.000000001 +0000 UTC m=+70366.298768264"), NOW),
    "the future": ((NOW + timedelta(days=365)).isoformat(), None),
    "nonsense": ("yesterday", None),
    "missing": (None, None),
}


@pytest.mark.parametrize(("given", "expected"), TIMESTAMPS.values(), ids=TIMESTAMPS)
def test_a_timestamp_in_any_form_fails_no_message(shop: Any, given: Any, expected: datetime | None) -> None:
    call = _track(timestamp=given)
    [result] = _post(shop, json.dumps(call)).json()["results"]
    assert result["outcome"] == "processed", result
    [event] = shop.get(f"/v1/customers/{call['userId']}/events")["events"]
    occurred = datetime.fromisoformat(event["occurred_at"])
    if expected is not None:
        assert occurred == expected
    else:
        assert abs(datetime.now(UTC) - occurred) < timedelta(minutes=1), "falls back to the time of receipt"


@pytest.mark.parametrize("signature", [None, "0" * 40, "not hex", "é"])
def test_a_missing_or_wrong_signature_is_refused(start_server: Any, signature: str | None) -> None:
    server = start_server(ADAPTER_SEGMENT_SHARED_SECRETS="s3cret")
    headers = {} if signature is None else {b"x-signature": signature.encode()}
    answer = httpx.post(server.url + "/webhooks/segment", json=_track(), headers=headers)
    assert answer.status_code == (401 if signature is None else 403)
    assert "signature" in answer.json()["error"]["message"].lower()
