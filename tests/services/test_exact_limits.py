"""Exactness: as many as a guardrail allows are issued when more ask at once, not one over, not one short."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from adapter.model.operations import DiscountMove
from adapter.store.values import Changes, LoadRequest

SENDERS = 32
RULE = """
rules:
  - name: gift
    trigger: started
    action: {type: percentage_off, value: 10, max_amount: 5}
    guardrails: {%s}
"""

PASS = """
rules:
  - name: pass
    trigger: started
    action: {type: unit_off, value: 16, unit_type: minutes}
"""


class Kind(Struct, frozen=True):
    """A guardrail, its limit, and its scope: all customers, one customer, one device, or one card."""

    guardrail: str
    allows: int
    asks: str = "everybody"
    shared: str = ""
    stackable: bool = True

    @property
    def rule(self) -> str:
        return RULE % (self.guardrail + (", stackable: true" if self.stackable else ""))


KINDS = {
    "day": Kind("max_daily_redemptions: 16", 16),
    "week": Kind("max_weekly_redemptions: 16", 16),
    "total": Kind("max_total_redemptions: 16", 16),
    "none at all": Kind("max_daily_redemptions: 0", 0),
    "budget a day": Kind("budget: {currency: EUR, daily: 80}", 16),
    "budget in all": Kind("budget: {currency: EUR, total: 80.99}", 16),
    "customer": Kind("per_user_limit: 16", 16, "one customer"),
    "customer a day": Kind("per_user_limit: {count: 16, per: day}", 16, "one customer"),
    "customer a window": Kind("per_user_limit: {count: 16, window: 2h}", 16, "one customer"),
    "cooldown": Kind("cooldown: 1h", 1, "one customer"),
    "device": Kind("per_user_limit: 16", 16, "one device"),
    "device a window": Kind("per_user_limit: {count: 16, window: 2h}", 16, "one device"),
    "device cooldown": Kind("cooldown: 1h", 1, "one device"),
    "all rules": Kind("max_daily_redemptions: 99", 16, shared="guardrails: {max_daily_redemptions: 16}\n"),
    "all rules' budget": Kind(
        "max_daily_redemptions: 99", 16, shared="guardrails: {budget: {currency: EUR, total: 80}}\n"
    ),
    "all rules' customer": Kind(
        "max_daily_redemptions: 99", 16, "one customer", shared="guardrails: {per_user_limit: 16}\n"
    ),
    "customer a month": Kind("per_user_limit: {count: 16, per: month}", 16, "one customer"),
    "nothing beside it": Kind("max_daily_redemptions: 99", 1, "one customer", stackable=False),
    "key": Kind("limits: [{key: attributes.card, count: 16}]", 16, "one card"),
    "key a window": Kind("limits: [{key: attributes.card, count: 16, window: 2h}]", 16, "one card"),
    "all rules' key": Kind(
        "max_daily_redemptions: 99", 16, "one card", shared="guardrails: {limits: {key: email, count: 16}}\n"
    ),
    "the tighter of two": Kind("max_total_redemptions: 16, max_daily_redemptions: 20", 16),
}


@pytest.fixture
async def issued(open_desk: Any, store_url: str, tmp_path: Path) -> Any:
    """Runs 32 senders at once against one store, from several processes where it takes them."""

    async def run(kind: Kind, through: Callable[[Any], Any] = lambda store: store, size: int = 1) -> int:
        (tmp_path / "rules").mkdir(exist_ok=True)
        (tmp_path / "rules" / "definitions.yaml").write_text(kind.shared)
        desks = [await open_desk(kind.rule) for _ in range(1 if "sqlite" in store_url else 4)]
        for desk in desks:
            desk.store = through(desk.store)
        demand = range(max(2 * kind.allows, SENDERS))

        def work(desk: Any, number: int) -> Any:
            who = "ann" if kind.asks == "one customer" else f"u{number}"
            shared = {"card": "c-1", "email": "ann@x.test"} if kind.asks == "one card" else {}
            started = desk.event("started", who, minutes=number / 1000, **shared)
            user = replace(started.event.user, device_id="phone" if kind.asks == "one device" else None)
            return desk.work(replace(started, event=replace(started.event, user=user)))

        async def send(first: int) -> int:
            desk = desks[first // size % len(desks)]
            numbers = range(first, min(first + size, len(demand)))
            results = await desk.settle([work(desk, number) for number in numbers])
            return sum(len(result.discounts) for result in results)

        return sum(await asyncio.gather(*(send(first) for first in demand[::size])))

    return run


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_twice_the_demand_receives_exactly_the_limit(issued: Any, kind: Kind) -> None:
    assert await issued(kind) == kind.allows


@pytest.mark.parametrize("kind", ["day", "budget in all", "device", "device a window", "the tighter of two"])
async def test_concurrent_batches_receive_exactly_the_limit(issued: Any, kind: str) -> None:
    assert await issued(KINDS[kind], size=5) == KINDS[kind].allows


@pytest.fixture
async def taken(open_desk: Any, store_url: str) -> Any:
    """Lets 32 senders at once take a minute each of a pass of 16; returns how many they got in all."""

    async def run(through: Callable[[Any], Any] = lambda store: store) -> int:
        desks = [await open_desk(PASS) for _ in range(1 if "sqlite" in store_url else 4)]
        [result] = await desks[0].settle([desks[0].work(desks[0].event("started"))])
        code = result.discounts[0].code
        for desk in desks:
            desk.store = through(desk.store)

        async def send(number: int) -> int:
            move = DiscountMove("redeem", code, order_id=f"trip-{number}", units=Decimal(1))
            return len((await desks[number % len(desks)].take(move)).discounts)

        return sum(await asyncio.gather(*map(send, range(SENDERS))))

    return run


async def test_each_minute_of_a_pass_is_redeemed_exactly_once(taken: Any) -> None:
    assert await taken() == 16


class ReadThenWrite:
    """A store that decides in one transaction and blindly writes in the next, as one must not."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.secret = store.secret

    async def transact(self, script: Any, _: Any = None) -> Any:
        kept: list[Changes] = []

        class Reading:
            def __init__(self, transaction: Any) -> None:
                self.load, self.reserve, self.past = transaction.load, transaction.reserve, transaction.past
                self.known, self.booked = transaction.known, transaction.booked

            async def save(self, changes: Changes) -> None:
                kept.append(changes)

        async def read(transaction: Any) -> Any:
            kept.clear()
            return await script(Reading(transaction))

        async def write(transaction: Any) -> None:
            moved = [held.discount.code for held in kept[0].discounts]
            await transaction.load(LoadRequest(codes=moved), kept[0].seen_at)
            await transaction.save(replace(kept[0], bounds={}))

        result = await self._store.transact(read)
        await self._store.transact(write)
        return result


@pytest.mark.parametrize("kind", ["day", "budget in all", "customer", "key"])
async def test_the_test_finds_reading_before_writing(issued: Any, kind: str) -> None:
    assert await issued(KINDS[kind], ReadThenWrite) > KINDS[kind].allows


async def test_the_checker_finds_a_lost_update(taken: Any) -> None:
    assert await taken(ReadThenWrite) > 16
