"""Changes of customers that trigger rules: once, in the transaction of their message, and not of history."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.model.operations import CustomerMerge, CustomerUpsert
from adapter.services.ingest.result import Result

RULES = """
rules:
  - name: upgrade
    trigger: {trait: tier, from: silver, to: gold}
    conditions: ['user.tier == "gold"']
    action: {type: store_credit, value: 25}
  - name: welcome-to-vip
    trigger: {segment: vip, entered: true}
    action: {type: percentage_off, value: 10}
    guardrails: {stackable: true}
"""


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    return await open_desk(RULES)


def tier(value: str, who: str = "ann", **identities: str) -> CustomerUpsert:
    return CustomerUpsert(who, traits={"tier": value}, identities=identities)


def rules(result: Result) -> list[str]:
    return [discount.metadata["rule"] for discount in result.discounts]


async def test_an_upgrade_issues_once(desk: Any) -> None:
    assert rules(await desk.take(tier("silver"))) == []
    upgraded = desk.work(tier("gold"), key="up")
    [result] = await desk.settle([upgraded])
    assert rules(result) == ["upgrade"]
    assert result.discounts[0].metadata["issued_for_event_id"] == "up:trait_changed:tier"
    assert [each.code for each in (await desk.settle([upgraded]))[0].discounts] == [result.discounts[0].code]
    assert rules(await desk.take(tier("gold"))) == []
    [decision] = await desk.store.decisions("ann")
    assert decision.event == "trait_changed"
    assert decision.outcomes[0].outcome == "issued"


async def test_changes_of_one_batch_are_seen_in_order(desk: Any) -> None:
    results = await desk.settle([desk.work(tier(each)) for each in ("silver", "gold", "silver", "gold")])
    assert [rules(result) for result in results] == [[], ["upgrade"], [], []]  # the second: one is held
    assert len(await desk.store.decisions("ann")) == 2


async def test_what_is_said_first_of_a_customer_is_no_change(desk: Any) -> None:
    await desk.take(desk.event("page_viewed"))
    assert rules(await desk.take(tier("gold"))) == []
    assert await desk.store.decisions("ann") == []


async def test_a_segment_is_entered_once(desk: Any) -> None:
    joined = CustomerUpsert("ann", joined_segments=("vip",))
    assert rules(await desk.take(joined)) == ["welcome-to-vip"]
    assert rules(await desk.take(joined)) == []
    assert rules(await desk.take(CustomerUpsert("ann", left_segments=("vip",)))) == []


async def test_history_fires_nothing(desk: Any) -> None:
    await desk.take(tier("silver"))
    assert rules(await desk.take(tier("gold"), unrewarded="a replay")) == []
    assert await desk.store.decisions("ann") == []


async def test_a_merge_fires_nothing(desk: Any) -> None:
    await desk.take(tier("silver"))
    await desk.take(tier("gold", "old"))
    await desk.take(CustomerMerge("old", "ann"))
    assert (await desk.store.customer("ann")).traits["tier"] == "gold"
    await desk.take(tier("silver", "visitor", anonymous_id="visitor"))
    await desk.take(tier("gold", "bea", anonymous_id="visitor"))
    assert await desk.store.decisions("ann") == await desk.store.decisions("bea") == []
