"""Faults that other commerce systems had, one test each, named after what must hold.

The docstrings name the reports.

All tests share one shop of each engine: customers and codes are their own.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from adapter.model.actions import StoreCredit
from tests.checkout.orders import issued, order, percent
from tests.checkout.shop import Shop
from tests.databases import SharedServer

RULES = """
rules:
  - name: once-each
    action: {type: amount_off, value: 10, currency: EUR, code: ONCE}
    guardrails: {stackable: true, per_user_limit: 1}
  - name: first-two
    action: {type: amount_off, value: 10, currency: EUR, code: TWO}
    guardrails: {stackable: true, max_total_redemptions: 2}
  - name: shoes-only
    action: {type: percentage_off, value: 50, applies_to: {items: 'item.category == "shoes"'}, code: SHOES,
             max_amount: 50}
    guardrails: {stackable: true, max_total_redemptions: 1, budget: {currency: EUR, total: 50}}
  - name: churned
    action: {type: amount_off, value: 10, currency: EUR, code: CHURN}
    guardrails: {stackable: true, max_total_redemptions: 20}
  - name: welcome
    trigger: session_started
    action: {type: amount_off, value: 5, currency: EUR, code_prefix: WELC-}
    guardrails: {stackable: true, per_user_limit: 1}
"""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    if request.param == "sqlite":
        async with Shop(f"sqlite:///{folder / 'adapter.db'}", folder / "rules", RULES).open() as shop:
            yield shop
        return
    server: SharedServer = request.getfixturevalue("postgres_server")
    with server.store() as url:
        async with Shop(url, folder / "rules", RULES).open() as shop:
            yield shop


async def redeem(shop: Shop, *codes: str, by: str = "", **more: Any) -> Any:
    customer = {"customer": {"source_id": by}} if by else {}
    return await shop.post("/v1/redemptions", **({"codes": codes, "order": order()} | customer | more))


async def validate(shop: Shop, *codes: str, by: str = "", **more: Any) -> Any:
    customer = {"customer": {"source_id": by}} if by else {}
    return (
        await shop.post("/v1/validations", **({"codes": codes, "order": order()} | customer | more))
    ).json()


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"].get("reason")


async def track(shop: Shop, event: str, by: str, **properties: Any) -> list[str]:
    """Return the codes that an event issues."""
    message = {"type": "track", "event": event, "messageId": f"{event} {by} {properties}", "userId": by,
               "timestamp": shop.now.isoformat(), "properties": properties}  # fmt: skip
    [result] = (await shop.post("/webhooks/segment", **message)).json()["results"]
    return [one["code"] for one in result.get("discounts", ())]


async def test_a_redemption_worth_nothing_takes_no_use_and_no_budget(shop: Shop) -> None:
    """vendure#5278: a discount without effect used up the customer's one use."""
    hats = {"currency": "EUR", "lines": [{"id": "1", "category": "hats", "unit_price": "80.00"}]}
    shoes = {"currency": "EUR", "lines": [{"id": "1", "category": "shoes", "unit_price": "80.00"}]}
    await shop.issue(issued("FREE-1", "zoe"))
    assert refusal(await redeem(shop, "SHOES", by="zoe", order=hats)) == (409, "no_effect")
    beside = (await redeem(shop, "SHOES", "FREE-1", by="zoe", order=hats)).json()
    assert [one["code"] for one in beside["redeemed"]] == ["FREE-1"]
    taken = (await redeem(shop, "SHOES", by="zoe", order=shoes)).json()
    assert taken["redeemed"][0]["amount"] == "40.00"
    assert refusal(await redeem(shop, "SHOES", by="amy", order=shoes)) == (409, "usage_limit_reached")


async def test_a_free_order_takes_no_use_of_the_codes_after_the_first(shop: Shop) -> None:
    """vendure#5278: codes that found nothing left to take off were counted."""
    await shop.issue(issued("ALL-1", "uma", action=percent(100)), issued("REST-1", "uma"))
    found = (await redeem(shop, "ALL-1", "REST-1", by="uma")).json()
    assert (found["totals"]["due"], [one["code"] for one in found["redeemed"]]) == ("0.00", ["ALL-1"])
    assert (await redeem(shop, "REST-1", by="uma")).status_code == 200


