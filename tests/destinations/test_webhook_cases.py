"""The cases of `cases/webhook.jsonl` that no other file tests, against a receiver that answers so."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.destinations.contract import Attempt, Manner
from adapter.destinations.transport import READ_BYTES, GuardedClient
from adapter.destinations.webhook import WebhookDestination
from adapter.model.deliveries import Delivery
from adapter.services.delivery.retries import retry_all
from adapter.settings.destinations.webhook import Webhook
from adapter.settings.scalars import Secret
from adapter.store.contract import Store
from adapter.store.engines import open_store
from tests.destinations.conftest import Receiver, webhook
from tests.services.outbox_doubles import OK, Clock, Endpoint, delivery, many, put, relay

LINES = (Path(__file__).parent / "cases" / "webhook.jsonl").read_text(encoding="utf-8").splitlines()
CASES: dict[str, dict[str, Any]] = {case["id"]: case for case in map(json.loads, LINES)}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'relay.db'}")
    await store.open()
    yield store
    await store.close()


def secret(size: int) -> str:
    return "whsec_" + b64encode(bytes(range(size))).decode()


#: Each secret of D31 in the words of the case, and what it looks like.
SECRETS = {
    "v1, prefix: `write whsec_...` without v1,": f"v1,{secret(32)}",
    "URL-safe letters": "whsec_" + "-_" * 22,
    "plain text": "my-plain-secret",
    "too short": secret(16),
    "too long": secret(65),
    "unpadded": secret(32).rstrip("="),
}


@pytest.mark.parametrize("said", SECRETS)
def test_d31_a_secret_in_wrong_clothes_is_refused_at_the_start(said: str) -> None:
    outcome = CASES["D31"]["outcome"]
    assert {*outcome["accepted"], *outcome["refused_at_start"]} == SECRETS.keys()
    settings = Webhook(url="https://shop.example", secrets=(Secret(SECRETS[said]),))
    problems = [" ".join(each) for each in settings.problems("shop")]
    if said in outcome["accepted"]:
        assert problems == []
        return
    [problem] = problems
    assert ("write `whsec_...` without `v1,`" in problem) is said.startswith("v1,")
    assert SECRETS[said].removeprefix("v1,").removeprefix("whsec_") not in problem


async def test_d33_over_retries_the_id_and_the_body_are_constant_and_the_time_is_that_of_the_attempt(
    client: GuardedClient, receiver: Receiver, store: Store
) -> None:
    clock, day = Clock(), datetime(2026, 11, 21, tzinfo=UTC)
    attempts = [each.split(" -> ") for each in CASES["D33"]["input"]["attempts"]]
    endpoint = webhook(receiver.url, client)
    await put(store, many(1))
    for at, status in attempts:
        hours, minutes = map(int, at.split(":"))
        clock.now = day.replace(hour=hours, minute=minutes)
        receiver.answer = receiver.says(int(status))
        await relay(store, clock, endpoint).run_once(1)
    assert len(await store.deliveries("done")) == 1
    first, second = receiver.requests
    assert first.body == second.body
    for name in ("webhook-id", "idempotency-key"):
        assert first.headers[name] == second.headers[name] == "shop-0"
    stamps = [int(each.headers["webhook-timestamp"]) for each in receiver.requests]
    assert [datetime.fromtimestamp(each, UTC).strftime("%H:%M") for each in stamps] == ["12:00", "17:05"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


async def test_d33_a_replay_by_hand_has_the_same_id(
    client: GuardedClient, receiver: Receiver, store: Store
) -> None:
    clock, endpoint = Clock(), webhook(receiver.url, client)
    await put(store, [replace(each, attempt=9) for each in many(1)])
    receiver.answer = receiver.says(422)
    for _ in range(10):
        await relay(store, clock, endpoint).run_once(1)
        await retry_all(store, clock())
    receiver.answer = receiver.says(200)
    await relay(store, clock, endpoint).run_once(1)
    assert len(await store.deliveries("done")) == 1
    assert {each.headers["webhook-id"] for each in receiver.requests} == {"shop-0"}
    assert len({each.body for each in receiver.requests}) == 1


async def _answered(endpoint: WebhookDestination, delivery: Delivery, now: datetime) -> Attempt:
    [attempt] = await endpoint.send([delivery], now)
    return attempt


async def test_d37_the_status_decides_and_at_most_16_kb_are_read(
    client: GuardedClient, receiver: Receiver, delivery: Delivery, now: datetime
) -> None:
    said = "endless, large, reset"
    assert CASES["D37"]["outcome"][said].startswith("delivered: the status decides; at most 16 KB read")
    assert READ_BYTES == 16 * 1024
    endpoint = webhook(receiver.url, client)
    answers = (
        receiver.drips(200),
        receiver.floods(200),
        receiver.says(200, body=b"x" * 200_000),
        receiver.breaks_off,
    )
    for answer in answers:
        receiver.answer = answer
        attempt = await _answered(endpoint, delivery, now)
        assert (attempt.ok, attempt.status) == (True, 200)
        assert len(attempt.answer) <= 512
    receiver.answer = receiver.late(30, receiver.says(200))
    late = await _answered(webhook(receiver.url, client, timeout_seconds=1), delivery, now)
    assert (late.ok, late.error) == (False, "no answer within 1 s")
    assert {each.headers["webhook-id"] for each in receiver.requests} == {delivery.id}


async def test_d38_a_dead_destination_holds_little_in_memory_and_drains_at_its_rate(store: Store) -> None:
    clock, dead, quick = Clock(), Endpoint("dead"), Endpoint("quick")
    await put(store, [*many(2_000, "dead"), *many(40, "quick")])
    both = relay(store, clock, dead, quick, manner=Manner(per_second=100))
    dead.answer = lambda _: Attempt(ok=False, error="answered 500")
    await both.run_once(100)
    assert (len(quick.sent), dead.most_at_once) == (40, 8)
    # What was leased in vain is no more than a second's share; the rest of the backlog is in the store.
    assert len(dead.sent) <= 100
    assert (await store.counts())["deliveries_due"] == 2_000
    dead.answer = lambda _: OK
    dead.sent.clear()
    await store.resume("dead")
    clock.now = clock.now.replace(minute=30)
    for _ in range(50):
        clock.now = datetime.fromtimestamp(clock.now.timestamp() + 0.2, UTC)
        await both.run_once(2_000)
    # Ten seconds, and half a second's share that was saved up.
    assert 950 <= len(dead.sent) <= 1_050


@pytest.mark.parametrize("concurrency", [1, 8])
async def test_d38_new_deliveries_go_beside_the_retries_of_a_backlog(store: Store, concurrency: int) -> None:
    clock, shop = Clock(), Endpoint("shop", lambda _: Attempt(ok=False, error="answered 500"))
    await put(store, many(400))
    alone = relay(store, clock, shop, manner=Manner(concurrency=concurrency))
    await alone.run_once(400)
    clock.now += timedelta(days=1)
    await store.resume("shop")
    shop.answer, shop.sent = (lambda _: OK), []
    new = [replace(delivery(f"new-{who}"), source_id=who, due_at=clock.now) for who in ("u-2", "u-3")]
    await put(store, [*new, replace(delivery("another"), due_at=clock.now)])
    await alone.run_once(12)
    sent = [id_ for id_, _ in shop.sent]
    assert {"new-u-2", "new-u-3"} < set(sent)
    assert sum(id_.startswith("shop-") for id_ in sent) >= 6, "the backlog goes on"
    assert "another" not in sent, "a customer's deliveries stay in their order"
