"""Both sides of a referral: a discount for another customer than the event's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.checkout.decisions import happens, holds, outcomes
from tests.checkout.shop import Shop

RULES = """
rules:
  - name: friend
    trigger: ordered
    action: {type: free_shipping}
    guardrails: {per_user_limit: 1, stackable: true}
  - name: advocate
    trigger: ordered
    to: attributes.referrer
    action: {type: store_credit, value: 10, currency: EUR}
    guardrails:
      {per_user_limit: 2, stackable: true, budget: {currency: EUR, total: 1000}, excluded_segments: [staff]}
"""
BUDGET = ("", "advocate|budget|EUR|total")


@pytest.fixture
async def shop(store_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "definitions.yaml").write_text("segments: {staff: user.staff == true}")
    async with Shop(store_url, folder, rules=RULES).open() as shop:
        await operation(shop, "customer.upsert", source_id="ann", traits={"staff": False})
        yield shop


async def operation(shop: Shop, action: str, **members: Any) -> None:
    shop.sent = getattr(shop, "sent", 0) + 1  # type: ignore[attr-defined]
    asked = {"id": f"op-{shop.sent}", "action": action, **members}  # type: ignore[attr-defined]
    response = await shop.post("/v1/evaluate", operations=[asked])
    assert response.json()["results"][0]["outcome"] == "processed", response.text


async def order(shop: Shop, who: str, referrer: Any) -> dict[str, Any]:
    return await happens(shop, who, "ordered", referrer=referrer)


async def test_each_side_gets_its_own_and_the_answer_names_the_friends_alone(shop: Shop) -> None:
    result = await order(shop, "bob", "ann")
    assert [each["metadata"]["rule"] for each in result["discounts"]] == ["friend"]
    assert (await holds(shop, "bob"), await holds(shop, "ann")) == (
        {"friend": "issued"},
        {"advocate": "issued"},
    )
    [said] = [each for each in result["decisions"][0]["outcomes"] if each["rule"] == "advocate"]
    assert said == {
        "rule": "advocate", "outcome": "issued", "reason": "see the decision of the other customer",
        "for_another": True,
    }  # fmt: skip
    [own] = (await shop.http.get("/v1/decisions?source_id=ann")).json()["decisions"]
    [issued] = own["outcomes"]
    assert (issued["rule"], issued["outcome"], own["seen"]) == ("advocate", "issued", {})
    [credit] = (await shop.http.get("/v1/customers/ann/discounts")).json()["discounts"]
    assert (credit["code"], credit["metadata"]["user_id"]) == (issued["code"], "ann")
    assert "bob" not in str((credit, own))


async def test_limits_and_segments_are_those_of_the_customer_who_gets_it(shop: Shop) -> None:
    for friend in ("bob", "cem"):
        assert outcomes(await order(shop, friend, "ann"))["advocate"] == ("issued", None)
    assert outcomes(await order(shop, "dan", "ann")) == {
        "friend": ("issued", None), "advocate": ("withheld", "per_user_limit"),
    }  # fmt: skip
    await operation(shop, "customer.upsert", source_id="eve", traits={"staff": True})
    assert outcomes(await order(shop, "fay", "eve"))["advocate"] == ("withheld", "excluded_segments")
    assert await shop.used(BUDGET) == {BUDGET: 2_000}  # type: ignore[arg-type]


@pytest.mark.parametrize("referrer", ["nobody", "bob", None, " ", True, ["ann"]])
async def test_nobody_unknown_and_nobody_for_themselves(shop: Shop, referrer: Any) -> None:
    assert outcomes(await order(shop, "bob", referrer)) == {
        "friend": ("issued", None), "advocate": ("withheld", "to"),
    }  # fmt: skip
    assert (await shop.http.get("/v1/customers/nobody")).status_code == 404
    assert await shop.used(BUDGET) == {}  # type: ignore[arg-type]


async def test_a_visitor_who_was_merged_is_the_customer_and_no_advocate_of_themselves(shop: Shop) -> None:
    await operation(shop, "customer.upsert", source_id="v1", identities={"anonymous_id": "v1"})
    await operation(shop, "customer.merge", source_id="ann", previous_id="v1")
    assert outcomes(await order(shop, "ann", "v1"))["advocate"] == ("withheld", "to")
    assert outcomes(await order(shop, "bob", "v1"))["advocate"] == ("issued", None)
    assert await holds(shop, "ann") == {"friend": "issued", "advocate": "issued"}


async def test_a_merge_revokes_the_reward_that_one_has_earned_for_the_other(shop: Shop) -> None:
    await operation(shop, "customer.upsert", source_id="v2", identities={"anonymous_id": "v2"})
    await order(shop, "v2", "ann")
    await order(shop, "bob", "ann")
    assert await shop.used(BUDGET) == {BUDGET: 2_000}  # type: ignore[arg-type]
    await operation(shop, "customer.merge", source_id="ann", previous_id="v2")
    found = (await shop.http.get("/v1/customers/ann/discounts")).json()["discounts"]
    states = sorted((each["metadata"]["rule"], each["status"]) for each in found)
    assert states == [("advocate", "issued"), ("advocate", "revoked"), ("friend", "issued")]
    assert await shop.used(BUDGET) == {BUDGET: 1_000}  # type: ignore[arg-type]


async def test_friends_at_once_never_pass_the_advocates_limit(shop: Shop) -> None:
    results = await asyncio.gather(*(order(shop, f"f{number}", "ann") for number in range(6)))
    assert [outcomes(each)["advocate"][0] for each in results].count("issued") == 2
    assert await shop.used(BUDGET) == {BUDGET: 2_000}  # type: ignore[arg-type]
