"""Batches to Segment over a real socket, and what its answers mean."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter.destinations.contract import Attempt, Told
from adapter.destinations.segment.answers import judged_by_segment
from adapter.destinations.transport import Answer, GuardedClient
from tests.destinations.cdp_doubles import KEY, NOON, by_request, delivery, ids, leased, raw, segment
from tests.destinations.conftest import Receiver

CAPTURES = Path(__file__).parents[1] / "sources" / "captures"


async def test_a_batch_has_the_members_and_headers_of_the_sdks(
    client: GuardedClient, receiver: Receiver
) -> None:
    destination = segment(client, receiver)
    [attempt] = await destination.send([leased(destination, delivery())], NOON)
    assert attempt == Attempt(ok=True, status=200)
    [request] = receiver.requests
    assert request.path == "/v1/batch"
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")).decode() == f"{KEY}:"
    assert request.headers["content-type"] == "application/json"
    body = msgspec.json.decode(request.body)
    for line in (CAPTURES / "segment-sdks.jsonl").read_text().splitlines():
        captured = json.loads(line)
        sent = captured["body"] if isinstance(captured["body"], dict) else json.loads(captured["body"])
        assert set(body) == set(sent)
    assert (body["sentAt"], body["writeKey"]) == ("2026-11-21T12:00:00.000Z", KEY)


async def test_a_retry_differs_in_the_time_of_sending_alone(
    client: GuardedClient, receiver: Receiver
) -> None:
    destination = segment(client, receiver)
    found = leased(destination, delivery())
    await destination.send([found], NOON)
    await destination.send([found], NOON + timedelta(hours=2))
    first, second = (msgspec.json.decode(request.body) for request in receiver.requests)
    assert second.pop("sentAt") == "2026-11-21T14:00:00.000Z"
    first.pop("sentAt")
    assert first == second
    assert b"sentAt" not in found.body


async def test_many_deliveries_are_one_request(client: GuardedClient, receiver: Receiver) -> None:
    destination = segment(client, receiver, profile=True)
    found = [leased(destination, delivery(f"d-{n}")) for n in range(3)]
    assert [attempt.ok for attempt in await destination.send(found, NOON)] == [True] * 3
    assert [ids(request) for request in receiver.requests] == [
        ["bd-d-0", "bd-d-0-profile", "bd-d-1", "bd-d-1-profile", "bd-d-2", "bd-d-2-profile"]
    ]


async def test_what_segment_would_drop_is_given_up_without_a_request(
    client: GuardedClient, receiver: Receiver
) -> None:
    destination = segment(client, receiver)
    [attempt] = await destination.send([raw("d-1", [{"type": "track", "event": "A"}])], NOON)
    assert (attempt.final, attempt.error) == (True, "no_user_anon_id: the event has no customer")
    assert receiver.requests == []


@pytest.mark.parametrize("profile", [True, False])
def test_no_batch_has_more_calls_than_segment_takes(*, profile: bool) -> None:
    limits = segment(profile=profile).batch
    assert limits.most * (2 if profile else 1) == 2_500
    assert limits.most_bytes < 475_000


ANSWERS: list[tuple[int, Mapping[str, str], Mapping[str, Any]]] = [
    (200, {}, {"ok": True}),
    (301, {}, {"ok": False}),
    (400, {}, {"ok": False}),
    (401, {}, {"counted": False, "retry_after": timedelta(hours=1)}),
    (403, {}, {"counted": False, "retry_after": timedelta(hours=1)}),
    (404, {}, {"final": True}),
    (408, {}, {"final": False}),
    (410, {}, {"final": False, "gone": False}),
    (429, {"retry-after": "7"}, {"counted": False, "retry_after": timedelta(seconds=7)}),
    (429, {"x-ratelimit-reset": "9"}, {"counted": False, "retry_after": timedelta(seconds=9)}),
    (429, {}, {"counted": True, "retry_after": None}),
    (460, {}, {"final": False}),
    (500, {}, {"final": False}),
    (501, {}, {"final": True}),
    (503, {"retry-after": "3"}, {"counted": True, "retry_after": timedelta(seconds=3)}),
    (505, {}, {"final": True}),
]


@pytest.mark.parametrize(("status", "headers", "expected"), ANSWERS)
def test_each_answer_means_what_segments_own_clients_take_it_for(
    status: int, headers: Mapping[str, str], expected: Mapping[str, Any]
) -> None:
    attempt = judged_by_segment(Answer(status, headers, b"", whole=True), NOON)
    assert {name: getattr(attempt, name) for name in expected} == expected
    assert attempt.status == status
    assert KEY not in (attempt.error or "")


async def test_the_test_asks_for_the_source_of_the_key(client: GuardedClient, receiver: Receiver) -> None:
    destination = segment(client, receiver)
    attempt = await destination.test(NOON)
    assert (attempt.ok, receiver.requests[0].path) == (True, f"/v1/projects/{KEY}/settings")
    assert b"`eu`" in attempt.answer
    by_request(receiver, lambda _: 404)
    unknown = await destination.test(NOON)
    assert not unknown.ok
    assert unknown.error == "answered 404: Segment knows no source with the write key"


async def test_an_erasure_is_told_to_the_operator(client: GuardedClient) -> None:
    told = await segment(client).erase("c-1", (), NOON)
    assert isinstance(told, Told)
    assert "c-1" not in told.sentence
