"""Amounts of money in rule files: none may be finer than its currency can pay."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from adapter.model.discounts import Action, AmountOff, PercentageOff, StoreCredit
from adapter.model.money import digits, neighbours
from adapter.rules.files.block import Block


def exact(block: Block, currency: str, amounts: Mapping[str, Decimal | None]) -> None:
    """Refuse each of a block's amounts, by its key, that the currency cannot pay."""
    count = digits(currency)
    for key, amount in amounts.items():
        if amount is None:
            continue
        below, above = neighbours(amount, currency)
        if below != above:
            has = f"{count} decimals" if count else "no decimals"
            remedy = f"write {below} or {above}" if below else f"write {above}"
            block.refuse((key,), f"`{key}` is {amount:f}, and {currency} has {has}", remedy)


def paid(action: Action) -> dict[str, Decimal | None]:
    """Return the amounts of money that an action names, by their keys."""
    match action:
        case PercentageOff(_, most):
            return {"max_amount": most}
        case AmountOff(value, least):
            return {"value": value, "min_cart_value": least}
        case StoreCredit(value):
            return {"value": value}
    return {}
