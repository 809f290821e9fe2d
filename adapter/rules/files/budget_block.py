"""The `budget` block of a rule file, and whether it can pay for a single discount."""

from __future__ import annotations

from decimal import Decimal

from adapter.model.actions import Action
from adapter.model.rules import Budget
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.money import currency, exact
from adapter.rules.guardrails.valuation import bound, most

#: What people write for keys of `budget`, where spelling alone leads elsewhere or nowhere.
_TOO = {"amount": "total", "max": "total", "per_day": "daily", "per_redemption": "per_discount"}


def read(block: Block | None, action: Action | None) -> Budget | None:
    """Return the budget of a block; `action` is the rule's, None where the budget is over all rules."""
    if block is None:
        return None
    money = currency(block, required=True)
    daily, total = block.number("daily", above=None), block.number("total", above=None)
    if daily is None and total is None:
        block.refuse((), "the budget names no amount", "add `total: 5000` or `daily: 300`")
    each = _each(block, action, money)
    if money is not None:
        exact(block, money, {"daily": daily, "total": total})
    own = getattr(action, "currency", None)
    if own is not None and money is not None and own != money:
        block.refuse(
            ("currency",), f"the action pays in {own}, the budget counts {money}", "use one currency for both"
        )
    block.finish(_TOO)
    if money is None or (daily is None and total is None):
        return None
    _doubt(block, each, daily, total)
    return Budget(currency=money, per_discount=each, daily=daily, total=total)


def _each(block: Block, action: Action | None, money: str | None) -> Decimal | None:
    """Return the most that one discount costs: what the action says, or what the budget adds to it."""
    said = block.number("per_discount")
    known = None if action is None else most(action)
    if money is not None:
        exact(block, money, {"per_discount": said})
    if action is not None and said is not None and known is not None and said < known:
        key = bound(action)
        block.refuse(("per_discount",),
                     f"`per_discount` is {said:f}, and the action's `{key}` lets one cost {known:f}",
                     f"leave it out, or write {known:f} or more")  # fmt: skip
        return known
    if said is None and known is None and action is not None:
        remedy = "add `max_amount: 40` to the action, which holds for every cart"
        remedy += "; or add `per_discount: 10` here, about what one costs"
        block.refuse((), "nothing says what one discount can cost at most", remedy)
    return said or known


def _doubt(block: Block, each: Decimal | None, daily: Decimal | None, total: Decimal | None) -> None:
    for key, cap in (("daily", daily), ("total", total)):
        if cap is not None and each is not None and each > cap:
            block.warn((key,), f"`{key}` is {cap:f}, and one discount can cost {each:f}: none is ever issued",
                       f"write {each:f} or more, or let a discount cost less")  # fmt: skip
    if daily is not None and total is not None and daily > total:
        block.warn(("daily",), f"`daily` is {daily:f}, and all days together have {total:f}",
                   "write less than `total`, or leave `daily` out")  # fmt: skip