async def test_limits_hold_for_discounts_that_come_without_a_code_being_typed(shop: Shop) -> None:
    """vendure#4353, #1692: limits per customer were ignored where a promotion applied by itself."""
    assert len(await track(shop, "Session Started", "lea", n=1)) == 1
    assert await track(shop, "Session Started", "lea", n=2) == []
    first = await redeem(shop, by="lea", best=True, order_id="lea-1")
    assert first.json()["totals"]["discount"] == "5.00"
    again = await redeem(shop, by="lea", best=True, order_id="lea-2")
    assert again.status_code in (400, 409)
    assert await track(shop, "Session Started", "lea", n=3) == []


async def test_a_promotion_that_the_customer_has_had_is_not_offered_again(shop: Shop) -> None:
    """vendure#4353: the same limit must hold for what is offered, validated and redeemed."""
    assert (await redeem(shop, "ONCE", by="pia")).status_code == 200
    asked = {"customer": {"source_id": "pia"}, "order": order()}
    offered = (await shop.post("/v1/qualifications", **asked)).json()
    [mine] = [one for one in offered["qualifications"] if one["code"] == "ONCE"]
    limit = "usage_limit_reached_for_this_customer"
    assert (mine["applicable"], mine["reason"]) == (False, limit)
    assert "ONCE" not in [one["code"] for one in offered["best"]["codes"] if one["applicable"]]
    assert (await validate(shop, "ONCE", by="pia"))["codes"][0]["reason"] == limit
    assert refusal(await redeem(shop, "ONCE", by="pia")) == (409, limit)


async def test_a_limit_per_customer_refuses_an_unknown_customer_with_a_reason(shop: Shop) -> None:
    """medusa#15823, #15960: without a customer a limit per customer was an internal error."""
    found = (await validate(shop, "ONCE"))["codes"][0]
    assert (found["applicable"], found["reason"]) == (False, "customer_needed")
    assert refusal(await redeem(shop, "ONCE")) == (409, "customer_needed")


async def test_a_limit_follows_a_guest_who_signs_in(shop: Shop) -> None:
    """medusa#15960: a guest had a second use as soon as they had an account."""
    assert (await redeem(shop, "ONCE", by="guest-7")).status_code == 200
    alias = {"type": "alias", "messageId": "alias-7", "previousId": "guest-7", "userId": "rita"}
    assert (await shop.post("/webhooks/segment", **alias)).status_code == 200
    assert refusal(await redeem(shop, "ONCE", by="rita")) == (409, "usage_limit_reached_for_this_customer")


async def test_every_code_of_a_request_is_reported_with_its_reason(shop: Shop) -> None:
    """medusa#15396: codes that were skipped were not in the answer."""
    await shop.issue(issued("MINE-1", "ida"), issued("HERS-1", "eva"))
    codes = ["MINE-1", "HERS-1", "NONE-1", "SHOES"]
    found = {one["code"]: one.get("reason") for one in (await validate(shop, *codes, by="ida"))["codes"]}
    assert found.keys() == set(codes)
    assert (found["MINE-1"], found["HERS-1"], found["NONE-1"]) == (None, "wrong_customer", "code_not_found")
    assert found["SHOES"] in ("no_effect", "usage_limit_reached")


async def test_a_use_counts_as_soon_as_it_was_answered(shop: Shop) -> None:
    """Shopify's `asyncUsageCount` lags behind: a count that is read may be old."""
    found = [
        [(await validate(shop, "TWO"))["valid"], (await redeem(shop, "TWO")).status_code] for _ in range(3)
    ]
    assert found == [[True, 200], [True, 200], [False, 409]]


async def test_two_completions_of_one_checkout_use_a_code_once(shop: Shop) -> None:
    """saleor#544, PR 15855: a checkout completed twice took two uses."""
    await shop.issue(issued("CRED-9", "kim", action=StoreCredit(value=Decimal(100), currency="EUR")))
    asked = {
        "codes": ["CRED-9"],
        "customer": {"source_id": "kim"},
        "order": order("30.00"),
        "order_id": "kim-1",
    }
    answers = await shop.posts(8, "/v1/redemptions", **asked)
    assert {(one.status_code, one.json().get("id")) for one in answers} == {(200, answers[0].json()["id"])}
    assert (await shop.http.get("/v1/discounts/CRED-9")).json()["action"]["left"] == 70


