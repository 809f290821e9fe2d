"""The webhooks of Segment and mParticle."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from adapter.errors import Unavailable
from adapter.model.actions import PercentageOff
from adapter.model.discounts import Discount
from adapter.services.ingest.result import Result
from adapter.web.application import Application

Connect = Callable[..., httpx.AsyncClient]
TRACK = {"type": "track", "event": "Checkout Started", "userId": "user_123", "messageId": "m1"}
BATCH = {"events": [{"event_type": "custom_event", "data": {"event_name": "x", "source_message_id": "m1"}}],
         "user_identities": {"customer_id": "user_123"}}  # fmt: skip
SECRET = "segment-secret"
ISSUED = Discount(
    "HV15-8K2F", PercentageOff(Decimal(15), max_amount=Decimal(40)),
    datetime(2024, 7, 16, 18, 24, 10, tzinfo=UTC),
    {"rule": "high-value-cart-first-purchase", "issued_for_event_id": "evt_789", "user_id": "user_123"},
    stackable=False, status="issued",
)  # fmt: skip


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-signature": hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}


async def test_the_response_has_the_discount_exactly_as_the_data_model_shows_it(
    connect: Connect, services: Any
) -> None:
    services.result = lambda _, __: Result("m1", "processed", discounts=[ISSUED])
    response = await connect().post("/webhooks/segment", json=TRACK)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "results": [
            {
                "message_id": "m1",
                "outcome": "processed",
                "discounts": [
                    {
                        "code": "HV15-8K2F",
                        "action": {"type": "percentage_off", "value": 15, "max_amount": 40},
                        "expires_at": "2024-07-16T18:24:10Z",
                        "metadata": {
                            "rule": "high-value-cart-first-purchase",
                            "issued_for_event_id": "evt_789",
                            "user_id": "user_123",
                        },
                        "stackable": False,
                        "status": "issued",
                    }
                ],
            }
        ]
    }


@pytest.mark.parametrize("path", ["/webhooks/segment", "/webhooks/segment/"])
async def test_a_signed_segment_message_is_taken(path: str, connect: Connect, services: Any) -> None:
    body = json.dumps(TRACK).encode()
    client = connect(segment__shared_secrets=("another", SECRET))
    assert (await client.post(path, content=body, headers=signed(body))).status_code == 200
    assert services.taken[0].messages[0].document["event"] == "Checkout Started"


@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"x-signature": "0" * 40}, 403)])
async def test_a_segment_message_without_the_right_signature_is_refused(
    headers: dict[str, str], status: int, connect: Connect, services: Any
) -> None:
    response = await connect(segment__shared_secrets=(SECRET,)).post(
        "/webhooks/segment", json=TRACK, headers=headers
    )
    assert response.status_code == status
    assert response.json()["error"]["code"] == "unauthorised"
    assert not services.taken


async def test_an_authorization_header_protects_segment_batches_in_addition_to_the_signature(
    connect: Connect,
) -> None:
    client = connect(segment__shared_secrets=(SECRET,), segment__authorizations=("Token t",))
    body = json.dumps([TRACK]).encode()
    both = signed(json.dumps(TRACK).encode()) | {"authorization": "Token t"}
    assert (await client.post("/webhooks/segment", content=body, headers=both)).status_code == 200
    only_signed = signed(json.dumps(TRACK).encode())
    assert (await client.post("/webhooks/segment", content=body, headers=only_signed)).status_code == 401


BOTH = {"segment__shared_secrets": (SECRET,), "segment__authorizations": ("Token t",)}
FORGED = json.dumps([TRACK, TRACK | {"messageId": "forged"}]).encode()


@pytest.mark.parametrize(
    ("signed_part", "authorization", "status"),
    [
        (FORGED, None, 200),
        (FORGED, "Token t", 200),
        (FORGED, "Token wrong", 200),
        (json.dumps(TRACK).encode(), None, 401),
        (json.dumps(TRACK).encode(), "Token wrong", 403),
        (json.dumps(TRACK).encode(), "Token t", 200),
        (b"something else", "Token t", 403),
        (None, "Token t", 401),
        (None, None, 401),
    ],
)
async def test_a_signature_over_the_whole_batch_replaces_the_authorization(
    signed_part: bytes | None, authorization: str | None, status: int, connect: Connect, services: Any
) -> None:
    client = connect(**BOTH, segment__whole_signature_suffices=True)
    headers = signed(signed_part) if signed_part is not None else {}
    headers |= {"authorization": authorization} if authorization else {}
    response = await client.post("/webhooks/segment", content=FORGED, headers=headers)
    assert response.status_code == status
    assert len(services.taken) == (status == 200)


async def test_a_signature_over_the_whole_batch_replaces_the_header_only_by_a_setting(
    connect: Connect,
) -> None:
    response = await connect(**BOTH).post("/webhooks/segment", content=FORGED, headers=signed(FORGED))
    assert response.status_code == 401


async def test_the_coverage_of_signatures_is_counted_and_logged_once_per_batch(
    context: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "adapter.web.webhooks")
    chosen = context(segment__shared_secrets=(SECRET,))
    transport = httpx.ASGITransport(Application(chosen))
    first, whole = json.dumps(TRACK).encode(), FORGED
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for body, part in [(first, first), (whole, first), (whole, whole), (whole, whole), (whole, b"no")]:
            await client.post("/webhooks/segment", content=body, headers=signed(part))
    chosen.metrics.flush()
    counted = {
        (body, form): chosen.metrics.registry.get_sample_value(
            "adapter_segment_signatures_total", {"body": body, "form": form}
        )
        for body in ("message", "batch")
        for form in ("whole", "first_element")
    }
    assert counted == {
        ("message", "whole"): 1,
        ("message", "first_element"): 0,
        ("batch", "whole"): 2,
        ("batch", "first_element"): 1,
    }
    assert len([record for record in caplog.records if record.name == "adapter.web.webhooks"]) == 1


@pytest.mark.parametrize(
    ("authorization", "status"),
    [(None, 401), ("Bearer wrong", 403), ("Bearer new", 200), ("Bearer old", 200)],
)
async def test_mparticle_sends_one_of_the_configured_headers(
    authorization: str | None, status: int, connect: Connect
) -> None:
    headers = {"authorization": authorization} if authorization else {}
    client = connect(mparticle__authorizations=("Bearer new", "Bearer old"))
    assert (await client.post("/webhooks/mparticle", json=BATCH, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("path", "setting"),
    [("/webhooks/segment", "SEGMENT_SHARED_SECRETS"), ("/webhooks/mparticle", "MPARTICLE_AUTHORIZATIONS"),
     ("/v1/batch", "SEGMENT_WRITE_KEYS"), ("/v2/events", "MPARTICLE_API_KEYS")],
)  # fmt: skip
async def test_an_endpoint_without_a_secret_is_disabled_once_another_has_one(
    path: str, setting: str, connect: Connect, services: Any
) -> None:
    response = await connect(api__tokens=("token",)).post(path, json=TRACK)
    assert response.status_code == 403
    assert f"ADAPTER_{setting}" in response.text
    assert not services.taken


async def test_without_secrets_other_machines_are_rejected(connect: Connect) -> None:
    client = connect(server__host="0.0.0.0")
    assert (await client.post("/webhooks/segment", json=TRACK)).status_code == 403


@pytest.mark.parametrize("path", ["/webhooks/segment", "/webhooks/mparticle"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_other_methods_than_post_are_405(path: str, method: str, connect: Connect) -> None:
    response = await connect().request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert method == "HEAD" or response.json()["error"]["code"] == "method_not_allowed"


async def test_a_gzip_body_is_taken(connect: Connect, services: Any) -> None:
    body = gzip.compress(json.dumps(TRACK).encode())
    response = await connect().post("/webhooks/segment", content=body, headers={"content-encoding": "gzip"})
    assert response.status_code == 200
    assert services.taken[0].messages[0].document["messageId"] == "m1"


async def test_an_unavailable_service_is_retryable(connect: Connect, services: Any) -> None:
    services.error = Unavailable("too many messages are queued", retry_after=2)
    response = await connect().post("/webhooks/segment", json=TRACK)
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert response.json() == {"error": {"code": "unavailable", "message": "too many messages are queued"}}


@pytest.mark.parametrize("path", ["/webhooks/segment", "/webhooks/mparticle", "/v1/track", "/v2/events"])
async def test_an_unexpected_error_is_retryable_and_quotes_no_input(
    path: str, connect: Connect, services: Any, caplog: pytest.LogCaptureFixture
) -> None:
    services.error = KeyError("jane@example.com")
    response = await connect().post(path, json=BATCH if "mparticle" in path or "v2" in path else TRACK)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert "jane" not in response.text
    assert "unexpected error" in caplog.text


@pytest.mark.parametrize("body", [b"", b"nope", b"[1", b'"text"', b"{}x", b"\xff"])
async def test_only_a_malformed_body_is_a_400(body: bytes, connect: Connect, services: Any) -> None:
    response = await connect().post("/webhooks/mparticle", content=body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "unreadable"
    assert not services.taken
    assert services.refused == [("mparticle", response.json()["error"]["message"])]


@pytest.mark.parametrize(("path", "source"), [("/v1/track", "segment"), ("/v2/events", "mparticle")])
async def test_a_malformed_body_of_a_tracking_api_is_recorded(
    path: str, source: str, connect: Connect, services: Any
) -> None:
    await connect().post(path, content=b"[1")
    assert [name for name, _ in services.refused] == [source]


async def test_requests_are_counted_by_status(connect: Connect) -> None:
    client = connect()
    for body in (b'{"type": "track"}', b"nope", b"nope"):
        await client.post("/webhooks/segment", content=body)
    text = (await client.get("/metrics")).text
    assert 'adapter_requests_total{endpoint="webhooks_segment",status="200"} 1.0' in text
    assert 'adapter_requests_total{endpoint="webhooks_segment",status="400"} 2.0' in text
    assert 'adapter_request_seconds_count{endpoint="webhooks_segment"} 3.0' in text
