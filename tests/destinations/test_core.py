"""A remote core as a destination: what is sent, and what each answer means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from adapter.destinations.contract import Attempt
from adapter.destinations.core import CoreDestination
from adapter.destinations.transport import GuardedClient
from adapter.errors import Unavailable
from adapter.model.deliveries import Delivery, OutboxEvent
from adapter.model.encoding import encode
from adapter.model.evaluated import ERASURE, OPERATIONS, Evaluated
from adapter.settings.destinations.core import Core
from adapter.settings.scalars import Secret
from tests.destinations.conftest import Received, Receiver

Taken = list[tuple[str, Evaluated]]


@pytest.fixture
def core(client: GuardedClient, receiver: Receiver) -> CoreDestination:
    """The receiver as a core, with a second of patience."""
    url = receiver.url.removesuffix("/hook")
    settings = Core(url=url, token=Secret("token"), allow_private_addresses=True, timeout_seconds=1)
    return CoreDestination("core", settings, client)


@pytest.fixture
def taken(core: CoreDestination) -> Taken:
    """The answers that the core's destination hands on."""
    found: Taken = []

    async def take(answers: Sequence[tuple[Delivery, Evaluated]]) -> None:
        found.extend((delivery.id, answer) for delivery, answer in answers)

    core.take = take
    return found


def operation(id_: str, now: datetime, kind: str = OPERATIONS, **members: Any) -> Delivery:
    data = {"id": id_, "action": "event", "source_id": "c-1", **members}
    event = Raw(encode(OutboxEvent(kind, now, data)))
    return Delivery(f"msg_{id_}", "core", "c-1", kind, event, now, now, 1)


def results(*found: dict[str, Any]) -> bytes:
    return json.dumps({"results": [{"index": at, **each} for at, each in enumerate(found)]}).encode()


def sent(received: Received) -> list[dict[str, Any]]:
    return list(json.loads(received.body)["operations"])


async def test_operations_are_sent_together_in_their_order(
    core: CoreDestination, receiver: Receiver, taken: Taken, now: datetime
) -> None:
    settled = [{"id": "o-1", "outcome": "processed"}, {"id": "o-2", "outcome": "duplicate"}]
    receiver.answer = receiver.says(200, body=results(*settled))
    attempts = await core.send([operation("o-1", now), operation("o-2", now)], now)
    assert [attempt.ok for attempt in attempts] == [True, True]
    [request] = receiver.requests
    assert (request.path, request.headers["authorization"]) == ("/v1/evaluate", "Bearer token")
    assert [each["id"] for each in sent(request)] == ["o-1", "o-2"]
    assert [(id_, answer.outcome) for id_, answer in taken] == [
        ("msg_o-1", "processed"),
        ("msg_o-2", "duplicate"),
    ]


async def test_each_operation_is_settled_by_its_own_result(
    core: CoreDestination, receiver: Receiver, taken: Taken, now: datetime
) -> None:
    """Case D41: what was decided or quarantined is settled, what the core does not know stays due."""
    receiver.answer = receiver.says(
        200,
        body=results(
            {"id": "o-1", "outcome": "processed"},
            {"id": "o-2", "outcome": "quarantined", "reason": "attributes must be an object"},
            {"id": "o-3", "outcome": "refused", "error": "unknown_action"},
            {"id": "o-4", "outcome": "refused", "error": "idempotency_key_reused", "reason": "another"},
            {"id": "o-9", "outcome": "processed"},
        ),
    )
    first, bad, unknown, conflict, mixed, missing = await core.send(
        [operation(f"o-{number}", now) for number in range(1, 7)], now
    )
    assert (first.ok, bad.ok) == (True, True)
    assert (unknown.ok, unknown.final) == (False, False)
    assert unknown.error == "the core is older than this adapter: it does not know the operation"
    assert (conflict.ok, conflict.final) == (False, True)
    assert (mixed.ok, mixed.counted, missing.ok, missing.counted) == (False, False, False, False)
    assert [id_ for id_, _ in taken] == ["msg_o-1", "msg_o-2"]


async def test_an_erasure_names_its_customer_only_when_it_is_sent(
    core: CoreDestination, receiver: Receiver, taken: Taken, now: datetime
) -> None:
    event = Raw(encode(OutboxEvent(ERASURE, now, {"id": "e-1", "action": "customer.erase"})))
    erasure = Delivery("msg_e-1", "core", "c-1", ERASURE, event, now, now, 1)
    receiver.answer = receiver.says(200, body=results({"id": "e-1", "outcome": "processed"}))
    [attempt] = await core.send([erasure], now)
    assert attempt.ok
    assert sent(receiver.requests[0]) == [{"id": "e-1", "action": "customer.erase", "source_id": "c-1"}]


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_request_that_is_refused_as_a_whole_is_halved_until_one_operation_is_left(
    core: CoreDestination, receiver: Receiver, taken: Taken, now: datetime, status: int
) -> None:
    async def answer(writer: Any) -> None:
        asked = sent(receiver.requests[-1])
        if any(each["id"] == "o-3" for each in asked):
            await receiver.says(status)(writer)
        else:
            body = results(*({"id": each["id"], "outcome": "processed"} for each in asked))
            await receiver.says(200, body=body)(writer)

    receiver.answer = answer
    attempts = await core.send([operation(f"o-{number}", now) for number in range(1, 9)], now)
    assert [attempt.ok for attempt in attempts] == [True, True, False, *[True] * 5]
    assert attempts[2].final


