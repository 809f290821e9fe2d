"""`free_shipping`: delivery costs nothing."""

from __future__ import annotations

from adapter.model.discounts import FreeShipping
from adapter.rules.action_types.contract import ZERO, ActionType
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import SOME_WORDS


def _parse(block: Block) -> FreeShipping:
    return FreeShipping(block.some_words("service_levels"), block.some_words("regions"))


def _describe(action: FreeShipping) -> str:
    levels, regions = ", ".join(action.service_levels), ", ".join(action.regions)
    return "free shipping" + (f" ({levels})" if levels else "") + (f" to {regions}" if regions else "")


ACTION_TYPE = ActionType(
    kind=FreeShipping,
    parse=_parse,
    describe=_describe,
    keys={"service_levels": SOME_WORDS, "regions": SOME_WORDS},
    worth=lambda action, cart: cart.shipping or ZERO,
    of_shipping=True,
)
