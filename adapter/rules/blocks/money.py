"""Money in rule files: currencies, and amounts, of which none may be finer than its currency can pay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from adapter.model.money import digits, neighbours
from adapter.rules.blocks.block import Block

CURRENCY = re.compile(r"[A-Z]{3}")


def currency(block: Block, *, required: bool = False) -> str | None:
    """Return an ISO 4217 code."""
    code = block.text("currency", required=required)
    if code is not None and not CURRENCY.fullmatch(code):
        block.refuse(("currency",), f"`{code}` is not a currency", "write its three letters, such as USD")
        return None
    return code


def exact(block: Block, money: str, amounts: Mapping[str, Decimal | None]) -> None:
    """Refuse each of a block's amounts, by its key, that the currency cannot pay."""
    count = digits(money)
    for key, amount in amounts.items():
        if amount is None:
            continue
        below, above = neighbours(amount, money)
        if below != above:
            has = f"{count} decimals" if count else "no decimals"
            remedy = f"write {below} or {above}" if below else f"write {above}"
            block.refuse((key,), f"`{key}` is {amount:f}, and {money} has {has}", remedy)
