"""`buy_x_get_y`: units that are bought make others in the same order free or cheaper."""

from __future__ import annotations

from adapter.files.schemas import Schema, block, said
from adapter.model.actions import WHOLE, Bought, BuyXGetY, Reward
from adapter.rules.action_types.contract import ActionType
from adapter.rules.action_types.fixed_price import MOST_UNITS
from adapter.rules.action_types.members import FOR_ITEMS, SCOPE, for_items, scope
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import ABOVE_ZERO

_QUANTITY: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_UNITS}
_BUY = block({"quantity": _QUANTITY, "applies_to": SCOPE}, "quantity")
_GET = block({**_BUY["properties"], "percent": {**ABOVE_ZERO, "maximum": 100}}, "quantity")


def _parse(block: Block) -> BuyXGetY | None:
    buy, get, members = _bought(block), _reward(block), for_items(block)
    return None if buy is None or get is None else BuyXGetY(buy, get, **members)


def _bought(block: Block) -> Bought | None:
    inner = _inner(block, "buy")
    if inner is None:
        return None
    quantity, items = _quantity(inner), scope(inner)
    inner.finish()
    return None if quantity is None else Bought(quantity, items)


def _reward(block: Block) -> Reward | None:
    inner = _inner(block, "get")
    if inner is None:
        return None
    quantity, items = _quantity(inner), scope(inner)
    percent = inner.number("percent", highest=100)
    inner.finish()
    return None if quantity is None else Reward(quantity, items, WHOLE if percent is None else percent)


def _inner(block: Block, key: str) -> Block | None:
    inner = block.block(key)
    if inner is None:
        block.lacks(key, f"add `{key}: {{quantity: 1}}`")
    return inner


def _quantity(block: Block) -> int | None:
    if "quantity" not in block.values:
        block.lacks("quantity", "add `quantity: 1`")
        return None
    return block.whole("quantity", 1, MOST_UNITS)


def _describe(action: BuyXGetY) -> str:
    percent = action.get.percent
    share = "free" if percent == 100 else f"{percent:f}% off"
    return f"buy {action.buy.quantity}, get {action.get.quantity} {share}"


ACTION_TYPE = ActionType(
    kind=BuyXGetY,
    parse=_parse,
    describe=_describe,
    keys={
        "buy": said(_BUY, "What must be bought."),
        "get": said(_GET, "What becomes free, or cheaper by `percent`."),
        **FOR_ITEMS,
    },
    required=("buy", "get"),
)
