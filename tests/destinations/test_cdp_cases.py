"""The cases of `cases/cdp.jsonl`, each against a receiver on loopback that answers as the case says."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter.destinations.transport import GuardedClient
from adapter.model.customers import Customer
from adapter.model.deliveries import Recipients
from adapter.services.delivery.batches import batches
from adapter.settings.destinations.mparticle import PODS, MParticle
from adapter.settings.destinations.segment import HOSTS, Segment
from adapter.sources.mparticle import batches as mparticle_source
from adapter.sources.segment import webhook
from tests.destinations.cdp_doubles import (
    NOON,
    by_request,
    delivery,
    discount,
    ids,
    leased,
    mparticle,
    raw,
    rendered,
    segment,
)
from tests.destinations.conftest import Receiver

CASES = {
    case["id"]: case
    for line in (Path(__file__).parent / "cases" / "cdp.jsonl").read_text("utf-8").splitlines()
    for case in [json.loads(line)]
}
Check = Callable[[Any, GuardedClient, Receiver], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def case(id_: str) -> Callable[[Check], Check]:
    return lambda check: CHECKS.setdefault(id_, check)


def test_every_case_is_checked() -> None:
    assert set(CHECKS) == set(CASES)


@pytest.mark.parametrize("id_", CHECKS)
async def test_case(id_: str, client: GuardedClient, receiver: Receiver) -> None:
    await CHECKS[id_](CASES[id_], client, receiver)


@case("D02")
async def _the_region_is_asked_for(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    for region, base in HOSTS.items():
        assert f"{region} -> {base}/v1/batch" in found["outcome"]["setting"]
        assert Segment(region=region).base == base  # type: ignore[arg-type]
    hosts = ("https://x.example", "https://x.example/", "https://x.example/v1", "https://x.example/v1/batch")
    assert {Segment(region="us", host=host).base for host in hosts} == {"https://x.example"}
    attempt = await segment(client, receiver, region="us").test(NOON)
    assert b"region is `us`" in attempt.answer


@case("D03")
async def _the_incoming_id_is_never_used(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    incoming = found["input"]["incoming"]["messageId"]
    [call] = rendered(segment(client), delivery("msg_1", discount(issued_for_event_id=incoming)))
    assert call["messageId"] == "bd-msg_1"
    assert len(call["messageId"]) < 100


@case("D04")
async def _a_call_that_is_too_large_costs_nothing_else(
    found: Any, client: GuardedClient, receiver: Receiver
) -> None:
    destination = segment(client, receiver)
    large = delivery("d-2", discount(note="é" * 16_500))
    sent = [leased(destination, each) for each in (delivery("d-1"), large, delivery("d-3"))]
    attempts = await destination.send(sent, NOON)
    assert [ids(request) for request in receiver.requests] == [["bd-d-1", "bd-d-3"]]
    assert [(attempt.ok, attempt.final) for attempt in attempts] == [
        (True, False),
        (False, True),
        (True, False),
    ]
    size = len(sent[1].body) - 2
    assert size > 33_000
    assert attempts[1].error == f"{size:,} bytes, Segment takes 32,000 bytes a call"


@case("D05")
async def _a_batch_is_split_before_and_after(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    destination = segment(client, receiver)
    many = [leased(destination, delivery(f"m-{n}", discount(note="x" * 5_600))) for n in range(100)]
    assert {len(each.body) // 1_000 for each in many} == {5, 6} or all(len(e.body) > 5_900 for e in many)
    for batch in batches(many, destination.batch):
        await destination.send(batch, NOON)
    assert len(receiver.requests) == 2
    assert max(len(request.body) for request in receiver.requests) <= 475_000
    receiver.requests.clear()
    by_request(receiver, lambda request: 400 if b'"bd-d-5"' in request.body else 200)
    sent = [leased(destination, delivery(f"d-{n}")) for n in range(1, 9)]
    attempts = await destination.send(sent, NOON)
    assert [attempt.ok for attempt in attempts] == [True] * 4 + [False] + [True] * 3
    assert (attempts[4].final, attempts[4].error) == (True, "answered 400")
    assert sorted(len(ids(request)) for request in receiver.requests) == [1, 1, 2, 2, 4, 4, 8]


@case("D07")
async def _what_segment_would_drop_is_not_sent(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    whole = {"type": "track", "event": "Discount Issued", "userId": "c-1"}
    calls = [{**whole, **given} for given in found["input"]["deliveries"]]
    attempts = await segment(client, receiver).send(
        [raw(f"d-{n}", [call]) for n, call in enumerate(calls)], NOON
    )
    told = [(attempt.error or "").split(":")[0] for attempt in attempts]
    assert told == ["no_user_anon_id", "id_not_string", "event_not_defined"]
    assert all(code in found["outcome"]["state"] for code in told)
    assert all(attempt.final for attempt in attempts)
    assert receiver.requests == []
    [call] = rendered(segment(client), delivery(customer=Customer("42")))
    assert call["userId"] == "42"


@case("D08")
async def _a_batch_has_all_members(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    destination, given = segment(client, receiver), found["input"]["delivery"]
    at = datetime.fromisoformat(given["occurred_at"])
    issued = delivery(given["id"], customer=Customer(given["customer"]), kind=given["type"], at=at)
    await destination.send([leased(destination, issued)], NOON)
    body = msgspec.json.decode(receiver.requests[0].body)
    expected = found["outcome"]["body"]
    assert set(expected) <= set(body)
    [call], [wanted] = body["batch"], expected["batch"]
    wanted["context"]["library"]["version"] = call["context"]["library"]["version"]
    properties = wanted.pop("properties")
    assert {name: call[name] for name in wanted} == wanted
    assert {name: call["properties"][name] for name in properties} == properties


@case("D09")
async def _the_time_of_sending_is_of_the_attempt(
    found: Any, client: GuardedClient, receiver: Receiver
) -> None:
    destination = segment(client, receiver)
    statuses = iter((503, 200))
    by_request(receiver, lambda _: next(statuses))
    sent = leased(destination, delivery())
    [first] = await destination.send([sent], NOON)
    [second] = await destination.send([sent], NOON + timedelta(hours=2))
    assert (first.ok, first.final, second.ok) == (False, False, True)
    bodies = [msgspec.json.decode(request.body) for request in receiver.requests]
    assert [body["sentAt"][11:16] for body in bodies] == ["12:00", "14:00"]
    assert {body["batch"][0]["timestamp"][11:16] for body in bodies} == {"12:00"}
    assert len({body["batch"][0]["messageId"] for body in bodies}) == 1


@case("D10")
async def _a_429_pauses_and_is_no_attempt(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    destination = segment(client, receiver)
    first, second = found["input"]["answers"]
    answers: Iterator[tuple[int, dict[str, str]]]
    answers = iter(((first["status"], first["headers"]), (second["status"], {}), (429, {})))
    by_request(receiver, lambda _: next(answers))
    sent = [leased(destination, delivery())]
    [limited] = await destination.send(sent, NOON)
    assert (limited.retry_after, limited.counted) == (timedelta(seconds=7), False)
    [later] = await destination.send(sent, NOON)
    assert later.ok
    [without] = await destination.send(sent, NOON)
    assert (without.retry_after, without.counted) == (None, True)


@case("D11")
async def _a_batch_is_formed_anew(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    for destination in (segment(client, receiver), mparticle(client, receiver)):
        receiver.requests.clear()
        receiver.answer = receiver.resets
        one, two, three, four = (leased(destination, delivery(f"d-{n}")) for n in range(1, 5))
        attempts = await destination.send([one, two, three], NOON)
        assert not any(attempt.ok or attempt.final for attempt in attempts)
        receiver.answer = receiver.says(200)
        assert all(attempt.ok for attempt in await destination.send([one, three, four], NOON))
        assert ids(receiver.requests[-1]) == ["bd-d-1", "bd-d-3", "bd-d-4"]
        body = msgspec.json.decode(receiver.requests[-1].body)
        assert isinstance(body, list) or set(body) == {"batch", "sentAt", "writeKey"}


@case("D12")
async def _each_batch_is_checked_before(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    receiver.answer = receiver.says(found["input"]["answer"]["status"])
    destination = mparticle(client, receiver)
    broken = {"user_identities": {"customer_id": "c-2"}, "events": [{"data": {"event_name": "x"}}]}
    sent = [leased(destination, delivery("d-1")), raw("d-2", broken), leased(destination, delivery("d-3"))]
    attempts = await destination.send(sent, NOON)
    assert ids(receiver.requests[0]) == ["bd-d-1", "bd-d-3"]
    assert [attempt.ok for attempt in attempts] == [True, False, True]
    assert (attempts[1].final, attempts[1].error) == (True, "the batch has no `environment`")


@case("D13")
async def _no_two_contents_share_a_request_id(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    destination = mparticle(client, receiver)
    one, two, three = (leased(destination, delivery(f"d-{n}")) for n in range(1, 4))
    receiver.answer = receiver.hangs_up
    await destination.send([one, two], NOON)
    receiver.answer = receiver.says(202)
    await destination.send([one, two, three], NOON)
    contents: dict[str, set[bytes]] = {}
    for request in receiver.requests:
        for batch in msgspec.json.decode(request.body):
            contents.setdefault(batch["source_request_id"], set()).add(msgspec.json.encode(batch))
    assert set(contents) == {"bd-d-1", "bd-d-2", "bd-d-3"}
    assert {len(each) for each in contents.values()} == {1}


@case("D14")
async def _only_known_identities_are_sent(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    given, expected = found["input"]["customer"], found["outcome"]["body"]
    mpid = "7346244611012968789"
    customer = Customer(given["source_id"], identities={**given["identities"], "mpid": mpid})
    batch = rendered(mparticle(client), delivery(customer=customer))
    assert {name: batch[name] for name in expected} == expected
    assert mpid in found["outcome"]["mpid"]
    assert f'"mpid":{mpid},'.encode() in leased(mparticle(client), delivery(customer=customer)).body
    mapped = mparticle(client, identities=("loyalty_no:other_id_3",))
    assert rendered(mapped, delivery(customer=customer))["user_identities"]["other_id_3"] == "L-1"


@case("D16")
async def _pods_and_refused_keys(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    *pods, url = found["input"]["settings"]
    assert [MParticle(pod=pod).base for pod in pods] == list(PODS.values())
    assert MParticle(pod=url).base == PODS["eu1"]
    destination = mparticle(client, receiver)
    for answer in found["input"]["answers"]:
        by_request(receiver, lambda _, status=answer["status"]: status)  # type: ignore[misc]
        [attempt] = await destination.send([leased(destination, delivery())], NOON)
        assert (attempt.counted, attempt.final, attempt.gone) == (False, False, False)
        assert attempt.retry_after == timedelta(hours=1)
        assert "mParticle refused the key: check `key`, `secret` and `pod`" in (attempt.error or "")
    assert receiver.requests[0].path == "/v2/bulkevents"


@case("D19")
async def _development_traffic_is_mirrored(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    batch = rendered(mparticle(client), delivery(environment="development"))
    assert batch["environment"] == "development"
    assert rendered(mparticle(client), delivery())["environment"] == "production"
    recipients = Recipients.of_everything(("mp", "cdp", "shop"))
    assert recipients.held_back(["mp", "cdp", "shop"]) == ["mp", "cdp", "shop"]
    chosen = msgspec.structs.replace(recipients, development=frozenset(("mp",)))
    assert chosen.held_back(["mp", "cdp", "shop"]) == ["cdp", "shop"]


@case("D20")
async def _our_own_events_are_recognised(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    call, event = (
        {name: given[name] for name in given if name != "source"} for given in found["input"]["incoming"]
    )
    by_segment = webhook.decode(msgspec.json.encode({**call, "userId": "c-1"}), NOON)
    assert (by_segment.messages, by_segment.dropped) == ([], 1)
    batch = {"user_identities": {"customer_id": "c-1"}, "events": [event]}
    by_mparticle = mparticle_source.decode(msgspec.json.encode(batch), NOON)
    assert (by_mparticle.messages, by_mparticle.dropped) == ([], 1)


@case("D22")
async def _an_event_that_names_our_code_counts(found: Any, client: GuardedClient, receiver: Receiver) -> None:
    decoded = webhook.decode(msgspec.json.encode(found["input"]["incoming"]), NOON)
    assert ([message.key for message in decoded.messages], decoded.dropped) == (["ajs-1:track"], 0)
