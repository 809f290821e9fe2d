"""An order may come before the message that says who placed it: its redemption waits for the merge."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapter.model.operations import (
    CustomerErase,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
    Operation,
)
from adapter.model.pending import MOST_PENDING
from adapter.services.ingest.work_item import Work
from adapter.store.naming import FEW
from tests.length import length

RULES = """
rules:
  - name: gift
    trigger: started
    action: {type: percentage_off, value: 10, max_amount: 5, expires_in_hours: 3}
    guardrails: {stackable: true, max_daily_redemptions: 5000, per_user_limit: 9}
  - name: ride
    trigger: rode
    action: {type: unit_off, value: 9, unit_type: minutes, expires_in_hours: 3}
    guardrails: {stackable: true}
"""
EXAMPLES = itertools.count()
#: An example is a handful of transactions in each of several orders: 100 ms and more on PostgreSQL.
SETTINGS = settings(
    max_examples=length(30, 100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def told(desk: Any, *operations: Operation, at: datetime | None = None, key: str | None = None) -> Work:
    """Return a message, which says when it happened."""
    found: Work = desk.work(*operations, key=key)
    return replace(found, document={"timestamp": (at or desk.now).isoformat()})


async def take(desk: Any, *operations: Operation, **said: Any) -> Any:
    [result] = await desk.settle([told(desk, *operations, **said)])
    return result


def seen(desk: Any, who: str, name: str, minutes: float = 0) -> EventOccurred:
    """Return an event of a visitor, or of a customer."""
    links = {"anonymous_id": who} if "visitor" in who else {}
    return EventOccurred(who, desk.event(name, who, minutes).event, links)


async def issued(desk: Any, who: str, name: str = "started") -> str:
    """Have a discount issued for a visitor, or for a customer, and return its code."""
    [discount] = (await take(desk, seen(desk, who, name))).discounts
    return str(discount.code)


async def state(desk: Any, code: str, *people: str) -> Any:
    held = await desk.store.discount(code)
    everything = [await desk.store.held(name) for name in people]
    return [
        (held.discount.status, held.order_id, held.source_id, held.discount.action),
        await desk.store.pending_moves(code=code),
        [
            (each.source_id, each.counters, each.pending_moves, [event.id for event in each.events])
            for each in everything
        ],
    ]


def steps_of(desk: Any, prefix: str, code: str, mover: str, whole: bool) -> list[tuple[Operation, ...]]:
    """Return an order, and the messages by which its customer turns out to be the visitor."""
    order = desk.event("order_completed", f"{prefix}{mover}")
    redeem = DiscountMove("redeem", code, f"{prefix}{mover}", "o1")
    return [
        (order, redeem) if whole else (redeem,),
        (CustomerUpsert(f"{prefix}u1", identities={"anonymous_id": f"{prefix}visitor"}),),
        (CustomerMerge(f"{prefix}u2", f"{prefix}u1"),),
        (CustomerMerge(f"{prefix}u3", f"{prefix}u2"),),
    ]


@pytest.mark.slow
@SETTINGS
@given(
    order=st.permutations(range(4)),
    cuts=st.sets(st.integers(1, 3)),
    mover=st.sampled_from(["u1", "u2", "u3"]),
    whole=st.booleans(),
    busy=st.booleans(),
)
async def test_order_identify_and_alias_end_the_same_in_any_order(
    open_desk: Any, order: Any, cuts: set[int], mover: str, whole: bool, busy: bool
) -> None:
    """A busy visitor has so many rows that a merge leaves them under the visitor's id."""
    desk = await open_desk(RULES)
    people = ("visitor", "u1", "u2", "u3")
    found = []
    try:
        for arrived, batches in (([1, 2, 3, 0], {1, 2, 3}), (order, cuts)):
            prefix = f"{next(EXAMPLES)}-"
            code = await issued(desk, f"{prefix}visitor")
            if busy:
                views = [seen(desk, f"{prefix}visitor", "page_viewed", at) for at in range(FEW + 1)]
                await desk.settle([told(desk, view) for view in views])
            steps = steps_of(desk, prefix, code, mover, whole)
            bounds = [0, *sorted(batches), len(steps)]
            for first, last in itertools.pairwise(bounds):
                await desk.settle([told(desk, *steps[at]) for at in arrived[first:last]])
            ended = await state(desk, code, *(f"{prefix}{who}" for who in people))
            assert ended[0][:2] == ("redeemed", "o1")
            assert ended[1] == []
            found.append(str(ended).replace(prefix, ""))
    finally:
        await desk.store.close()
    assert found[0] == found[1]