async def test_a_cancelled_order_gives_the_customer_their_use_back(shop: Shop) -> None:
    """vendure#1466, sylius#6470: a cancelled order kept the use of the customer's limit."""
    assert (await redeem(shop, "ONCE", by="ola", order_id="ola-1")).status_code == 200
    await track(shop, "Order Cancelled", "ola", order_id="ola-1", currency="EUR")
    assert (await redeem(shop, "ONCE", by="ola", order_id="ola-2")).status_code == 200
    assert (await redeem(shop, "ONCE", by="ola", order_id="ola-3")).status_code == 409


async def test_uses_and_rollbacks_at_the_same_time_lose_none_of_each_other(shop: Shop) -> None:
    """medusa#16595: giving a use back wrote a count that had been read before another use."""
    first = [(await redeem(shop, "CHURN")).json()["id"] for _ in range(10)]
    backs = [shop.post(f"/v1/redemptions/{id_}/rollbacks") for id_ in first]
    answers = [
        one.status_code for one in await asyncio.gather(*backs, *(redeem(shop, "CHURN") for _ in range(10)))
    ]
    assert Counter(answers) == {200: 20}
    more = [(await redeem(shop, "CHURN")).status_code for _ in range(11)]
    assert more == [200] * 10 + [409]


async def test_a_refused_redemption_gives_back_what_it_had_taken(shop: Shop) -> None:
    """saleor#8796: the use of the first code stayed taken when a later step failed."""
    await shop.issue(issued("FINE-1", "ben"), issued("GONE-1", "ben", expires_at=shop.now))
    assert refusal(await redeem(shop, "FINE-1", "GONE-1", by="ben")) == (409, "expired")
    strict = {"order": order(total="1.00"), "strict": True}
    assert (await redeem(shop, "FINE-1", by="ben", **strict)).status_code == 422
    assert (await redeem(shop, "FINE-1", by="ben")).status_code == 200


async def test_discounts_never_add_up_to_more_than_the_order(shop: Shop) -> None:
    """saleor#17453, #4082: percentages that were added gave goods away."""
    await shop.issue(*(issued(f"SIXTY-{n}", "tom", action=percent(60)) for n in range(3)))
    found = await validate(shop, "SIXTY-0", "SIXTY-1", "SIXTY-2", by="tom")
    assert [one["amount"] for one in found["codes"]] == ["60.00", "24.00", "9.60"]
    assert found["totals"]["due"] == "6.40"


async def test_a_discount_is_taken_once_however_its_code_is_repeated(shop: Shop) -> None:
    """saleor#14920, medusa#11725: the same promotion was applied twice."""
    await shop.issue(issued("DUP-100", "liv", action=percent(10)))
    for codes in (["DUP-100", "DUP-100"], ["DUP-100", "dup 100"]):
        found = await validate(shop, *codes, by="liv")
        assert found["totals"]["discount"] == "10.00"
        assert refusal(await redeem(shop, *codes, by="liv")) == (409, "duplicate_code")


async def test_the_order_of_codes_changes_no_amount(shop: Shop) -> None:
    """medusa#12690, #13431: totals depended on which code came first."""
    await shop.issue(
        issued("PERM-A", "max", action=percent(15)),
        issued("PERM-B", "max"),
        issued("PERM-C", "max", action=StoreCredit(value=Decimal(20), currency="EUR")),
    )
    found = [await validate(shop, *codes, by="max") for codes in permutations(("PERM-A", "PERM-B", "PERM-C"))]
    assert all(one == found[0] for one in found)
    assert found[0]["totals"]["due"] == "55.00"


async def test_a_code_is_found_whatever_its_case_blanks_and_dashes(shop: Shop) -> None:
    """vendure#4364: shoppers type codes in lower case, with blanks."""
    await shop.issue(issued("HV15-8K2F", "sam"))
    for typed in ("hv15-8k2f", " HV15 8K2F ", "hv158k2f", "HV15–8K2F"):
        assert (await validate(shop, typed, by="sam"))["codes"][0]["code"] == "HV15-8K2F"
    assert (await redeem(shop, "hv15 8k2f", by="sam")).status_code == 200
    assert refusal(await redeem(shop, "HV15-8K2F", by="sam")) == (409, "usage_limit_reached")


async def test_two_codes_that_differ_in_case_alone_are_refused(shop: Shop) -> None:
    """vendure#4364: which of two such codes is meant cannot be told."""
    pool = "/v1/code-pools/partner/codes"
    assert (await shop.post(pool, codes=["Case-1", "CASE-1", "case1"])).json()["added"] == 1
    assert (await shop.post(pool, codes=["CASE 1".replace(" ", "")])).json()["left_out"] == ["CASE1"]
