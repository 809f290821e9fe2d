"""Customers and events are forwarded: what, when, how often, and in which state; on both engines."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from adapter.metrics import Metrics
from adapter.model.forwards import ForwardTo
from adapter.model.operations import CustomerErase, CustomerMerge, CustomerUpsert
from adapter.services.delivery.forwarder import BACKLOG, Forwarder
from adapter.store.values import DeliveryResult

RULES = "rules: [{name: seen, trigger: seen, action: {type: free_shipping}}]"
QUARTER = timedelta(minutes=15)
NUMBERS = itertools.count()
BOTH = ForwardTo(customers=True, events=True, interval=QUARTER)


def known(source_id: str = "ann", **traits: Any) -> CustomerUpsert:
    return CustomerUpsert(source_id, traits=traits)


async def forwarded(desk: Any, minutes: float = 0) -> list[tuple[str, str, Any]]:
    """Move what is due, and return destination, type and the told part of each delivery."""
    desk.now = desk.at(minutes)
    forwarder = Forwarder(
        desk.store, desk.forwards, lambda: desk.now, Metrics(), new_id=lambda: f"{next(NUMBERS)}",
        wake=lambda: None,
    )  # fmt: skip
    await forwarder.step()
    found = []
    for each in await desk.store.deliveries("due"):
        body = json.loads(bytes(each.event))
        data = body["data"]
        told = data["event"]["name"] if "event" in data else data.get("traits")
        found.append((each.destination, body["type"], told))
    return found


async def test_changes_within_the_interval_become_the_newest_state(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    desk.forwards["vf"] = ForwardTo(customers=True, interval=QUARTER)
    await desk.take(known(plan="free"))
    desk.now = desk.at(10)
    await desk.take(known(plan="gold"))
    assert await forwarded(desk, 14) == []
    assert await forwarded(desk, 15) == [("vf", "customer.updated", {"plan": "gold"})]
    told_again = {"timestamp": "2026-03-01T12:30:00Z"}  # nothing has changed but the time
    await desk.settle([replace(desk.work(known(plan="gold")), document=told_again)])
    assert len(await forwarded(desk, 60)) == 1
    await desk.take(known(plan="free"))
    assert await forwarded(desk, 75) == [
        ("vf", "customer.updated", {"plan": "gold"}), ("vf", "customer.updated", {"plan": "free"}),
    ]  # fmt: skip


async def versions(desk: Any) -> list[tuple[str, int | None]]:
    """Return the customer and the version of each delivery."""
    bodies = [json.loads(bytes(each.event)) for each in await desk.store.deliveries("due")]
    return [(body["data"]["source_id"], body.get("version")) for body in bodies]


async def test_the_version_of_a_customer_rises_with_each_change_that_is_forwarded(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    desk.forwards["vf"] = BOTH
    await desk.take(known(plan="free"))
    await forwarded(desk, 15)
    await desk.take(known(plan="gold"))
    await desk.take(known(plan="free"))
    await desk.take(desk.event("seen", "ann"))
    await forwarded(desk, 60)
    await desk.take(known("bob", plan="gold"))
    await desk.take(CustomerMerge("ann", "bob"))
    await forwarded(desk, 90)
    assert await versions(desk) == [("ann", 1), ("ann", None), ("ann", 3), ("ann", 4)]
    assert (await desk.store.customer("ann")).version == 4


async def test_a_customer_of_whom_nothing_is_forwarded_has_no_version(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    desk.forwards["vf"] = ForwardTo(events=True)
    await desk.take(known(plan="free"))
    assert (await desk.store.customer("ann")).version == 0


async def test_an_event_is_forwarded_once_to_each_destination_that_asks_for_events(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    desk.forwards.update({"vf": BOTH, "crm": ForwardTo(customers=True), "shop": ForwardTo(events=True)})
    await desk.take(known(), desk.event("seen"))
    await desk.take(desk.event("seen"))  # the same event in another message
    await desk.take(desk.event("bought", minutes=1))
    expected: list[Any] = [("crm", "customer.updated", None)]
    expected += [(name, "event.occurred", event) for name in ("shop", "vf") for event in ("bought", "seen")]
    assert sorted(await forwarded(desk)) == expected


async def test_history_and_development_traffic_are_not_forwarded(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    everything = ForwardTo(customers=True, events=True, development=True)
    desk.forwards.update({"vf": ForwardTo(customers=True, events=True), "test": everything})
    await desk.take(known("dev"), desk.event("seen", "dev"), unrewarded="a test")
    assert sorted(await forwarded(desk)) == [
        ("test", "customer.updated", None), ("test", "event.occurred", "seen"),
    ]  # fmt: skip


async def test_a_visitor_is_forwarded_once_an_id_is_known(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    desk.forwards["vf"] = ForwardTo(customers=True, events=True)
    desk.forwards["all"] = ForwardTo(customers=True, anonymous=True)
    visitor = CustomerUpsert("v-1", identities={"anonymous_id": "v-1"}, traits={"from": "ad"})
    seen = replace(desk.event("seen", "v-1"), identities={"anonymous_id": "v-1"})
    await desk.take(visitor, seen)
    assert await forwarded(desk) == [("all", "customer.updated", {"from": "ad"})]
    await desk.take(CustomerMerge("ann", "v-1"), known(plan="gold"))
    assert ("vf", "customer.updated", {"from": "ad", "plan": "gold"}) in await forwarded(desk)


async def test_an_erased_customer_is_not_forwarded_any_more(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    desk.forwards["vf"] = BOTH
    await desk.take(known(plan="gold"), desk.event("seen"))
    await desk.take(CustomerErase("ann"))
    assert await forwarded(desk, 60) == []


async def test_nothing_is_noted_where_nothing_is_forwarded(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    await desk.take(known(plan="gold"), desk.event("seen"))
    desk.forwards["vf"] = BOTH
    assert desk.last.forwards == 0
    assert await forwarded(desk, 60) == []


async def test_what_a_slow_destination_cannot_take_waits_in_its_newest_state(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    desk.forwards["vf"] = ForwardTo(customers=True)
    names = [f"c-{n}" for n in range(BACKLOG + 1)]
    await desk.settle([desk.work(known(name, n=0)) for name in names])
    for _ in range(3):
        await forwarded(desk)
    due = await desk.store.deliveries("due", 1000)
    [left] = set(names) - {each.source_id for each in due}
    await desk.take(known(left, n=1))
    await desk.take(known(left, n=2))
    leased = await desk.store.lease(desk.now, desk.at(1), 1, "vf")
    await desk.store.settle([DeliveryResult(leased[0].id, 1, done=True)])
    await forwarded(desk)
    [newest] = [each for each in await desk.store.deliveries("due", 1000) if each.source_id == left]
    assert json.loads(bytes(newest.event))["data"]["traits"] == {"n": 2}
