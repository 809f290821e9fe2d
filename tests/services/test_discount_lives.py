"""Rules that the life of a discount triggers: once for each discount, as it is when its time has come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapter.model.operations import CustomerErase, CustomerMerge, DiscountMove

RULES = """
rules:
  - name: welcome
    trigger: signed_up
    action: {type: percentage_off, value: 10, max_amount: 20, expires_in_hours: 240}
    guardrails: {stackable: true}
  - name: thanks
    trigger: order_completed
    action: {type: store_credit, value: 5}
    guardrails: {stackable: true}
  - name: unused
    trigger: {discount: issued, of: welcome, unused_for: 5d}
    action: {type: free_shipping, expires_in_hours: 24}
    guardrails: {stackable: true}
  - name: ending
    trigger: {discount: any, expires_in: 2d}
    conditions: ['attributes.rule == "welcome"']
    action: {type: amount_off, value: 1}
    guardrails: {stackable: true, per_user_limit: 1}
"""
DAY = timedelta(days=1)


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    return await open_desk(RULES)


async def held(desk: Any, who: str = "ann") -> list[str]:
    return sorted(each.rule for each in await desk.store.discounts(who))


async def welcomed(desk: Any) -> str:
    [discount] = (await desk.take(desk.event("signed_up"))).discounts
    code: str = discount.code
    return code


async def pass_days(desk: Any, days: float) -> None:
    desk.now = desk.at() + days * DAY
    await desk.fire()


async def test_an_unused_discount_brings_another_once(desk: Any) -> None:
    code = await welcomed(desk)
    await pass_days(desk, 4.9)
    assert await held(desk) == ["welcome"]
    [timer] = await desk.store.due_timers(desk.at() + 5 * DAY, 9)
    desk.now = desk.at() + 5 * DAY
    await desk.settle([desk.due(timer), desk.due(timer)])
    await desk.fire()
    assert await held(desk) == ["unused", "welcome"]
    [unused] = [each for each in await desk.store.discounts("ann") if each.rule == "unused"]
    assert unused.event_id == f"unused@{code}:2026-03-06T12:00:00Z"
    decision = (await desk.store.decisions("ann"))[0]
    assert decision.event == "discount_unused"


async def test_the_end_of_a_discount_comes_near(desk: Any) -> None:
    await welcomed(desk)
    await pass_days(desk, 8)
    assert await held(desk) == ["ending", "unused", "welcome"]
    await pass_days(desk, 30)
    assert await held(desk) == ["ending", "unused", "welcome"]  # those of such rules begin no life


async def test_a_discount_without_an_end_never_ends(desk: Any) -> None:
    await desk.take(desk.event("order_completed"))
    assert await desk.store.due_timers(desk.at() + 99 * DAY, 9) == []


@pytest.mark.parametrize("verb", ["apply", "redeem", "revoke"])
@pytest.mark.parametrize("together", [True, False])
async def test_a_discount_that_was_used_fires_nothing(desk: Any, verb: Any, *, together: bool) -> None:
    code = await welcomed(desk)
    move = desk.work(DiscountMove(verb, code))
    if not together:
        await desk.settle([move])
    desk.now = desk.at() + 5 * DAY
    due = [desk.due(timer) for timer in await desk.store.due_timers(desk.now, 9)]
    await desk.settle([*([move] if together else []), *due])
    assert await held(desk) == ["welcome"]
    assert await desk.store.due_timers(desk.now, 9) == []


async def test_an_applied_discount_is_unused_for_any_alone(desk: Any) -> None:
    code = await welcomed(desk)
    await desk.take(DiscountMove("apply", code))
    await pass_days(desk, 8)
    assert await held(desk) == ["ending", "welcome"]


async def test_after_an_outage_a_discount_that_has_expired_fires_nothing(desk: Any) -> None:
    await welcomed(desk)
    await pass_days(desk, 11)
    assert await held(desk) == ["welcome"]


async def test_history_and_erased_customers_fire_nothing(desk: Any) -> None:
    await desk.take(desk.event("signed_up", "bob"), unrewarded="an import")
    await welcomed(desk)
    await desk.take(CustomerErase("ann"))
    assert await desk.store.due_timers(desk.at() + 99 * DAY, 9) == []


async def test_a_merged_customer_keeps_each_life(desk: Any) -> None:
    await welcomed(desk)
    await desk.take(desk.event("signed_up", "bea"))
    await desk.take(CustomerMerge("bea", "ann"))
    await pass_days(desk, 5)
    assert await held(desk, "bea") == ["unused", "unused", "welcome", "welcome"]
