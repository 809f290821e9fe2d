"""A lease is shared between the longest due deliveries and new ones, so that these need not wait."""

from __future__ import annotations

import asyncio
from itertools import cycle
from typing import Any

import pytest

from adapter.model.deliveries import Pause
from adapter.store.contract import Store
from adapter.store.values import DeliveryResult, Favour, Ordering


@pytest.fixture
def backlog(store: Store, run: Any, make: Any) -> Any:
    """Save deliveries of a customer each that were tried and are due again, the first the longest."""

    async def save(count: int) -> None:
        saved = [make.delivery(f"old-{n}", f"c{n}", due_at=make.at(hours=-2)) for n in range(count)]
        await run.save(deliveries=saved)
        for each in await store.lease(make.at(hours=-2), make.at(hours=-1), count, "shop"):
            due_at = make.at(minutes=int(each.id[4:]) - count)
            await store.settle([DeliveryResult(each.id, each.attempt, done=False, due_at=due_at)])

    return save


async def ids(store: Store, make: Any, limit: int, **how: Any) -> list[str]:
    return [each.id for each in await store.lease(make.now, make.at(minutes=1), limit, "shop", **how)]


@pytest.mark.parametrize("order", [Ordering(), Ordering(kept=True)])
async def test_half_of_a_lease_are_new_ones_and_these_come_first(
    store: Store, run: Any, make: Any, backlog: Any, order: Ordering
) -> None:
    await backlog(9)
    new = [make.delivery(f"new-{n}", f"n{n}", due_at=make.at(seconds=n - 9)) for n in range(5)]
    await run.save(deliveries=new)
    leased = await ids(store, make, 4, favour="old", order=order)
    assert leased == ["new-3", "new-4", "old-0", "old-1"], "of the new ones the newest"
    then = await ids(store, make, 5, favour="new", order=order)
    assert then == ["new-0", "new-1", "new-2", "old-2", "old-3"]


async def test_a_lease_of_one_is_the_longest_due_or_new_as_it_says(
    store: Store, run: Any, make: Any, backlog: Any
) -> None:
    await backlog(3)
    await run.save(deliveries=[make.delivery(f"new-{n}", f"n{n}") for n in range(3)])
    assert await ids(store, make, 1, favour="old") == ["old-0"]
    assert (await ids(store, make, 1, favour="new"))[0].startswith("new-")
    assert await ids(store, make, 1) == ["old-1"], "nobody is favoured"


async def test_what_belongs_together_stays_in_its_order(
    store: Store, run: Any, make: Any, backlog: Any
) -> None:
    await backlog(4)
    await run.save(deliveries=[make.delivery("issued", "n1", due_at=make.at(seconds=-2)),
                               make.delivery("redeemed", "n1", due_at=make.at(seconds=-1)),
                               make.delivery("applied", "c3")])  # fmt: skip
    assert await ids(store, make, 2, favour="new") == ["issued", "old-0"]
    assert await ids(store, make, 1, favour="new") == ["old-1"], "both others wait for an earlier one"
    await store.settle([DeliveryResult("issued", 1, done=True)])
    assert await ids(store, make, 1, favour="new") == ["redeemed"]


async def test_what_new_ones_leave_is_for_the_longest_due(
    store: Store, run: Any, make: Any, backlog: Any
) -> None:
    await backlog(9)
    later = make.delivery("later", "n2", due_at=make.at(hours=1))
    await run.save(deliveries=[make.delivery("new", "n1"), later])
    assert await ids(store, make, 6, favour="new") == ["new", *(f"old-{n}" for n in range(5))]


async def test_every_due_one_is_leased_once(store: Store, run: Any, make: Any, backlog: Any) -> None:
    await backlog(7)
    saved = [make.delivery(f"new-{n}", f"c{n % 5}", due_at=make.at(seconds=-n % 4)) for n in range(17)]
    await run.save(deliveries=saved)
    favours: Any = cycle(("new", "old"))
    leased: list[str] = []
    while more := await ids(store, make, 3, favour=next(favours)):
        leased += more
    waiting = {each.id for each in saved if each.due_at <= make.now}
    assert sorted(leased) == sorted({f"old-{n}" for n in range(7)} | waiting)


async def test_two_callers_never_get_the_same(store: Store, run: Any, make: Any, backlog: Any) -> None:
    await backlog(20)
    await run.save(deliveries=[make.delivery(f"new-{n}", f"n{n}") for n in range(20)])
    favours: list[Favour] = ["new", "old"] * 6
    leases = await asyncio.gather(*(ids(store, make, 7, favour=favour) for favour in favours))
    leased = [id_ for lease in leases for id_ in lease]
    while more := await ids(store, make, 7, favour="new"):  # what others had locked is passed over
        leased += more
    assert len(leased) == len(set(leased)) == 40


@pytest.mark.parametrize("favour", ["new", "old"])
async def test_nothing_new_is_leased_for_a_destination_that_is_paused(
    store: Store, run: Any, make: Any, favour: Favour
) -> None:
    await run.save(deliveries=[make.delivery(f"new-{n}", f"n{n}") for n in range(3)])
    await store.pause(Pause("shop", make.now, make.at(hours=1), "answered 410"))
    assert [await ids(store, make, limit, favour=favour) for limit in (1, 2)] == [[], []]
