"""Codes with a worth of their own: imported, used at the checkout, changed by a later file, and taken out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter.model.actions import AmountOff
from adapter.model.vouchers import Voucher
from adapter.services.bulk.dump import Dump, Filters
from adapter.services.bulk.dump_formats import csv_of, jsonl
from adapter.services.checkout.requests import Checkout, Reserve, RollBack
from tests.bulk.conftest import Ended, Shop
from tests.bulk.importing import live, reasons, run

HEADER = (
    "Code,Voucher Type,Discount Type,Value,Start Date,Expiration Date,Redemption Limit,Redeemed Quantity\n"
)
ORDER = {"currency": "EUR", "lines": [{"id": "l1", "quantity": 1, "unit_price": "60.00"}]}


async def imported(shop: Shop, *rows: str, header: str = HEADER, **options: Any) -> Ended:
    """Import codes of an amount in euros."""
    return await shop.imports("codes", header + "\n".join(rows) + "\n", currency="EUR", **options)


def request(code: str, customer: str = "", order_id: str = "", **given: Any) -> Checkout:
    """Return what a checkout sends."""
    who = {"source_id": customer} if customer else {}
    return Checkout(codes=(code,), customer=who, order=ORDER, order_id=order_id, **given)


async def redeemed(shop: Shop, code: str, customer: str = "", order_id: str = "", **given: Any) -> Any:
    """Redeem a code, and return the answer."""
    reply = await shop.app.bookings.redeem(request(code, customer, order_id, **given))
    return msgspec.json.decode(reply.body)


async def validated(shop: Shop, code: str) -> Any:
    """Validate a code, and return what it takes off, or why it does not."""
    [found] = msgspec.json.decode((await shop.app.bookings.validate(request(code))).body)["codes"]
    return found


def why(answer: Any) -> str:
    """Return the reason of a refusal."""
    return str(answer["error"]["reason"])


async def voucher(shop: Shop, code: str) -> Voucher:
    """Return a voucher that is stored."""
    return next(each for each in await shop.store.vouchers_after() if each.code == code)


async def test_codes_take_off_what_their_rows_say(shop: Shop) -> None:
    ended = await imported(
        shop, "TEN,,AMOUNT,10,,,,", "FIFTH,DISCOUNT_VOUCHER,PERCENT,20,,,,", "SHIP,,SHIPPING,,,,,"
    )
    assert (ended.job.counts.accepted, ended.rows) == (3, [])
    assert [(await validated(shop, code))["amount"] for code in ("ten", "FIF-TH")] == ["10.00", "12.00"]
    assert (await validated(shop, "SHIP"))["reason"] == "no_effect"
    taken = await redeemed(shop, "TEN", "ann")
    assert [(use["code"], use["amount"], use["shared"]) for use in taken["redeemed"]] == [
        ("TEN", "10.00", True)
    ]


async def test_a_limit_counts_uses_from_before_the_import_and_holds_among_many(shop: Shop) -> None:
    await imported(shop, "THREE,,PERCENT,10,,,3,1", "ONCE,,PERCENT,10,,,1,1")
    assert (await validated(shop, "ONCE"))["reason"] == "usage_limit_reached"
    answers = await asyncio.gather(*(redeemed(shop, "THREE", f"c-{n}", f"o-{n}") for n in range(5)))
    assert sorted("error" in answer for answer in answers) == [False, False, True, True, True]


async def test_a_code_works_from_its_start_until_it_expires_and_only_while_it_is_active(shop1: Shop) -> None:
    header = HEADER.strip() + ",Active\n"
    rows = ("SOON,,PERCENT,10,2026-03-02,,,,", "GONE,,PERCENT,10,,2026-02-28,,,", "OFF,,PERCENT,10,,,,,FALSE")
    await imported(shop1, *rows, "LAST,,PERCENT,10,,2026-03-01,,,TRUE", header=header)
    found = {code: (await validated(shop1, code)).get("reason") for code in ("SOON", "GONE", "OFF", "LAST")}
    assert found == {"SOON": "not_started", "GONE": "expired", "OFF": "not_available", "LAST": None}
    shop1.now = datetime(2026, 3, 2, tzinfo=UTC)
    assert (await validated(shop1, "LAST"))["reason"] == "expired"
    assert (await validated(shop1, "SOON"))["applicable"]


async def test_a_hold_reserves_a_use_and_a_rollback_gives_it_back(shop: Shop) -> None:
    await imported(shop, "ONE,,AMOUNT,10,,,1,")
    reply = await shop.app.bookings.validate(request("ONE", "ann", reserve=Reserve(ttl=600)))
    hold = msgspec.json.decode(reply.body)["id"]
    assert why(await redeemed(shop, "ONE", "bob")) == "usage_limit_reached"
    taken = msgspec.json.decode((await shop.app.bookings.redeem(Checkout(hold=hold, order_id="o-1"))).body)
    assert taken["state"] == "redeemed"
    await shop.app.bookings.roll_back(RollBack(redemption=hold))
    assert (await redeemed(shop, "ONE", "bob"))["redeemed"][0]["amount"] == "10.00"


async def completed(shop: Shop, order_id: str, coupon: str) -> None:
    """Receive an order without lines."""
    said = {"order_id": order_id, "total": 60, "currency": "EUR", "coupon": coupon}
    call = {"type": "track", "event": "Order Completed", "userId": "ann", "properties": said}
    body = msgspec.json.encode({**call, "messageId": f"m-{order_id}", "timestamp": shop.now})
    await live(shop, body.decode())


async def test_an_order_of_the_stream_without_lines_counts_a_use_and_spends_no_gift_card(shop: Shop) -> None:
    await imported(shop, "TWO,,AMOUNT,10,,,2,", "CARD,GIFT_VOUCHER,,100,,,,")
    for order_id, coupon in (("o1", "two"), ("o1", "two"), ("o2", "TWO"), ("o3", "TWO"), ("o4", "CARD")):
        await completed(shop, order_id, coupon)
    taken = await shop.store.redemptions("all")
    assert sorted((each.order_id, use.code, use.amount) for each in taken for use in each.uses) == [
        ("o1", "TWO", None), ("o2", "TWO", None)
    ]  # fmt: skip
    assert why(await redeemed(shop, "TWO", "bo")) == "usage_limit_reached"
    assert (await validated(shop, "CARD"))["amount"] == "60.00"


async def test_a_gift_card_is_spent_in_parts_and_refilled_by_a_rollback(shop: Shop) -> None:
    header = "Code,Gift Amount,Balance\n"
    await imported(shop, "GIFT,100,90", header=header)
    taken = [(await redeemed(shop, "GIFT", order_id=f"o-{n}"))["redeemed"][0]["amount"] for n in range(2)]
    assert taken == ["60.00", "30.00"]
    assert "error" in await redeemed(shop, "GIFT", order_id="o-3")
    [second, _] = await shop.store.redemptions("code", "gift")
    await shop.app.bookings.roll_back(RollBack(redemption=second.id))
    assert (await validated(shop, "GIFT"))["amount"] == "30.00"


async def test_another_file_changes_only_active_and_category_and_says_what_it_leaves(shop: Shop) -> None:
    before = "Code,Voucher Type,Discount Type,Value,Active,Category\nFALL30,,AMOUNT,10,false,New\n"
    await shop.imports("codes", before, currency="EUR")
    ended = await run(shop, "I20", currency="EUR")
    assert (ended.job.counts.accepted, ended.job.counts.warnings, ended.rows) == (1, 1, [])
    assert ended.job.warnings == (
        "row 2: FALL30 exists: Value and Expiration Date differ and were left as stored",
    )
    found = await voucher(shop, "FALL30")
    assert (found.active, found.category, found.expires_at) == (True, "Old", None)
    assert found.action == AmountOff(value=Decimal(10), currency="EUR")
    again = await run(shop, "I20", currency="EUR")
    assert (again.job.counts.accepted, again.job.counts.duplicates) == (0, 1)


async def test_amounts_percentages_and_signs_are_checked(shop1: Shop) -> None:
    ended = await run(shop1, "I22", currency="EUR")
    assert (ended.job.counts.accepted, ended.rows) == (2, [3, 4, 6])
    notes = shop1.preview("codes", b"Code,Discount Type,Value\nM1,AMOUNT,10\n", currency="EUR").notes
    assert notes[0] == "M1: 10.00 EUR off the order"
    assert (await validated(shop1, "M1"))["amount"] == "10.00"
    ended = await run(shop1, "I05", currency="EUR")
    assert (ended.job.counts.accepted, ended.rows) == (1, [3])
    assert "is not a number with a point; say --decimal comma" in reasons(ended)


async def test_used_up_and_overused_codes_stay_so(shop1: Shop) -> None:
    ended = await run(shop1, "I23")
    assert (ended.job.counts.accepted, ended.rows, ended.job.counts.warnings) == (3, [5], 1)
    assert ended.job.warnings == ("row 3: U2 was used 3 times of 1: kept so, and used up",)
    assert [(await validated(shop1, code)).get("reason") for code in ("U1", "U2", "U3")] == [
        "usage_limit_reached", "usage_limit_reached", None
    ]  # fmt: skip


async def test_an_import_again_counts_no_use_twice(shop: Shop) -> None:
    for _ in range(2):
        ended = await imported(shop, "TWO,,PERCENT,10,,,2,1")
    assert ended.job.counts.duplicates == 1
    assert "error" not in await redeemed(shop, "TWO", order_id="o-1")
    assert why(await redeemed(shop, "TWO", order_id="o-2")) == "usage_limit_reached"


async def test_codes_that_others_have_are_refused(shop: Shop) -> None:
    shop.rule("name: spring\naction: {type: percentage_off, value: 10, code: SPRING}\n")
    await shop.store.add_pool_codes("b", ["POOLED"], shop.now)
    await shop.imports("discounts", "code,source_id,action,value\nISSUED,c-1,percentage_off,10\n")
    ended = await imported(
        shop, *(f"{code},,PERCENT,10,,,," for code in ("sp-ring", "pooled", "ISSUED", "X-1", "x1"))
    )
    assert reasons(ended).splitlines() == [
        "sp-ring is the code of the rule spring", "pooled belongs to pool b",
        "ISSUED is a discount that was issued", "same code as row 5",
    ]  # fmt: skip
    assert await shop.store.add_pool_codes("b", ["x-1", "free"], shop.now) == ["free"]
    ended = await shop.imports("codes", "code\nX1\n", pool="b")
    assert reasons(ended) == "X1 was issued, or is a voucher"
    ended = await shop.imports("discounts", "code,source_id,action,value\nX1,c-1,percentage_off,10\n")
    assert reasons(ended) == "X1 is the code of a voucher, which has no customer"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("code\n", "add Value and Discount Type"),
        ("Code,Discount Type,Value,Email\n", "column 4 (Email) names a person"),
    ],
)
async def test_a_file_of_another_kind_is_refused_before_its_first_row(
    shop1: Shop, header: str, said: str
) -> None:
    ended = await imported(shop1, "A,PERCENT,10,a@example.com", header=header)
    assert (ended.job.state, ended.job.counts.rows) == ("failed", 0)
    assert said in ended.job.error


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,LOYALTY_CARD,,10,,,,", "a loyalty card has points"),
        ("A,,UNIT,10,,,,", "Discount Type UNIT is none of"),
        ("A,,AMOUNT,0,,,,", "Value is 0"),
        ("A,,PERCENT,,,,,", "does not say what the code is worth"),
    ],
)
async def test_a_row_without_a_worth_that_the_checkout_knows_is_refused(
    shop1: Shop, row: str, said: str
) -> None:
    assert said in reasons(await imported(shop1, row))


async def test_an_amount_without_a_currency_is_refused(shop1: Shop) -> None:
    assert "name it with --currency" in reasons(await shop1.imports("codes", HEADER + "A,,AMOUNT,10,,,,\n"))


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Shop]:
    """An empty shop."""
    found = Shop("sqlite:///:memory:", tmp_path)
    async with found.app.working():
        yield found


@pytest.mark.parametrize("form", [csv_of, jsonl])
async def test_a_dump_comes_in_as_the_same_codes_with_their_uses(shop: Shop, other: Shop, form: Any) -> None:
    header = HEADER.strip() + ",Category,Active,Region,a.b\n"
    rows = ("TEN,,AMOUNT,10.50,2026-01-01,2030-12-31,5,2,New,FALSE,Europe,=1+1", "P|1,,PERCENT,12.5,,,,,,,,")
    await imported(shop, *rows, "GIFT,GIFT_VOUCHER,,100,,,,,,,,", header=header)
    await redeemed(shop, "GIFT", order_id="o-1")
    first = Dump(shop.store, shop.files, lambda: shop.now, "codes", Filters())
    content = b"".join([piece async for piece in form(first)])
    ended = await other.imports("codes", content)
    assert (ended.job.counts.accepted, ended.rows) == (3, [])
    assert await other.store.vouchers_after() == await shop.store.vouchers_after()
    keys = [(claim.scope, claim.key) for each in await shop.store.vouchers_after() for claim in each.claims]
    assert await other.store.used(keys) == await shop.store.used(keys)


async def test_an_erasure_keeps_the_use_and_not_the_person(shop: Shop) -> None:
    await shop.imports("customers", "source_id\nann\n")
    await imported(shop, "ONE,,PERCENT,10,,,1,")
    await redeemed(shop, "ONE", "ann", "o-1")
    exported = b"".join([piece async for piece in shop.app.privacy.export("ann")])
    assert b'"code":"ONE"' in exported
    await shop.app.privacy.erase("ann", "api")
    assert not await shop.store.redemptions("customer", "ann")
    assert (await validated(shop, "ONE"))["reason"] == "usage_limit_reached"
