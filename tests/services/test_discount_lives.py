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


CARE = """
rules:
  - name: welcome
    trigger: signed_up
    action: {type: percentage_off, value: 10, max_amount: 20, expires_in_hours: 240}
  - name: reminder
    trigger: {discount: issued, expires_in: 2d}
    action: {type: remind}
    guardrails: {per_user_limit: 1}
  - name: longer
    trigger: {discount: issued, unused_for: 9d}
    action: {type: extend, by: 5d}
"""


async def test_a_reminder_is_pushed_and_an_extension_moves_the_end(open_desk: Any) -> None:
    desk = await open_desk(CARE)
    desk.destinations = ("shop",)
    code = await welcomed(desk)
    await pass_days(desk, 8)
    await pass_days(desk, 9)
    pushed = {each.type: each for each in await desk.store.deliveries("due")}
    assert set(pushed) == {"discount.issued", "discount.reminded", "discount.extended"}
    discount = await desk.store.discount(code)
    assert discount.discount.expires_at == desk.at() + 15 * DAY
    assert (discount.discount.status, await held(desk)) == ("issued", ["welcome"])
    assert code.encode() in bytes(pushed["discount.reminded"].event)
    outcomes = [each.outcomes[0] for each in await desk.store.decisions("ann")]
    assert [(each.rule, each.outcome, each.code) for each in outcomes] == [
        ("longer", "issued", code), ("reminder", "issued", code), ("welcome", "issued", code),
    ]  # fmt: skip
    await pass_days(desk, 14)
    assert len(await desk.store.deliveries("due")) == 3  # once for each discount
    assert await desk.store.lapsed(desk.at() + 14 * DAY, 9) == []
    assert await desk.store.lapsed(desk.at() + 15 * DAY, 9) == [code]


async def test_an_extension_makes_a_reminder_wait(open_desk: Any) -> None:
    desk = await open_desk(CARE.replace("unused_for: 9d", "unused_for: 7d"))
    code = await welcomed(desk)
    await pass_days(desk, 7)
    await pass_days(desk, 8)
    assert [each.outcomes[0].rule for each in await desk.store.decisions("ann")] == ["longer", "welcome"]
    await pass_days(desk, 13)
    assert (await desk.store.decisions("ann"))[0].outcomes[0].rule == "reminder"
    await desk.take(DiscountMove("revoke", code))
    used = (await desk.store.held("ann")).counters
    assert not [key for key, count in used.items() if count], used


async def test_limits_hold_for_reminders(open_desk: Any) -> None:
    desk = await open_desk(CARE.replace("signed_up\n", "signed_up\n    guardrails: {stackable: true}\n"))
    await welcomed(desk)
    await desk.take(desk.event("signed_up", minutes=1))
    await pass_days(desk, 8.1)
    outcomes = [each.outcomes[0] for each in await desk.store.decisions("ann")]
    assert sorted(each.outcome for each in outcomes if each.rule == "reminder") == ["issued", "withheld"]