async def test_a_move_by_another_customer_is_pending_with_a_reason(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    code = await issued(desk, "visitor")
    result = await take(desk, DiscountMove("redeem", code, "u1", "o1"))
    assert (result.error, result.discounts) == ("pending", [])
    [waiting] = await desk.store.pending_moves(source_id="u1")
    assert (
        [waiting] == await desk.store.pending_moves(code=code) == (await desk.store.held("u1")).pending_moves
    )
    assert (waiting.status, waiting.verb, waiting.code, waiting.order_id) == ("pending", "redeem", code, "o1")
    assert waiting.reason == result.reason
    assert (await desk.store.discount(code)).discount.status == "issued"


async def test_an_order_of_a_visitor_is_done_for_the_customer_they_turn_out_to_be(open_desk: Any) -> None:
    """The discount is the customer's, and the visitor who orders has no record: no merge, but an identity."""
    desk = await open_desk(RULES)
    code = await issued(desk, "ann")
    await take(desk, DiscountMove("redeem", code, "visitor", "o1"))
    assert (await desk.store.discount(code)).discount.status == "issued"
    await take(desk, CustomerUpsert("ann", identities={"anonymous_id": "visitor"}))
    assert (await desk.store.discount(code)).discount.status == "redeemed"
    assert await desk.store.pending_moves(code=code) == []


async def test_a_pending_order_of_a_visitor_becomes_the_customers_after_a_merge(
    open_desk: Any,
) -> None:
    """The holder is a third customer, with which that customer is merged later."""
    desk = await open_desk(RULES)
    code, other = await issued(desk, "bob"), await issued(desk, "cid")
    for number, each in enumerate((code, other)):
        await take(desk, DiscountMove("redeem", each, "visitor", f"o{number}"))
    await take(desk, CustomerUpsert("ann", identities={"anonymous_id": "visitor"}))
    assert {move.source_id for move in (await desk.store.held("ann")).pending_moves} == {"ann"}
    await take(desk, CustomerMerge("bob", "ann"))
    assert (await desk.store.discount(code)).discount.status == "redeemed"
    assert [move.order_id for move in (await desk.store.held("bob")).pending_moves] == ["o1"]
    await take(desk, CustomerErase("ann"))
    assert await desk.store.pending_moves(code=other) == []


async def test_moves_that_waited_are_done_in_the_order_in_which_they_happened(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    code = await issued(desk, "visitor", "rode")
    desk.now = desk.at(10)
    for minutes, units in ((9, 4), (3, 2), (6, 9)):
        redeem = DiscountMove("redeem", code, "u1", f"at {minutes}", units=Decimal(units))
        await take(desk, redeem, at=desk.at(minutes))
    await take(desk, DiscountMove("apply", code, "u1", "at 1"), at=desk.at(1))
    desk.now = desk.at(20)
    await take(desk, CustomerMerge("u1", "visitor"))
    held = await desk.store.discount(code)
    uses = [(use.order_id, int(use.units), use.at) for use in held.discount.action.uses]
    assert uses == [("at 3", 2, desk.at(3)), ("at 6", 7, desk.at(6))]
    [refused] = await desk.store.pending_moves(code=code)
    assert (refused.status, refused.order_id) == ("refused", "at 9")
    assert "it was redeemed" in refused.reason


async def test_an_order_before_the_end_of_its_discount_counts_after_a_late_merge(
    open_desk: Any,
) -> None:
    """Until then the discount keeps what it holds of its caps, so that redeeming it exceeds none."""
    desk = await open_desk(RULES)
    code, other = await issued(desk, "visitor"), await issued(desk, "visitor-2")
    desk.now = desk.at(61)
    await take(desk, DiscountMove("redeem", code, "u1", "o1"), at=desk.at(60))
    desk.now = desk.at(24 * 60)
    assert await desk.store.lapsed(desk.now, 9) == [other]
    await take(desk, CustomerMerge("u1", "visitor"))
    held = await desk.store.discount(code)
    assert (held.discount.status, held.moved_at) == ("redeemed", desk.at(60))


async def test_a_move_after_the_end_of_a_discount_is_not_pending(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    code = await issued(desk, "visitor")
    desk.now = desk.at(181)
    assert (await take(desk, DiscountMove("redeem", code, "u1", "o1"))).error == "wrong_move"
    assert await desk.store.pending_moves(code=code) == []


async def test_a_move_of_a_redeemed_discount_is_not_pending(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    code = await issued(desk, "visitor")
    await take(desk, DiscountMove("redeem", code, "visitor", "o1"))
    assert (await take(desk, DiscountMove("redeem", code, "u1", "o2"))).error == "wrong_move"
    assert await desk.store.pending_moves(code=code) == []


async def test_an_api_call_is_never_pending(open_desk: Any) -> None:
    """It has no message for a later result, and its caller gets the result at once."""
    desk = await open_desk(RULES)
    code = await issued(desk, "visitor")
    [result] = await desk.settle([desk.work(DiscountMove("redeem", code, "u1", "o1"))])
    assert result.error == "wrong_move"
    assert await desk.store.pending_moves(code=code) == []


async def test_a_customer_has_a_bound_of_waiting_moves(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    code = await issued(desk, "visitor")
    moves = [DiscountMove("redeem", code, "u1", f"o{number}") for number in range(MOST_PENDING)]
    await desk.settle([told(desk, move) for move in moves[:60]])
    results = await desk.settle(
        [told(desk, move) for move in [*moves, DiscountMove("apply", code, "u1", "x")]]
    )
    assert [result.error for result in results] == ["pending"] * MOST_PENDING + ["wrong_move"]
    assert len(await desk.store.pending_moves(source_id="u1")) == MOST_PENDING
    again = await take(desk, moves[0])
    assert again.error == "pending"


@pytest.mark.parametrize("erased", ["u1", "u2"])
async def test_an_erasure_takes_the_moves_of_the_person_and_leaves_those_of_others(
    open_desk: Any, erased: str
) -> None:
    desk = await open_desk(RULES)
    code = await issued(desk, "visitor")
    for who in ("u1", "old", "other"):
        await take(desk, DiscountMove("redeem", code, who, f"of {who}"))
    await take(desk, CustomerMerge("u2", "old"))
    await take(desk, CustomerErase(erased))
    left = {move.source_id for move in await desk.store.pending_moves(code=code)}
    assert left == {"u1", "u2", "other"} - {erased}
    [receipt, *_] = await desk.store.receipts(erased)
    assert receipt.removed["pending_moves"] == 1


async def test_pending_moves_go_by_age_and_then_the_discount_expires(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    code = await issued(desk, "visitor")
    await take(desk, DiscountMove("redeem", code, "u1", "o1"))
    later = desk.now + timedelta(days=31)
    assert await desk.store.lapsed(later, 9) == []
    assert await desk.store.purge("pending_moves", desk.now) == 0
    assert await desk.store.purge("pending_moves", later - timedelta(days=30)) == 1
    assert await desk.store.lapsed(later, 9) == [code]


async def test_an_order_and_the_merge_that_come_at_once_end_in_a_redemption(
    postgres_url: str, open_desk: Any, store_url: str
) -> None:
    """Two processes on one database: whichever commits first, the other sees it."""
    if store_url != postgres_url:
        pytest.skip("SQLite has one process")
    one, other = await open_desk(RULES), await open_desk(RULES)
    codes = []
    for number in range(25):
        visitor, customer = f"visitor-{number}", f"u{number}"
        codes.append(await issued(one, visitor))
        joins = CustomerUpsert(customer, identities={"anonymous_id": visitor})
        await asyncio.gather(take(one, DiscountMove("redeem", codes[-1], customer, "o1")), take(other, joins))
    statuses = [(await one.store.discount(code)).discount.status for code in codes]
    assert statuses == ["redeemed"] * len(codes)
