"""A limit over any window holds for two customers who turn out to be one."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import Any

import pytest

from adapter.model.operations import CustomerMerge, DiscountMove, Operation

RULE = """\
name: treat
trigger: started
action: {{type: free_shipping}}
guardrails: {{stackable: true, per_user_limit: {{count: {count}, window: 1d}}}}
"""


async def earned(desk: Any, who: str, times: int) -> int:
    """Return how many of so many events earn something, a minute apart."""
    found = 0
    for _ in range(times):
        desk.now += timedelta(minutes=1)
        minutes = (desk.now - desk.at()).total_seconds() / 60
        found += len((await desk.take(desk.event("started", who, minutes))).discounts)
    return found


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_merged_customers_have_used_the_sum_of_their_uses(open_desk: Any, count: int) -> None:
    desk = await open_desk(RULE.format(count=count))
    for number, (ann, bob) in enumerate(itertools.product(range(count + 1), repeat=2)):
        await earned(desk, f"ann{number}", ann)
        await earned(desk, f"bob{number}", bob)
        await desk.take(CustomerMerge(f"ann{number}", f"bob{number}"))
        more = await earned(desk, f"ann{number}", count + 1)
        assert more == max(0, count - ann - bob), f"after {ann} and {bob} of {count}"


@pytest.mark.parametrize(
    "merges", [[("bob", "ann")], [("bob", "cat"), ("cat", "ann")]], ids=["one", "a chain"]
)
@pytest.mark.parametrize("rule", [RULE.format(count=2), RULE.format(count=2).replace(", window: 1d", "")])
async def test_the_limit_applies_to_a_merge_in_the_same_batch(
    open_desk: Any, rule: str, merges: list[tuple[str, str]]
) -> None:
    desk = await open_desk(rule)
    assert await earned(desk, "ann", 1) + await earned(desk, "bob", 1) == 2
    batch = [desk.work(CustomerMerge(into, previous)) for previous, into in merges]
    results = await desk.settle([*batch, desk.work(desk.event("started", "ann", 9))])
    assert results[-1].discounts == []


async def test_after_the_window_everything_is_there_again(open_desk: Any) -> None:
    desk = await open_desk(RULE.format(count=2))
    assert await earned(desk, "ann", 1) + await earned(desk, "bob", 1) == 2
    await desk.take(CustomerMerge("ann", "bob"))
    assert await earned(desk, "ann", 1) == 0
    desk.now += timedelta(days=2)
    assert await earned(desk, "ann", 3) == 2


async def test_a_lowered_limit_also_counts_the_slots_that_it_no_longer_has(
    open_desk: Any, make_rules: Any
) -> None:
    desk = await open_desk(RULE.format(count=3))
    assert await earned(desk, "ann", 2) == 2
    desk.now += timedelta(hours=23)
    assert await earned(desk, "ann", 1) == 1  # in the third slot
    desk.now += timedelta(hours=2)  # when the other two pause no longer
    assert await earned(desk, "bob", 1) == 1
    desk.book = make_rules(RULE.format(count=2))
    join = desk.work(CustomerMerge("ann", "bob"))
    _, result = await desk.settle([join, desk.work(desk.event("started", "ann", 9999))])
    assert result.discounts == []


async def standing(desk: Any, who: str) -> int:
    """Return the number of a customer's discounts of the last day that were not released."""
    since = desk.now - timedelta(days=1)
    held = await desk.store.discounts(who)
    return sum(each.issued_at > since and each.discount.status != "revoked" for each in held)


@pytest.mark.parametrize("together", [False, True], ids=["later", "in the batch that joins them"])
async def test_a_release_after_a_merge_frees_no_slot_of_another_discount(
    open_desk: Any, *, together: bool
) -> None:
    desk = await open_desk(RULE.format(count=2))
    assert await earned(desk, "bob", 1) + await earned(desk, "ann", 2) == 3
    latest, *_ = await desk.store.discounts("ann")
    given_back = DiscountMove("revoke", latest.discount.code)
    join = CustomerMerge("ann", "bob")
    batches: list[list[Operation]] = [[join, given_back]] if together else [[join], [given_back]]
    for batch in batches:
        await desk.settle([desk.work(operation) for operation in batch])
    assert await standing(desk, "ann") == 2
    assert await earned(desk, "ann", 3) == 0


async def test_before_a_merge_released_slots_can_be_used_again(open_desk: Any) -> None:
    desk = await open_desk(RULE.format(count=2))
    assert await earned(desk, "ann", 3) == 2
    await desk.take(CustomerMerge("ann", "a-visitor"))
    latest, *_ = await desk.store.discounts("ann")
    await desk.take(DiscountMove("revoke", latest.discount.code))
    assert await earned(desk, "ann", 3) == 1


@pytest.mark.parametrize("seed", range(25))
async def test_released_slots_never_exceed_the_limit(open_desk: Any, seed: int) -> None:
    draw = random.Random(seed)
    count = draw.randint(1, 3)
    desk = await open_desk(RULE.format(count=count))
    people = [f"{who}-{seed}" for who in ("ann", "bob", "cat")]
    for _ in range(25):
        desk.now += timedelta(minutes=draw.choice([1, 60, 400]))
        who, other = draw.sample(people, 2)
        step = draw.random()
        if step < 0.15:
            await desk.take(CustomerMerge(who, other))
        elif step < 0.4:
            held = [each for each in await desk.store.discounts(who) if each.discount.status == "issued"]
            if held:
                await desk.take(DiscountMove("revoke", draw.choice(held).discount.code))
        elif await earned(desk, who, 1):
            assert await standing(desk, who) <= count
