"""Bulks to mParticle over a real socket, and what its answers mean."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from adapter.destinations.contract import Attempt, Told
from adapter.destinations.mparticle.answers import judged_by_mparticle
from adapter.destinations.transport import Answer, GuardedClient
from adapter.settings.destinations.mparticle import MParticle
from tests.destinations.cdp_doubles import NOON, delivery, ids, leased, mparticle, raw
from tests.destinations.conftest import Receiver


async def test_many_deliveries_are_one_bulk_of_a_batch_each(
    client: GuardedClient, receiver: Receiver
) -> None:
    receiver.answer = receiver.says(202)
    destination = mparticle(client, receiver)
    found = [leased(destination, delivery(f"d-{n}")) for n in range(3)]
    assert await destination.send(found, NOON) == [Attempt(ok=True, status=202)] * 3
    [request] = receiver.requests
    assert request.path == "/v2/bulkevents"
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"k:s"
    batches = msgspec.json.decode(request.body)
    assert [batch["source_request_id"] for batch in batches] == ["bd-d-0", "bd-d-1", "bd-d-2"]
    assert (destination.batch.most, destination.batch.most_bytes) == (100, 250_000)


async def test_what_mparticle_would_drop_is_given_up_and_the_rest_sent(
    client: GuardedClient, receiver: Receiver
) -> None:
    destination = mparticle(client, receiver)
    good = leased(destination, delivery("d-1"))
    bad, fine = await destination.send([raw("d-2", {"environment": "production"}), good], NOON)
    assert (bad.final, fine.ok) == (True, True)
    assert [ids(request) for request in receiver.requests] == [["bd-d-1"]]


HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
ANSWERS: list[tuple[int, Mapping[str, str], Mapping[str, Any]]] = [
    (202, {}, {"ok": True, "retry_after": None}),
    (202, {"x-mp-rate-limit-percentage-used": "89.9"}, {"ok": True, "retry_after": None}),
    (202, {"x-mp-rate-limit-percentage-used": "90"}, {"ok": True, "retry_after": SECOND}),
    (202, {"x-mp-rate-limit-percentage-used": "many"}, {"ok": True, "retry_after": None}),
    (400, {}, {"ok": False, "final": False}),
    (401, {}, {"counted": False, "retry_after": HOUR}),
    (403, {}, {"counted": False, "retry_after": HOUR}),
    (410, {}, {"gone": False, "final": False}),
    (429, {"retry-after": "7"}, {"counted": False, "retry_after": 7 * SECOND}),
    (429, {"retryafter": "7"}, {"counted": False, "retry_after": 7 * SECOND}),
    (429, {}, {"counted": True, "retry_after": None}),
    (
        429,
        {"x-mp-rate-limit-exceeded": "account"},
        {"counted": True, "error": "answered 429: the rate limit `account` is exceeded"},
    ),
    (429, {"x-mp-rate-limit-exceeded": "acceleration"}, {"counted": False, "retry_after": SECOND}),
    (503, {}, {"ok": False, "counted": True}),
]


@pytest.mark.parametrize(("status", "headers", "expected"), ANSWERS)
def test_each_answer_means_what_the_documentation_says(
    status: int, headers: Mapping[str, str], expected: Mapping[str, Any]
) -> None:
    attempt = judged_by_mparticle(Answer(status, headers, b"", whole=True), NOON)
    assert {name: getattr(attempt, name) for name in expected} == expected


async def test_the_test_sends_an_event_of_the_development_environment(
    client: GuardedClient, receiver: Receiver
) -> None:
    receiver.answer = receiver.says(202)
    attempt = await mparticle(client, receiver).test(NOON)
    [batch] = msgspec.json.decode(receiver.requests[0].body)
    assert (attempt.ok, batch["environment"]) == (True, "development")
    assert [event["data"]["event_name"] for event in batch["events"]] == ["adapter_test"]


async def test_an_erasure_is_told_to_the_operator(client: GuardedClient) -> None:
    told = await mparticle(client).erase("c-1", (), NOON)
    assert isinstance(told, Told)
    assert "c-1" not in told.sentence


@pytest.mark.parametrize(
    ("pod", "base"),
    [
        ("us1", "https://s2s.us1.mparticle.com"),
        ("us2", "https://s2s.us2.mparticle.com"),
        ("eu1", "https://s2s.eu1.mparticle.com"),
        ("au1", "https://s2s.au1.mparticle.com"),
        ("https://s2s.eu1.mparticle.com/v2/bulkevents", "https://s2s.eu1.mparticle.com"),
        ("https://s2s.us2.mparticle.com/v2/bulkevent", "https://s2s.us2.mparticle.com"),
    ],
)
def test_the_path_is_never_taken_from_the_settings(pod: str, base: str) -> None:
    assert MParticle(pod=pod).base == base
