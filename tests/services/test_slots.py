"""A limit over any window holds for two customers who turn out to be one."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from adapter.model.operations import CustomerMerge

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
async def test_two_who_join_have_had_together_what_each_had(open_desk: Any, count: int) -> None:
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
async def test_also_when_they_join_in_the_batch_that_asks(
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
