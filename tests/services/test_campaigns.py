"""Campaigns in both stores: one of several rules, whatever the order of files, timers and processes."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import Any

import pytest

from adapter.model.operations import DiscountMove
from adapter.services.lift import LiftQuestion, measure

TIERS = {5: 50, 10: 100, 15: 200}
CAMPAIGN = """
campaigns:
  recovery: {%s}
rules:
"""
TIER = """
  - name: recover-%(percent)s
    campaign: recovery
    trigger: {event: checkout_started, unless: order_completed, within: %(within)s}
    conditions: [cart_value >= %(above)s]
    action: {type: percentage_off, value: %(percent)s, max_amount: 90}
    guardrails: {stackable: true%(more)s}
"""


def tiers(
    says: str,
    order: Any = (5, 10, 15),
    within: Any = lambda percent: "30m",
    more: Any = lambda percent: "",
) -> str:
    rules = [
        TIER % {"percent": each, "above": TIERS[each], "within": within(each), "more": more(each)}
        for each in order
    ]
    return CAMPAIGN % says + "".join(rules)


def issued(results: Any) -> list[str]:
    return [discount.metadata["rule"] for result in results for discount in result.discounts]


@pytest.mark.parametrize("order", list(permutations(TIERS)), ids=str)
async def test_of_tiers_due_in_one_moment_the_best_is_issued_whatever_their_order(
    open_desk: Any, order: Any
) -> None:
    desk = await open_desk(tiers("one_of_these: per event", order))
    await desk.take(desk.event("checkout_started", cart_value=250))
    desk.now = desk.at(30)
    timers = await desk.store.due_timers(desk.now, 9)
    one_by_one = [await desk.settle([desk.due(timer)]) for timer in timers]
    assert issued(result for results in one_by_one for result in results) == ["recover-15"]
    assert await desk.store.due_timers(desk.at(9999), 9) == []


async def test_without_the_campaign_all_tiers_are_issued(open_desk: Any) -> None:
    desk = await open_desk(tiers("control: 0"))
    await desk.take(desk.event("checkout_started", cart_value=250))
    desk.now = desk.at(30)
    assert sorted(issued(await desk.fire())) == ["recover-10", "recover-15", "recover-5"]


LATER = {5: "30m", 10: "60m", 15: "120m"}


async def fired(desk: Any) -> dict[int, list[str]]:
    """Return what is issued at each time at which a tier is due."""
    found: dict[int, list[str]] = {}
    for minutes in (30, 60, 120):
        desk.now = desk.at(minutes)
        found[minutes] = issued(await desk.fire())
    return found


async def test_what_is_due_earlier_waits_for_the_tier_that_goes_first(open_desk: Any) -> None:
    desk = await open_desk(tiers("one_of_these: per event", within=LATER.__getitem__))
    await desk.take(desk.event("checkout_started", cart_value=250))
    desk.now = desk.at(30)
    assert issued(await desk.fire()) == []
    [waiting] = desk.last.decisions
    assert [(each.rule, each.guardrail) for each in waiting.outcomes] == [
        ("recover-5", "campaign.one_of_these")
    ]
    assert waiting.outcomes[0].reason == (
        "not issued yet: recover-15 of the campaign recovery goes first, due at 2026-03-01 14:00:00 UTC"
    )
    assert await fired(desk) == {30: [], 60: [], 120: ["recover-15"]}


async def test_an_order_meanwhile_ends_the_wait_of_all(open_desk: Any) -> None:
    desk = await open_desk(tiers("one_of_these: per event", within=LATER.__getitem__))
    await desk.take(desk.event("checkout_started", cart_value=250))
    desk.now = desk.at(30)
    await desk.fire()
    await desk.take(desk.event("order_completed", minutes=90))
    assert await fired(desk) == {30: [], 60: [], 120: []}


async def test_a_cart_too_small_for_a_later_tier_does_not_wait_for_it(open_desk: Any) -> None:
    desk = await open_desk(tiers("one_of_these: per event", within=LATER.__getitem__))
    await desk.take(desk.event("checkout_started", cart_value=120))
    assert await fired(desk) == {30: [], 60: ["recover-10"], 120: []}


async def test_the_first_that_is_due_may_win(open_desk: Any) -> None:
    desk = await open_desk(tiers("one_of_these: per event, choose: first", within=LATER.__getitem__))
    await desk.take(desk.event("checkout_started", cart_value=250))
    assert await fired(desk) == {30: ["recover-5"], 60: [], 120: []}


@pytest.mark.parametrize(("says", "found"), [("", []), (", when_used_up: next", ["recover-10"])])
async def test_a_tier_that_is_used_up_falls_through_only_where_it_says_so(
    open_desk: Any, says: str, found: list[str]
) -> None:
    only = {15: ", max_total_redemptions: 1"}
    desk = await open_desk(
        tiers(f"one_of_these: per event{says}", more=lambda percent: only.get(percent, ""))
    )
    for who in ("ann", "bob"):
        await desk.take(desk.event("checkout_started", who, cart_value=250))
    desk.now = desk.at(30)
    assert issued(await desk.fire()) == ["recover-15", *found]


@pytest.mark.parametrize(("says", "again"), [("per event", 3), ("for ever", 1), ("50m", 2)])
async def test_one_of_these_holds_for_each_event_for_ever_or_in_a_window(
    open_desk: Any, says: str, again: int
) -> None:
    desk = await open_desk(tiers(f"one_of_these: {says}"))
    found: list[str] = []
    for minutes in (0, 35, 70):
        desk.now = desk.at(minutes)
        await desk.take(desk.event("checkout_started", minutes=minutes, cart_value=250))
        desk.now = desk.at(minutes + 31)
        found += issued(await desk.fire())
    assert found == ["recover-15"] * again


async def test_a_revoked_discount_lets_the_campaign_give_another(open_desk: Any) -> None:
    desk = await open_desk(tiers("one_of_these: for ever"))
    for minutes in (0, 35):
        desk.now = desk.at(minutes)
        await desk.take(desk.event("checkout_started", minutes=minutes, cart_value=250))
        desk.now = desk.at(minutes + 31)
        [result] = [each for each in await desk.fire() if each.discounts]
        await desk.take(DiscountMove("revoke", result.discounts[0].code))


RACE = """
campaigns:
  spring: {one_of_these: for ever, guardrails: {max_total_redemptions: 16}}
