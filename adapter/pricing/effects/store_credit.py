"""`store_credit`: a balance of money pays what discounts left of items and shipping."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects.contract import NOTHING_LEFT, Cut, EffectType, Nothing, Stage
from adapter.pricing.left import Left
from adapter.pricing.scope import Sheet


class StoreCredit(Struct, frozen=True):
    """`value` to spend, in parts; a means of payment: it lowers what is due, not what is taxed."""

    value: Decimal
    names_money = True
    sensitive = False
    stage = Stage.CREDIT

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return all lines, shipping too."""
        return sheet.all_lines

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return what the balance pays."""
        amount = left.sheet.money(self.value if balance is None else balance)
        if amount <= 0:
            return Nothing("no_effect", "the balance is spent")
        portion = left.of_lines(left.sheet.all_lines)
        if not portion.lines:
            return NOTHING_LEFT
        return Cut(min(amount, sum(portion.weights)), portion.lines, portion.weights)


def _read(action: ActionReader) -> StoreCredit:
    return StoreCredit(action.number("value"))


EFFECT = EffectType("store_credit", _read)
