"""Codes in the spelling of people: the store and the decision mean the same discount."""

from __future__ import annotations

import itertools
from typing import Any

from adapter.model.operations import DiscountMove
from tests.store.before.restore import AFTER, restore

RULES = """
rules:
  - name: dashed
    trigger: checkout_started
    conditions: [cart_value >= 1]
    action: {type: amount_off, value: 1, code_pattern: "AB-######"}
    guardrails: {stackable: true}
  - name: plain
    trigger: checkout_started
    conditions: [cart_value >= 1]
    action: {type: amount_off, value: 1, code_pattern: "ab######"}
    guardrails: {stackable: true}
"""


async def test_a_code_is_applied_released_and_redeemed_in_any_spelling(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    issued = (await desk.take(desk.event("checkout_started", cart_value=5))).discounts[0].code
    statuses = []
    spelled: list[tuple[Any, str]] = [
        ("apply", issued.lower()),
        ("release", f" {issued} "),
        ("redeem", issued.replace("-", "\u2013")),
    ]
    for verb, typed in spelled:
        [moved] = (await desk.take(DiscountMove(verb, typed, "ann", "o1"))).discounts
        assert moved.code == issued
        statuses.append(moved.status)
    assert statuses == ["applied", "issued", "redeemed"]
    held = await desk.store.discount(issued.swapcase())
    assert (held.discount.code, held.discount.status) == (issued, "redeemed")


async def test_a_code_that_one_message_names_in_two_spellings_is_redeemed_once(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    issued = (await desk.take(desk.event("checkout_started", cart_value=5))).discounts[0].code
    moves = [DiscountMove("redeem", typed, "ann", "o1") for typed in (issued, issued.lower())]
    [told] = (await desk.take(*moves)).discounts
    assert (told.code, told.status) == (issued, "redeemed")


async def test_no_code_is_issued_that_differs_from_another_only_in_case_and_dashes(
    open_desk: Any,
) -> None:
    desk = await open_desk(RULES)
    numbers = itertools.count(1000)
    desk._draw = lambda n: "222222" if n == 6 else str(next(numbers))
    first = (await desk.take(desk.event("checkout_started", cart_value=5))).discounts
    later = (await desk.take(desk.event("checkout_started", "bob", 1, cart_value=5))).discounts
    codes = [each.code for each in (*first, *later)]
    assert len(codes) == 4
    assert len({code.replace("-", "").lower() for code in codes}) == 4


async def test_codes_of_the_version_before_that_fold_together_work_by_their_exact_spelling(
    store_url: str, open_desk: Any
) -> None:
    await restore(store_url)
    desk = await open_desk(RULES)
    desk.now = AFTER
    moved = [
        await desk.take(DiscountMove("redeem", code, owner, "o1"))
        for code, owner in [("SAVE-N9FZ6M", "cara"), ("SaveN9FZ6M ", "dora")]
    ]
    assert [each.code for result in moved for each in result.discounts] == ["SAVE-N9FZ6M", "SaveN9FZ6M"]
    refused = await desk.take(DiscountMove("redeem", "save-xra5ev", "both", "o2"))
    assert (refused.error, refused.discounts) == ("not_found", [])
    [alone] = (await desk.take(DiscountMove("apply", "thanks 3myrmxwe", "ann", "o3"))).discounts
    assert alone.code == "THANKS-3MYRMXWE"


async def test_a_store_of_the_version_before_issues_no_code_that_an_old_one_folds_to(
    store_url: str, open_desk: Any
) -> None:
    await restore(store_url)
    desk = await open_desk(RULES.replace("AB-", "save").replace("ab#", "SA-VE#"))
    desk.now, desk._draw = AFTER, lambda n: "N9FZ6M"[:n]
    issued = (await desk.take(desk.event("checkout_started", "eve", cart_value=5))).discounts
    folds = {each.code.replace("-", "").lower() for each in issued}
    assert len(folds) == len(issued) == 2
    assert "saven9fz6m" not in folds
