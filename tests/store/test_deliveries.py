"""The outbox: leased to one, fenced by attempt, settled once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from adapter.errors import Refused
from adapter.model.deliveries import WAITING, Delivery, Past, PastAttempt, Pause, Rendered, Selection
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.values import DeliveryResult, Ordering
from tests.store.conftest import NOW


async def test_a_delivery_is_returned_as_saved(store: Store, run: Any, make: Any) -> None:
    delivery = replace(make.delivery("d\0"), not_after=make.at(hours=1), last_error="é", attempt=3)
    await run.save(deliveries=[delivery])
    assert await store.deliveries("due") == [delivery]


async def test_the_same_id_again_is_kept_once(store: Store, run: Any, make: Any) -> None:
    await run.save(deliveries=[make.delivery("d1"), make.delivery("d1")])
    await run.save(deliveries=[make.delivery("d1", due_at=make.at(days=1))])
    assert await store.deliveries("due") == [make.delivery("d1")]


async def test_due_ones_are_leased_the_longest_due_first_with_the_attempt_counted(
    store: Store, run: Any, make: Any
) -> None:
    saved = [make.delivery(f"d{hours}", due_at=make.at(hours=hours)) for hours in (0, -2, 1, -1)]
    await run.save(deliveries=saved)
    first = await store.lease(make.now, make.at(minutes=1), 2)
    assert first == [replace(saved[1], attempt=1), replace(saved[3], attempt=1)]
    assert [each.id for each in await store.lease(make.now, make.at(minutes=1), 5)] == ["d0"]
    assert await store.lease(make.now, make.at(minutes=1), 5) == []


async def test_a_lease_that_has_run_out_may_be_taken_again_and_fences_the_first(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(deliveries=[make.delivery("d1")])
    await store.lease(make.now, make.at(minutes=1), 1)
    assert await store.lease(make.at(seconds=59), make.at(minutes=2), 1) == []
    assert (await store.lease(make.at(minutes=1), make.at(minutes=2), 1))[0].attempt == 2
    assert await store.settle([DeliveryResult("d1", 1, done=True)]) == 0
    assert await store.settle([DeliveryResult("d1", 2, done=True)]) == 1
    assert await store.settle([DeliveryResult("d1", 2, done=True)]) == 0


async def test_a_lease_may_ask_for_one_destination(store: Store, run: Any, make: Any) -> None:
    slow = [make.delivery(f"s{number}", due_at=make.at(days=-1), destination="slow") for number in range(3)]
    await run.save(deliveries=[*slow, make.delivery("d1")])
    assert [each.id for each in await store.lease(make.now, make.at(minutes=1), 9, "shop")] == ["d1"]
    assert len(await store.lease(make.now, make.at(minutes=1), 9, "slow")) == 3


async def test_two_callers_never_get_the_same(store: Store, run: Any, make: Any) -> None:
    await run.save(deliveries=[make.delivery(f"d{number}", f"c{number}") for number in range(40)])
    leases = await asyncio.gather(*(store.lease(make.now, make.at(minutes=1), 7) for _ in range(12)))
    ids = [delivery.id for lease in leases for delivery in lease]
    assert len(ids) == len(set(ids)) == 40


async def test_settled_ones_are_done_dead_or_due_again(store: Store, run: Any, make: Any) -> None:
    await run.save(deliveries=[make.delivery(id_) for id_ in ("done", "dead", "again")])
    await store.lease(make.now, make.at(minutes=1), 3)
    settlements = [
        DeliveryResult("done", 1, done=True),
        DeliveryResult("dead", 1, done=False, error="410 Gone"),
        DeliveryResult("again", 1, done=False, due_at=make.at(seconds=5), error="503"),
        DeliveryResult("unknown", 1, done=True),
    ]
    assert await store.settle(settlements) == 3
    assert [each.id for each in await store.deliveries("done")] == ["done"]
    dead, due = (await store.deliveries("dead"))[0], (await store.deliveries("due"))[0]
    assert (dead.id, dead.status, dead.last_error) == ("dead", "dead", "410 Gone")
    assert (due.id, due.due_at, due.last_error, due.attempt) == ("again", make.at(seconds=5), "503", 1)
    assert await store.lease(make.at(seconds=4), make.at(minutes=1), 3) == []
    assert (await store.lease(make.at(seconds=5), make.at(minutes=1), 3))[0].attempt == 2
    counts = await store.counts()
    assert (counts["deliveries_due"], counts["deliveries_dead"]) == (1, 1)


async def test_deliveries_of_one_status_come_oldest_first(store: Store, run: Any, make: Any) -> None:
    for number in range(3):
        await run.save(deliveries=[make.delivery(f"d{number}", due_at=make.at(days=-number))])
    assert [each.id for each in await store.deliveries("due", limit=2)] == ["d0", "d1"]


async def test_an_unknown_status_is_refused(store: Store) -> None:
    with pytest.raises(Refused, match="use one of due, done, dead"):
        await store.deliveries("sent")


async def test_deliveries_may_be_those_of_one_destination(store: Store, run: Any, make: Any) -> None:
    other = [make.delivery(f"o{number}", destination="other") for number in range(3)]
    await run.save(deliveries=[*other, make.delivery("d1")])
    assert [each.id for each in await store.deliveries("due", 2, "shop")] == ["d1"]
    assert [each.id for each in await store.deliveries("due", 2, "other")] == ["o0", "o1"]
    assert await store.deliveries("dead", 2, "other") == []


@pytest.fixture
async def buried(store: Store, run: Any, make: Any) -> Store:
    """Four deliveries: `a` and `b` for shop and `c` for other are dead, `d` is done."""
    await run.save(
        deliveries=[make.delivery("a"), make.delivery("b"), make.delivery("c", destination="other"),
                    make.delivery("d")]
    )  # fmt: skip
    await store.lease(make.now, make.at(minutes=1), 9)
    await store.settle([DeliveryResult(each, 1, done=each == "d", error="answered 410") for each in "abcd"])
    return store


@pytest.mark.parametrize(
    ("asked", "revived"),
    [
        ({}, "abc"),
        ({"destination": "shop"}, "ab"),
        ({"ids": ["a", "c"]}, "ac"),
        ({"ids": ["a", "c"], "destination": "other"}, "c"),
        ({"ids": ["a", "d", "unknown"]}, "a"),
        ({"ids": []}, ""),
        ({"destination": "nowhere"}, ""),
        ({"type": "discount.issued"}, "abc"),
        ({"type": "discount.redeemed"}, ""),
        ({"error": "410"}, "abc"),
        ({"error": "500"}, ""),
        ({"since": NOW}, "abc"),
        ({"since": NOW + timedelta(seconds=1)}, ""),
        ({"until": NOW}, ""),
        ({"until": NOW + timedelta(seconds=1), "destination": "shop"}, "ab"),
    ],
)
async def test_of_the_dead_those_that_are_asked_for_wait_again(
    buried: Store, make: Any, asked: dict[str, Any], revived: str
) -> None:
    assert await buried.revive(make.at(hours=1), Selection(**asked)) == len(revived)
    due = await buried.deliveries("due")
    assert [each.id for each in due] == [*revived]
    assert {each.due_at for each in due} <= {make.at(hours=1)}
    assert [each.id for each in await buried.deliveries("done")] == ["d"]


async def test_one_that_waits_again_has_all_its_attempts_and_those_of_before_are_fenced(
    buried: Store, make: Any
) -> None:
    await buried.revive(make.at(hours=1), Selection(ids=("a",)))
    assert await buried.lease(make.at(minutes=59), make.at(hours=2), 9) == []
    [again] = await buried.lease(make.at(hours=1), make.at(hours=2), 9)
    assert again.tries == 1
    assert again.last_error == "answered 410"
    assert await buried.settle([DeliveryResult("a", 1, done=True)]) == 0
    assert await buried.settle([DeliveryResult("a", again.attempt, done=True)]) == 1


async def test_deliveries_of_a_store_that_another_has_open_are_read_without_opening_it(
    buried: Store, store_url: str
) -> None:
    beside = open_store(store_url)
    assert [each.id for each in await beside.deliveries("dead")] == ["a", "b", "c"]
    assert len(await buried.deliveries("dead")) == 3


async def test_those_that_wait_become_due_where_that_is_asked_for_and_leased_ones_do_not(
    store: Store, run: Any, make: Any
) -> None:
    later = make.at(hours=1)
    await run.save(deliveries=[make.delivery("waits", due_at=later), make.delivery("leased")])
    await store.lease(make.now, make.at(minutes=1), 9)
    assert await store.revive(make.now) == 0
    assert await store.revive(make.now, statuses=WAITING) == 1
    [hurried] = await store.lease(make.now, make.at(minutes=1), 9)
    assert (hurried.id, hurried.attempt) == ("waits", 1)


async def test_the_attempts_are_kept_with_the_delivery(store: Store, run: Any, make: Any) -> None:
    await run.save(deliveries=[make.delivery("d1")])
    past = Past()
    for attempt in (1, 2):
        await store.lease(make.at(hours=attempt), make.at(hours=attempt, minutes=1), 1)
        past = past.followed_by(PastAttempt(make.now, attempt, 503, "answered 503", "no ✓"))
        due_at = make.at(hours=attempt + 1)
        await store.settle([DeliveryResult("d1", attempt, done=False, due_at=due_at, past=past)])
    [kept] = await store.deliveries("due")
    assert kept.past == past
    assert [(each.attempt, each.status, each.answer) for each in kept.past.latest] == [
        (1, 503, "no ✓"),
        (2, 503, "no ✓"),
    ]
    assert kept.tries == 2


async def test_of_an_ordered_destination_only_the_first_of_each_customer_is_leased(
    store: Store, run: Any, make: Any
) -> None:
    first = make.delivery("a1", "a")
    await run.save(
        deliveries=[first, make.delivery("a2", "a", due_at=make.at(hours=-1)), make.delivery("b1", "b")]
    )
    until = make.at(minutes=1)
    assert {each.id for each in await store.lease(make.now, until, 9, "shop", order=Ordering(kept=True))} == {
        "a1",
        "b1",
    }
    assert await store.lease(make.now, until, 9, "shop", order=Ordering(kept=True)) == []
    again_at = make.at(hours=1)
    await store.settle(
        [DeliveryResult("b1", 1, done=True), DeliveryResult("a1", 1, done=False, due_at=again_at)]
    )
    assert await store.lease(make.at(minutes=59), until, 9, "shop", order=Ordering(kept=True)) == []
    [again] = await store.lease(again_at, make.at(hours=2), 9, "shop", order=Ordering(kept=True))
    await store.settle([DeliveryResult("a1", again.attempt, done=False, error="answered 400")])
    [second] = await store.lease(again_at, make.at(hours=2), 9, "shop", order=Ordering(kept=True))
    assert (again.id, second.id) == ("a1", "a2")


async def test_the_order_of_some_customers_may_be_given_up(store: Store, run: Any, make: Any) -> None:
    saved = [make.delivery(f"{who}{number}", who) for number in (1, 2, 3) for who in "abc"]
    await run.save(deliveries=saved)
    assert await store.crowded("shop", 3, 9) == []
    assert sorted(await store.crowded("shop", 2, 9)) == ["a", "b", "c"]
    assert len(await store.crowded("shop", 2, 2)) == 2
    assert await store.crowded("other", 0, 9) == []
    order = Ordering(kept=True, given_up=["b", "c"])
    leased = await store.lease(make.now, make.at(minutes=1), 9, "shop", order=order)
    assert sorted(each.id for each in leased) == ["a1", "b1", "b2", "b3", "c1", "c2", "c3"]


async def test_the_first_due_deliveries_of_customers_come_in_their_order(
    store: Store, run: Any, make: Any
) -> None:
    saved = [make.delivery(f"{who}{n}", who, due_at=make.at(hours=-n)) for n in (1, 2, 3) for who in "abc"]
    await run.save(deliveries=[*saved, make.delivery("o1", "a", destination="other")])
    [first] = await store.lease(make.now, make.at(minutes=1), 1, "shop", order=Ordering(kept=True))
    await store.settle([DeliveryResult(first.id, 1, done=True)])
    found = await store.due_of("shop", ["a", "b"], 2)
    left = {who: [f"{who}{n}" for n in (1, 2, 3) if f"{who}{n}" != first.id][:2] for who in "ab"}
    assert {who: [each.id for each in found if each.source_id == who] for who in "ab"} == left
    assert len(found) == 4


async def test_the_oldest_due_delivery_is_known_by_its_time(store: Store, run: Any, make: Any) -> None:
    assert await store.oldest_due() is None
    old = replace(make.delivery("old"), created_at=make.at(hours=-2), due_at=make.at(hours=3))
    await run.save(deliveries=[old, make.delivery("new")])
    assert await store.oldest_due() == make.at(hours=-2)
    await store.lease(make.at(hours=4), make.at(hours=5), 9)
    await store.settle([DeliveryResult("old", 1, done=True)])
    assert await store.oldest_due() == make.now


async def test_the_destinations_of_due_deliveries_are_named(store: Store, run: Any, make: Any) -> None:
    assert await store.due_destinations() == []
    await run.save(
        deliveries=[make.delivery(f"{name}{n}", destination=name) for name in ("b", "a", "c") for n in (1, 2)]
    )
    assert await store.due_destinations() == ["a", "b", "c"]


async def leased(store: Store, now: Any, make: Any, destination: str | None = None) -> set[str]:
    """Return what may be leased at a moment, and let the lease end at once."""
    return {each.id for each in await store.lease(now, now, 9, destination)}


async def test_nothing_is_leased_for_a_destination_while_it_is_paused(
    store: Store, run: Any, make: Any
) -> None:
    await run.save(deliveries=[make.delivery("d1"), make.delivery("o1", destination="other")])
    await store.pause(Pause("shop", make.now, make.at(hours=1), "answered 410"))
    assert await leased(store, make.now, make, "shop") == set()
    assert await leased(store, make.now, make, "other") == {"o1"}
    assert await leased(store, make.at(minutes=59), make) == {"o1"}, "whichever destinations are asked for"
    assert await leased(store, make.at(hours=1), make) == {"d1", "o1"}
    assert await leased(store, make.at(hours=1), make, "shop") == {"d1"}


async def test_a_pause_is_seen_until_its_end_or_until_it_is_ended(store: Store, make: Any) -> None:
    shop = Pause("shop", make.now, make.at(hours=1), "answered 410")
    other = Pause("other", make.now, make.at(minutes=1), "answered 429")
    await store.pause(shop)
    await store.pause(other)
    assert await store.pauses(make.now) == [other, shop]
    assert await store.pauses(make.at(minutes=1)) == [shop]
    await store.resume("other")
    assert await store.pauses(make.now) == [shop]
    await store.resume()
    assert await store.pauses(make.now) == []


async def test_the_longest_pause_stays_unless_the_clock_was_set_back_since(store: Store, make: Any) -> None:
    longest = Pause("shop", make.now, make.at(hours=1), "answered 410")
    await store.pause(longest)
    await store.pause(Pause("shop", make.at(seconds=1), make.at(minutes=1), "answered 429"))
    assert await store.pauses(make.at(seconds=2)) == [longest]
    back = Pause("shop", make.at(hours=-5), make.at(hours=-4), "answered 429")
    assert await store.pauses(back.since) == [], "a pause that begins in the future is over"
    await store.pause(back)
    assert await store.pauses(back.since) == [back]


async def test_pauses_are_read_of_a_closed_store_too(store: Store, store_url: str, make: Any) -> None:
    pause = Pause("shop", make.now, make.at(hours=1), "answered 410")
    await store.pause(pause)
    assert await open_store(store_url).pauses(make.now) == [pause]


async def test_what_a_lease_renders_is_stored_with_it(store: Store, run: Any, make: Any) -> None:
    await run.save(deliveries=[make.delivery("own"), make.delivery("as it is"), make.delivery("not at all")])
    rendered = {"own": Rendered("segment", Raw(b'{"x":"\xc3\xa9"}')), "as it is": Rendered("webhook")}
    leased = await store.lease(make.now, make.at(minutes=1), 9, "shop", lambda due: rendered.get(due.id))
    assert {each.id: each.rendered for each in leased if each.rendered} == rendered
    again = {each.id: each for each in await store.lease(make.at(minutes=1), make.at(minutes=2), 9)}
    assert {id_: each.rendered for id_, each in again.items() if each.rendered} == rendered
    own, event = b'{"x":"\xc3\xa9"}', bytes(make.delivery("any").event)
    assert [again[id_].body for id_ in ("own", "as it is", "not at all")] == [own, event, event]


async def test_a_lease_whose_rendering_fails_takes_nothing(store: Store, run: Any, make: Any) -> None:
    def fails(_: Delivery) -> Rendered:
        raise RuntimeError("a fault")

    await run.save(deliveries=[make.delivery("d1")])
    with pytest.raises(RuntimeError):
        await store.lease(make.now, make.at(minutes=1), 1, "shop", fails)
    assert [each.attempt for each in await store.lease(make.now, make.at(minutes=1), 1, "shop")] == [1]


async def test_what_is_rendered_follows_a_merge(store: Store, run: Any, make: Any) -> None:
    own = Rendered("segment", Raw(b'{"user":"c2"}'))
    customers = [make.customer("c1"), make.customer("c2")]
    await run.save(customers=customers, deliveries=[make.delivery("d1", "c2")])
    await store.lease(make.now, make.at(minutes=1), 1, "shop", lambda _: own)
    await run.save(customers=[make.customer("c1")], moved=[("c2", "c1")])
    [moved] = await store.deliveries("due")
    assert (moved.source_id, moved.rendered) == ("c1", own)
