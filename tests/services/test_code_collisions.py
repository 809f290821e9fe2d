"""A code that was drawn may be taken: then others are drawn, however many rules issue."""

from __future__ import annotations

from typing import Any

RULES = "rules:\n" + "\n".join(
    f"  - {{name: r{number}, trigger: started, guardrails: {{stackable: true}},"
    " action: {type: amount_off, value: 5, code_pattern: '########'}}"
    for number in range(4)
)


async def test_a_clash_of_any_of_many_codes_loses_no_discount(open_desk: Any) -> None:
    desk = await open_desk(RULES)
    first = await desk.take(desk.event("started", "ann"))
    drawn = iter([*(f"{number:08d}" for number in range(900, 903)), first.discounts[0].code])
    draw = desk._draw
    desk._draw = lambda n: next(drawn, None) or draw(n)
    second = await desk.take(desk.event("started", "ben"))
    assert (second.outcome, len(second.discounts)) == ("processed", 4)
    codes = {discount.code for discount in (*first.discounts, *second.discounts)}
    assert len(codes) == 8
