"""Codes of uploaded pools: each discount gets one, none is handed out twice."""

from __future__ import annotations

import asyncio
from typing import Any

from adapter.model.counter_key import encode

RULES = """
rules:
  - name: partner
    trigger: started
    action: {type: percentage_off, value: 10, code_pool: partner-x}
    guardrails: {stackable: true, max_total_redemptions: 50}
"""
SECOND = """
  - name: other
    trigger: started
    priority: -1
    action: {type: free_shipping, code_pool: partner-x}
    guardrails: {stackable: true}
"""
FALLBACK = """
  - name: made
    trigger: started
    priority: -1
    action: {type: free_shipping, code_prefix: MADE-}
"""


def codes(results: Any) -> list[str]:
    return [discount.code for result in results for discount in result.discounts]


async def pool(desk: Any) -> tuple[int, int]:
    [found] = await desk.store.pools()
    return found.left, found.drawn


async def test_discounts_get_codes_of_the_pool_in_the_order_of_their_upload(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    await desk.store.add_pool_codes("partner-x", ["B-2", "A-1", "C-3"], desk.now)
    results = await desk.settle([desk.work(desk.event("started", who)) for who in ("ann", "bob")])
    assert codes(results) == ["B-2", "A-1"]
    assert await pool(desk) == (1, 2)
    held = await desk.store.discount("B-2")
    assert (held.rule, held.discount.status, held.discount.metadata["user_id"]) == (
        "partner",
        "issued",
        "ann",
    )


async def test_an_empty_pool_withholds_the_discount_and_reserves_nothing(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    await desk.store.add_pool_codes("partner-x", ["A-1"], desk.now)
    assert codes(await desk.settle([desk.work(desk.event("started", who)) for who in "abc"])) == ["A-1"]
    outcomes = [outcome for decision in desk.last.decisions for outcome in decision.outcomes]
    assert [(each.outcome, each.guardrail) for each in outcomes] == [
        ("issued", None), ("withheld", "code_pool"), ("withheld", "code_pool"),
    ]  # fmt: skip
    assert [used for _, used in (await desk.store.used([("", encode("partner", "total"))])).items()] == [1]


async def test_a_rule_whose_pool_is_empty_makes_room_for_the_next_one(open_desk: Any) -> None:
    desk = await open_desk(RULES + FALLBACK)
    assert codes([await desk.take(desk.event("started"))])[0].startswith("MADE-")


async def test_two_rules_share_a_pool_and_the_last_code_goes_to_the_first(open_desk: Any) -> None:
    desk = await open_desk(RULES + SECOND)
    await desk.store.add_pool_codes("partner-x", ["A-1", "A-2", "A-3"], desk.now)
    results = [await desk.take(desk.event("started", who)) for who in ("ann", "bob")]
    assert [codes([result]) for result in results] == [["A-1", "A-2"], ["A-3"]]


async def test_a_limit_that_is_full_takes_no_code(open_desk: Any) -> None:
    desk = await open_desk(RULES.replace("50", "1"))
    await desk.store.add_pool_codes("partner-x", ["A-1", "A-2"], desk.now)
    await desk.settle([desk.work(desk.event("started", who)) for who in "abc"])
    assert await pool(desk) == (1, 1)


async def test_many_processes_hand_out_each_code_once(open_desk: Any, store_url: str) -> None:
    desks = [await open_desk(RULES) for _ in range(1 if "sqlite" in store_url else 4)]
    await desks[0].store.add_pool_codes("partner-x", [f"P-{number:02}" for number in range(16)], desks[0].now)

    async def send(number: int) -> Any:
        desk = desks[number % len(desks)]
        return await desk.settle([desk.work(desk.event("started", f"u{number}", number / 1000))])

    results = await asyncio.gather(*map(send, range(40)))
    assert sorted(code for each in results for code in codes(each)) == [f"P-{at:02}" for at in range(16)]
    assert await pool(desks[0]) == (0, 16)
