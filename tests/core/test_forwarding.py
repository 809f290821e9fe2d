"""An adapter with a remote core: messages are stored, forwarded, and answered with the core's discounts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.destinations.core import document
from adapter.model.deliveries import Delivery
from tests.acceptance.receiver import SECRET, receiving
from tests.core.conftest import Instance, MakeInstance
from tests.core.peers import Wire, until, wire_to


def now() -> datetime:
    return datetime.now(UTC)


def track(number: int, who: str = "c-1", name: str = "checkout_started", **properties: Any) -> dict[str, Any]:
    """Return a message as Segment sends it."""
    return {"type": "track", "event": name, "messageId": f"m{number}", "userId": who,
            "timestamp": now().isoformat(), "properties": {"cart_value": 150, **properties}}  # fmt: skip


@pytest.fixture
async def wire(instance: MakeInstance, tmp_path: Path) -> AsyncIterator[Wire]:
    """A core behind a wire."""
    async with wire_to(await instance(f"sqlite:///{tmp_path / 'decides.db'}", clock=now)) as wire:
        yield wire


@pytest.fixture
def start(instance: MakeInstance, wire: Wire, tmp_path: Path) -> MakeInstance:
    """Start adapters of that core, without rules of their own, and with a webhook where one is named."""

    async def start(store: str, *, hook: str = "", wait_ms: int = 20_000, **settings: Any) -> Instance:
        chosen: dict[str, Any] = {
            "destinations__core__type": "core",
            "destinations__core__url": wire.url,
            "destinations__core__wait_ms": wait_ms,
            "destinations__core__allow_private_addresses": True,
            "files__rules": str(tmp_path / "none"),
            "ingest__max_wait_seconds": 60,
            **settings,
        }
        if hook:
            chosen |= {
                "destinations__crm__type": "webhook",
                "destinations__crm__url": hook,
                "destinations__crm__secrets": (SECRET,),
                "destinations__crm__allow_private_addresses": True,
            }
        return await instance(store, clock=now, **chosen)

    return start


async def send(adapter: Instance, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """Send messages in one request, and return their results."""
    response = await adapter.call("/webhooks/segment", list(messages))
    assert response.status_code == 200, response.text
    return list(response.json()["results"])


async def due(adapter: Instance) -> int:
    """Return how much waits in the outbox."""
    return (await adapter.app.store.counts())["deliveries_due"]


async def test_the_response_has_the_discounts_of_the_core(
    start: MakeInstance, wire: Wire, store_url: str
) -> None:
    adapter = await start(store_url)
    first, second = await send(adapter, track(1), track(2, "c-2", cart_value=1))
    assert (first["message_id"], first["outcome"]) == ("m1", "processed")
    [discount] = first["discounts"]
    assert discount["metadata"]["issued_for_event_id"] == "m1"
    assert "discounts" not in second
    assert (await wire.core.app.store.discounts("c-1"))[0].discount.code == discount["code"]
    await until(lambda: _nothing_due(adapter))
    assert len(await adapter.app.store.events("c-1")) == 0, "only the core has customers"


async def _nothing_due(adapter: Instance) -> bool:
    return await due(adapter) == 0


async def test_a_message_that_comes_again_gets_the_discounts_of_the_first_time(
    start: MakeInstance, wire: Wire, store_url: str
) -> None:
    adapter = await start(store_url)
    message = track(1)
    [first] = await send(adapter, message)
    await until(lambda: _nothing_due(adapter))
    [again] = await send(adapter, message)
    assert (again["outcome"], again["discounts"]) == ("duplicate", first["discounts"])
    assert len(wire.sent) == 1


async def test_while_the_core_is_away_messages_are_taken_and_decided_when_it_is_back(
    start: MakeInstance, wire: Wire, store_url: str
) -> None:
    """Case D44: the sender gets 200 after our commit, and the discount is pushed later."""
    wire.fate = lambda _: "refuse"
    async with receiving() as crm:
        adapter = await start(store_url, hook=crm.url, wait_ms=50)
        results = [result for number in range(5) for result in await send(adapter, track(number))]
        assert {result["outcome"] for result in results} == {"processed"}
        assert not any(result.get("discounts") for result in results)
        assert results[0]["reason"] == "the core has not answered yet; its discounts are pushed"
        assert await due(adapter) == 5
        wire.fate = lambda _: "pass"
        await until(lambda: len(crm.pushed) == 5)
        held = {each.discount.code for each in await wire.core.app.store.discounts("c-1")}
        assert crm.pushed.keys() == held
        await until(lambda: _nothing_due(adapter))
    assert [each.id for each in await wire.core.app.store.events("c-1")][::-1] == [f"m{n}" for n in range(5)]


async def test_an_answer_that_is_lost_costs_no_discount_and_doubles_none(
    start: MakeInstance, wire: Wire, store_url: str
) -> None:
    """Case D40: the core decides and commits, and the connection breaks."""
    fates = iter(["lose the answer"] * 2)
    wire.fate = lambda _: next(fates, "pass")
    async with receiving() as crm:
        adapter = await start(store_url, hook=crm.url)
        [result] = await send(adapter, track(1))
        [held] = await wire.core.app.store.discounts("c-1")
        assert [each["code"] for each in result["discounts"]] == [held.discount.code]
        await until(lambda: held.discount.code in crm.pushed)
        await until(lambda: _nothing_due(adapter))
        assert {code: list(ids.values()) for code, ids in crm.pushed.items()} == {held.discount.code: [1]}
    assert len(wire.sent) == 3
    assert {each["id"] for request in wire.sent for each in request} == {"segment:m1:track"}
    assert len(await wire.core.app.store.events("c-1")) == 1


async def test_what_the_core_quarantines_is_named_in_the_response(
    start: MakeInstance, wire: Wire, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = await start(store_url)
    monkeypatch.setattr("adapter.services.ingest.operation_documents.MAX_NAME", 3)
    [result] = await send(adapter, track(1))
    assert result["outcome"] == "quarantined"
    assert "`event.name` is longer than 3 characters" in result["reason"]
    await until(lambda: _nothing_due(adapter))
    assert [each.key for each in await wire.core.app.store.quarantined()] == ["segment:m1:track"]


async def test_an_erasure_reaches_the_core_and_leaves_nothing_here(
    start: MakeInstance, wire: Wire, store_url: str
) -> None:
    adapter = await start(store_url, wait_ms=50, destinations__core__timeout_seconds=1)
    await send(adapter, track(1))
    core = wire.core.app.store
    await until(lambda: _nothing_due(adapter))
    assert len(await core.discounts("c-1")) == 1
    wire.fate = lambda _: "refuse"
    await send(adapter, track(2))
    await send(adapter, {"type": "delete", "messageId": "m3", "userId": "c-1"})
    await adapter.app.forgetting.finish()
    [waiting] = await _operations(adapter)
    assert waiting.type == "operations.erase"
    assert b"c-1" not in waiting.body
    wire.fate = lambda _: "pass"
    await until(lambda: _no_operation_due(adapter))
    assert len(await core.discounts("c-1")) == 0
    assert await core.customer("c-1") is None
    [receipt] = await core.receipts("c-1")
    assert receipt.removed["discounts"] == 1
    assert len(await adapter.app.store.receipts("c-1")) == 1
    # What is forwarded to every destination later is the same operation, so what came since is not erased.
    [forwarded] = await adapter.app.store.deliveries("due")
    assert forwarded.type == "customer.erased"
    assert [each["id"] for each in wire.sent[-1]] == [json.loads(document(forwarded))["id"]]


async def test_an_answer_about_a_customer_who_was_erased_meanwhile_is_not_kept(
    start: MakeInstance, wire: Wire, store_url: str
) -> None:
    adapter = await start(
        store_url, hook="http://127.0.0.1:9", wait_ms=50, destinations__core__timeout_seconds=20
    )
    wire.open.clear()
    await send(adapter, track(1))
    await until(lambda: wire.sent)
    await send(adapter, {"type": "delete", "messageId": "m2", "userId": "c-1"})
    wire.open.set()
    await send(adapter, track(3, "c-2"))
    await until(lambda: _pushes(adapter))
    assert {each.source_id for each in await _pushes(adapter)} == {"c-2"}


async def _pushes(adapter: Instance) -> list[Delivery]:
    found = [each for status in ("due", "dead") for each in await adapter.app.store.deliveries(status)]
    return [each for each in found if each.type == "discount.issued"]


async def _operations(adapter: Instance) -> list[Delivery]:
    return [each for each in await adapter.app.store.deliveries("due") if each.type.startswith("operations")]


async def _no_operation_due(adapter: Instance) -> bool:
    return not await _operations(adapter)


CALLS = [
    ("GET", "/v1/discounts/CODE"), ("POST", "/v1/validations"), ("POST", "/v1/redemptions"),
    ("GET", "/v1/customers/c-1/discounts"), ("GET", "/v1/customers/c-1"), ("GET", "/v1/decisions"),
    ("GET", "/v1/rules/cart/figures"), ("POST", "/v1/evaluate"),
]  # fmt: skip


async def test_calls_that_only_the_core_answers_say_where_it_is(start: MakeInstance, tmp_path: Path) -> None:
    adapter = await start(f"sqlite:///{tmp_path / 'adapter.db'}")
    for method, path in CALLS:
        response = await adapter.client.request(method, path, json={"operations": []})
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (421, "remote_core"), path
        assert "`127.0.0.1`" in error["message"]
    assert (await adapter.client.get("/v1/quarantine")).status_code == 200


async def test_an_adapter_as_the_core_of_another_takes_nothing(
    start: MakeInstance, wire: Wire, tmp_path: Path
) -> None:
    """There are no loops: who has a remote core never decides, nor forwards what is sent to it."""
    first = await start(f"sqlite:///{tmp_path / 'first.db'}", wait_ms=50)
    async with wire_to(first) as behind:
        second = await start(
            f"sqlite:///{tmp_path / 'second.db'}", wait_ms=50, destinations__core__url=behind.url
        )
        await send(second, track(1))
        await until(lambda: _paused(second))
        assert wire.sent == []
        assert await due(second) == 1


async def _paused(adapter: Instance) -> bool:
    pauses = (await adapter.client.get("/v1/deliveries/pauses")).json()["pauses"]
    return any("it has a remote core itself" in each["reason"] for each in pauses)


async def test_beyond_the_bound_senders_are_told_to_come_again(
    start: MakeInstance, wire: Wire, tmp_path: Path
) -> None:
    """Case D44: 503 and Retry-After, never a 4xx."""
    wire.fate = lambda _: "refuse"
    adapter = await start(
        f"sqlite:///{tmp_path / 'adapter.db'}", wait_ms=0, destinations__core__max_waiting=2
    )
    await send(adapter, track(1), track(2))
    response = await adapter.call("/webhooks/segment", track(3))
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1


async def test_operations_of_one_customer_are_decided_in_their_order(
    start: MakeInstance, wire: Wire, store_url: str
) -> None:
    """Case D39: also when some are sent twice, and while other customers go on."""
    count = iter(range(1_000))
    wire.fate = lambda _: "lose the answer" if next(count) % 3 == 1 else "pass"
    adapter = await start(store_url, wait_ms=0)
    for number in range(20):
        await send(adapter, track(number, f"c-{number % 2}"))
    await until(lambda: _nothing_due(adapter))
    for customer in range(2):
        found = await wire.core.app.store.decisions(f"c-{customer}")
        ids = [each.event_id for each in found if each.unevaluated is None][::-1]
        assert ids == [f"m{number}" for number in range(20) if number % 2 == customer]


async def test_a_part_of_units_is_redeemed_once_though_the_answer_is_lost(
    start: MakeInstance, wire: Wire, tmp_path: Path
) -> None:
    (tmp_path / "mappings" / "rides.yaml").write_text(RIDES)
    async with receiving() as crm:
        adapter = await start(f"sqlite:///{tmp_path / 'adapter.db'}", hook=crm.url)
        [bought] = await send(adapter, track(1, name="rides_bought"))
        code = bought["discounts"][0]["code"]
        fates = iter(["lose the answer"] * 2)
        wire.fate = lambda _: next(fates, "pass")
        [ridden] = await send(adapter, track(2, name="Ride Ended", coupon=code, minutes=12.5))
        assert ridden["discounts"][0]["action"]["left"] == 17.5
        await until(lambda: crm.count == 2)


async def test_pushes_of_what_the_core_returned_have_the_versions_of_the_core(
    start: MakeInstance, wire: Wire, store_url: str, tmp_path: Path
) -> None:
    """Case D39: also when the answers are lost, and without a version in responses and in `data`."""
    (tmp_path / "mappings" / "rides.yaml").write_text(RIDES)
    adapter = await start(store_url, hook="http://127.0.0.1:9")
    [bought] = await send(adapter, track(1, name="rides_bought"))
    code = bought["discounts"][0]["code"]
    # The core has applied it meanwhile, and pushes that itself.
    applied = {"id": "o-1", "action": "discount.apply", "code": code, "order_id": "order-1"}
    [result] = await wire.core.evaluate(applied)
    assert result["discounts"][0]["version"] == 2
    fates = iter(["lose the answer"] * 2)
    wire.fate = lambda _: next(fates, "pass")
    [ridden] = await send(adapter, track(2, name="Ride Ended", coupon=code, minutes=12.5))
    assert "version" not in bought["discounts"][0].keys() | ridden["discounts"][0].keys()
    await until(lambda: _no_operation_due(adapter))
    found = await adapter.app.store.deliveries("due")
    pushed = [json.loads(bytes(each.event)) for each in found if each.destination == "crm"]
    assert [(each["type"], each["version"]) for each in pushed] == [
        ("discount.issued", 1), ("discount.used", 3),
    ]  # fmt: skip
    assert not any("version" in each["data"] for each in pushed)


async def test_a_discount_that_two_messages_with_one_event_get_is_pushed_once(
    start: MakeInstance, wire: Wire, tmp_path: Path
) -> None:
    (tmp_path / "mappings" / "orders.yaml").write_text(ORDERS)
    async with receiving() as crm:
        adapter = await start(f"sqlite:///{tmp_path / 'adapter.db'}", hook=crm.url)
        [first] = await send(adapter, track(1, order="order-1") | {"type": "screen"})
        [again] = await send(adapter, track(2, order="order-1") | {"type": "screen"})
        assert first["discounts"] == again["discounts"]
        await until(lambda: _nothing_due(adapter))
        assert [list(ids.values()) for ids in crm.pushed.values()] == [[1]]


async def test_development_traffic_is_pushed_only_where_it_is_wanted(
    start: MakeInstance, wire: Wire, tmp_path: Path
) -> None:
    accept = {"mparticle__accept_development": True}
    async with receiving() as crm:
        adapter = await start(f"sqlite:///{tmp_path / 'adapter.db'}", hook=crm.url, **accept)
        [tried] = await send(adapter, {**track(1), "context": {"environment": "development"}})
        assert "comes from a development environment" in tried["reason"], "the core does not accept it"
        await until(lambda: _nothing_due(adapter))
        assert crm.count == 0


ORDERS = """\
source: segment
mappings:
  - name: Order
    subscribe: type = "screen"
    action: event
    fields:
      source_id: {"@path": $.userId}
      id: {"@path": $.properties.order}
      name: checkout_started
      attributes: {"@path": $.properties}
"""
RIDES = """\
source: segment
mappings:
  - name: Ride
    subscribe: type = "track" and event = "Ride Ended"
    action: discount.redeem
    fields:
      code: {"@path": $.properties.coupon}
      source_id: {"@path": $.userId}
      units: {"@path": $.properties.minutes}
"""
