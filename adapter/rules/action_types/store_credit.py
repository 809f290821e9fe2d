"""`store_credit`: money to spend, until an end of its own."""

from __future__ import annotations

from msgspec.structs import replace

from adapter.model.discounts import StoreCredit
from adapter.rules.action_types.contract import ActionType, in_currency
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.money import currency
from adapter.rules.blocks.schema import ABOVE_ZERO, CURRENCY


def _parse(block: Block) -> StoreCredit | None:
    value, code = block.number("value", required=True), currency(block)
    return None if value is None else StoreCredit(value, block.moment("expires_at"), code)


ACTION_TYPE = ActionType(
    kind=StoreCredit,
    parse=_parse,
    describe=lambda action: f"{action.value:f}{in_currency(action.currency)} store credit",
    keys={"value": ABOVE_ZERO, "currency": CURRENCY},
    required=("value",),
    other_names={"amount": "value"},
    worth=lambda action, cart: action.value,
    most=lambda action: action.value,
    bound="value",
    money=lambda action: {"value": action.value},
    ends=lambda action: action.expires_at,
    issued=lambda action, expires_at: replace(action, expires_at=expires_at),
)
