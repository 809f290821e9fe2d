"""Lift out of the store: the conversions of many customers, page by page."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapter.rules.lift import Group, Lift
from adapter.services import lift
from adapter.services.lift import LiftQuestion, Measurements, measure

RULES = """
rules:
  - name: gift
    trigger: started
    action: {type: percentage_off, value: 10, max_amount: 5}
    rollout: {control: 50}
  - {name: other, trigger: viewed, action: {type: percentage_off, value: 10, max_amount: 5}}
"""


@pytest.mark.parametrize("page", [3, 500])
async def test_conversions_of_both_groups_are_counted_within_the_window(
    open_desk: Any, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(lift, "_PAGE", page)
    desk = await open_desk(RULES)
    people = [f"u{number}" for number in range(20)]
    results = await desk.settle([desk.work(desk.event("started", who)) for who in people])
    served = [who for who, result in zip(people, results, strict=True) if result.discounts]
    held_out = [who for who in people if who not in served]
    assert len(served) > 2 < len(held_out)
    await desk.take(desk.event("viewed", "viewer"))
    buyers = [*served[:2], held_out[0]]
    await desk.settle(
        [
            *(desk.work(desk.event("order_completed", who, minutes=60, total=12.5)) for who in buyers),
            desk.work(desk.event("order_completed", served[0], minutes=61, total=7)),
            desk.work(desk.event("order_completed", served[1], minutes=-1, total=99)),
            desk.work(desk.event("order_completed", held_out[1], minutes=8 * 24 * 60, total=99)),
        ]
    )
    gift = Lift(
        "gift", Group(len(served), 2, {"": Decimal("32.0")}), Group(len(held_out), 1, {"": Decimal("12.5")})
    )
    names = ({"gift", "other"}, {"started", "viewed", "order_completed"})
    other = Lift("other", Group(1), Group())
    assert await measure(desk.store, LiftQuestion()) == Measurements([gift, other], *names)
    assert await measure(desk.store, LiftQuestion(rule="gift")) == Measurements([gift], *names)
    longer = LiftQuestion(rule="gift", within=timedelta(days=9), worth="none")
    [later] = (await measure(desk.store, longer)).lifts
    assert later.control == Group(len(held_out), 2)