ANSWERS = [
    (401, {}, "it asks for a token", 60),
    (403, {}, "is none of its `api.evaluate_tokens`", 60),
    (404, {}, "there is no `/v1/evaluate`", 60),
    (410, {}, "answered 410", 1),
    (421, {}, "it has a remote core itself", 60),
    (429, {"Retry-After": "7"}, "answered 429", 7),
    (500, {}, "answered 500", 1),
    (503, {"Retry-After": "120"}, "answered 503", 120),
    (302, {"Location": "/elsewhere"}, "answered 302", 1),
]


@pytest.mark.parametrize(("status", "headers", "error", "pause"), ANSWERS)
async def test_an_answer_that_takes_no_operation_counts_for_none(
    core: CoreDestination,
    receiver: Receiver,
    taken: Taken,
    now: datetime,
    *,
    status: int,
    headers: dict[str, str],
    error: str,
    pause: int,
) -> None:
    receiver.answer = receiver.says(status, headers)
    attempts = await core.send([operation("o-1", now), operation("o-2", now)], now)
    assert len(attempts) == 2
    for attempt in attempts:
        assert error in (attempt.error or "")
        assert (attempt.ok, attempt.counted, attempt.gone, attempt.final) == (False, False, False, False)
        assert attempt.retry_after == timedelta(seconds=pause)
    assert taken == []


#: Case D34: the header, and the seconds of the pause that it asks for; one that cannot be read asks for none.
RETRY_AFTER = [("120", 120), ("0", 1), ("120.5", 1), ("-1", 1), ("Wed, 21 Oct 2015 07:28:00 GMT", 1),
               ("2592000", 86_400), ("soon", 1)]  # fmt: skip


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("header", "seconds"), RETRY_AFTER)
async def test_retry_after_is_honoured_in_all_its_forms(
    core: CoreDestination, receiver: Receiver, now: datetime, status: int, header: str, seconds: int
) -> None:
    receiver.answer = receiver.says(status, {"Retry-After": header})
    [attempt] = await core.send([operation("o-1", now)], now)
    assert attempt.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize("answer", ["resets", "hangs_up", "babbles", "endless", "slow", "json", "cut off"])
async def test_a_hostile_core_settles_nothing(
    core: CoreDestination, receiver: Receiver, taken: Taken, now: datetime, answer: str
) -> None:
    whole = results({"id": "o-1", "outcome": "processed"})
    receiver.answer = {
        "resets": receiver.resets,
        "hangs_up": receiver.hangs_up,
        "babbles": receiver.babbles,
        "endless": receiver.drips(200),
        "slow": receiver.late(5, receiver.says(200, body=whole)),
        "json": receiver.says(200, body=b'{"results": [{"index": "0"}]}'),
        "cut off": receiver.says(200, body=whole[:-3]),
    }[answer]
    [attempt] = await core.send([operation("o-1", now)], now)
    assert (attempt.ok, attempt.counted, attempt.retry_after) == (False, False, timedelta(seconds=1))
    assert taken == []


async def test_an_answer_that_cannot_be_stored_is_asked_for_again(
    core: CoreDestination, receiver: Receiver, now: datetime
) -> None:
    async def fail(_answers: Sequence[tuple[Delivery, Evaluated]]) -> None:
        raise Unavailable("the store is full")

    core.take = fail
    receiver.answer = receiver.says(200, body=results({"id": "o-1", "outcome": "processed"}))
    [attempt] = await core.send([operation("o-1", now)], now)
    assert (attempt.ok, attempt.counted) == (False, False)


@pytest.mark.parametrize(("status", "ok"), [(200, True), (403, False), (421, False)])
async def test_a_test_sends_no_operation(
    core: CoreDestination, receiver: Receiver, now: datetime, status: int, *, ok: bool
) -> None:
    receiver.answer = receiver.says(status, body=b'{"results":[]}')
    attempt: Attempt = await core.test(now)
    assert (attempt.ok, sent(receiver.requests[0])) == (ok, [])


async def test_nothing_is_settled_while_answers_are_taken_by_none(
    core: CoreDestination, receiver: Receiver, now: datetime
) -> None:
    receiver.answer = receiver.says(200, body=results({"id": "o-1", "outcome": "processed"}))
    [attempt] = await core.send([operation("o-1", now)], now)
    assert (attempt.ok, attempt.counted) == (False, False)
    assert "restart the server" in (attempt.error or "")


def test_every_case_of_a_core_is_a_test() -> None:
    cases = (Path(__file__).parent / "cases" / "core.jsonl").read_text().splitlines()
    tests = [*Path(__file__).parents[1].glob("core/test_*.py"), Path(__file__)]
    shown = "".join(file.read_text() for file in tests)
    assert [case["id"] for case in map(json.loads, cases) if f"Case {case['id']}" not in shown] == []
