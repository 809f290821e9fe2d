"""`free_item`: one named item costs nothing; it is suggested where it is not in the order."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects.contract import Cut, EffectType, Nothing, Stage, Suggestion, taken
from adapter.pricing.left import Left
from adapter.pricing.numbers import MILLION
from adapter.pricing.scope import Sheet


class FreeItem(Struct, frozen=True):
    """`millionths` units of the item with this sku, or of this product, are free."""

    sku: str | None
    product_id: str | None
    millionths: int = MILLION
    names_money = False
    sensitive = True
    stage = Stage.ITEMS

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return the lines of the item."""
        return [at for at, line in enumerate(sheet.items)
                if (self.sku is None or line.sku == self.sku)
                and (self.product_id is None or line.product_id == self.product_id)]  # fmt: skip

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return what is left of the item's units; nothing is added to the order."""
        lines = self.scope(left.sheet)
        missing = self.millionths - sum(left.sheet.millionths[at] for at in lines)
        suggested = Suggestion(self.sku, self.product_id, missing) if missing > 0 else None
        if not lines:
            message = f"`{self.sku or self.product_id}` is not in the order"
            return Nothing("item_not_in_order", message, self.millionths, suggested)
        found = taken(left.units(left.sorted(lines, "dearest"), self.millionths))
        return replace(found, suggested=suggested)


def _read(action: ActionReader) -> FreeItem:
    sku, product_id = action.word("sku"), action.word("product_id")
    if sku is None and product_id is None:
        raise action.refuse("sku", "is missing: name the item by `sku` or `product_id`")
    return FreeItem(sku, product_id, action.units("quantity", MILLION))


EFFECT = EffectType("free_item", _read)