rules:
  - {name: a, campaign: spring, trigger: started, action: {type: percentage_off, value: 5}}
  - {name: b, campaign: spring, trigger: visited, action: {type: percentage_off, value: 9}}
"""


async def test_processes_share_the_limits_of_a_campaign(open_desk: Any, store_url: str) -> None:
    desks = [await open_desk(RACE) for _ in range(1 if "sqlite" in store_url else 3)]
    senders = [(number, name) for number in range(24) for name in ("started", "visited")]

    async def send(at: int) -> list[str]:
        number, name = senders[at]
        desk = desks[at % len(desks)]
        return issued(await desk.settle([desk.work(desk.event(name, f"u{number}", at / 1000))]))

    got = await asyncio.gather(*map(send, range(len(senders))))
    assert sum(map(len, got)) == 16
    by_customer = [got[at] + got[at + 1] for at in range(0, len(got), 2)]
    assert max(map(len, by_customer)) == 1


async def test_the_same_customers_are_held_out_from_all_rules_and_measured_together(open_desk: Any) -> None:
    desk = await open_desk(RACE.replace("one_of_these: for ever, ", "control: 50, ").replace("16", "99"))
    for number in range(30):
        for at, name in enumerate(("started", "visited")):
            await desk.take(desk.event(name, f"u{number}", minutes=at))
    lifts = {one.rule: one for one in (await measure(desk.store, LiftQuestion())).lifts}
    assert list(lifts) == ["a", "b", "campaign:spring"]
    shared = lifts["campaign:spring"]
    assert shared.issued.customers + shared.control.customers == 30
    assert lifts["a"].control.customers == lifts["b"].control.customers == shared.control.customers
    assert 5 < shared.control.customers < 25
