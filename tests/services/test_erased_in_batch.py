"""A batch that erases a customer with events: earlier data is erased, later data is new."""

from __future__ import annotations

from typing import Any

from adapter.model.operations import CustomerErase

RULE = """\
name: treat
trigger: started
action: {type: free_shipping}
guardrails: {per_user_limit: 1}
"""


async def test_discounts_earned_before_the_erasure_are_erased(open_desk: Any) -> None:
    desk = await open_desk(RULE)
    earned, _ = await desk.settle([desk.work(desk.event("started")), desk.work(CustomerErase("ann"))])
    held = await desk.store.held("ann")
    assert (held.discounts, held.deliveries, held.decisions, held.counters) == ([], [], [], {})
    assert earned.discounts == []


async def test_a_customer_who_returns_after_the_erasure_is_new(open_desk: Any) -> None:
    desk = await open_desk(RULE)
    await desk.take(desk.event("started"))
    _, again = await desk.settle(
        [desk.work(CustomerErase("ann")), desk.work(desk.event("started", minutes=1))]
    )
    assert len(again.discounts) == 1
    assert len((await desk.take(desk.event("started", minutes=2))).discounts) == 0
