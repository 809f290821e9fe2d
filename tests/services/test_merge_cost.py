"""A merge costs what it adds: statements, rows and steps are counted, not seconds."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from adapter.model.operations import CustomerMerge, CustomerUpsert
from tests.services.transaction_costs import Cost, Counted

pytestmark = pytest.mark.slow

RULES = (
    "rules: [{name: gift, trigger: started, action: {type: free_shipping}, guardrails: {per_user_limit: 1}}]"
)


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    desk = await open_desk(RULES)
    desk.store = Counted(desk.store)
    return desk


async def chained(desk: Any, length: int, known: bool, tracing: bool = False) -> Cost:
    """Merge x0 into x1, x1 into x2 … in one batch."""
    names = [f"{length}-{number}" for number in range(length + 1)]
    if known:
        for start in range(0, len(names), 100):
            part = names[start : start + 100]
            await desk.settle([desk.work(CustomerUpsert(name, traits={"of": name}), desk.event("seen", name))
                               for name in part])  # fmt: skip
    batch = [desk.work(CustomerMerge(new, old)) for old, new in pairwise(names)]
    desk.store.taken()
    desk.store._tracing = tracing
    await desk.settle(batch)
    cost: Cost = desk.store.taken()
    assert {event.name for event in await desk.store.events(names[0])} == ({"seen"} if known else set())
    return cost


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
async def test_the_cost_per_link_of_a_chain_in_one_batch_is_constant(desk: Any, known: bool) -> None:
    short, long = await chained(desk, 50, known), await chained(desk, 200, known)
    assert long.rows <= 4.2 * short.rows
    assert long.statements <= 4.2 * short.statements


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
async def test_a_chain_in_one_batch_is_decided_in_as_many_steps_per_link(desk: Any, known: bool) -> None:
    short, long = await chained(desk, 50, known, True), await chained(desk, 200, known, True)
    assert long.lines <= 4.4 * short.lines


LARGE, NEW = 600, 5


async def grown(desk: Any, name: str, rows: int) -> None:
    for start in range(0, rows, 100):
        await desk.settle([desk.work(desk.event("seen", name, minute))
                           for minute in range(start, min(start + 100, rows))])  # fmt: skip


@pytest.mark.parametrize("named", ["large", "small"])
async def test_a_merge_writes_the_rows_of_the_smaller_customer(desk: Any, named: str) -> None:
    costs = []
    for rows in (LARGE, 2 * LARGE):
        large, small = f"large-{rows}", f"small-{rows}"
        await grown(desk, large, rows)
        await grown(desk, small, NEW)
        merge = CustomerMerge(large, small) if named == "large" else CustomerMerge(small, large)
        desk.store.taken()
        await desk.take(merge)
        costs.append(desk.store.taken())
        assert len(await desk.store.events(small, 5000)) == len(await desk.store.events(large, 5000)) == rows
    assert max(cost.rows for cost in costs) <= 12 * NEW
    assert costs[0].statements == costs[1].statements


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
async def test_the_cost_per_link_of_a_chain_over_many_batches_is_constant(desk: Any, known: bool) -> None:
    """Each link gives all that was merged before another id."""
    await desk.settle([desk.work(desk.event("seen", f"x{at}", at)) for at in range(301 if known else 0)])
    costs = []
    for start in (0, 150):
        desk.store.taken()
        for at in range(start, start + 150):
            await desk.take(CustomerMerge(f"x{at + 1}", f"x{at}"))
        costs.append(desk.store.taken())
    assert costs[1].rows <= 150 * 20
    assert costs[1].rows <= costs[0].rows
