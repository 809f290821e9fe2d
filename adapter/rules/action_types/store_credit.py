"""`store_credit`: money to spend, until an end of its own."""

from __future__ import annotations

from msgspec.structs import replace

from adapter.model.actions import StoreCredit
from adapter.rules.action_types.action_block import ActionBlock, value_keys
from adapter.rules.action_types.contract import ActionType, in_currency
from adapter.rules.action_types.members import EVERY_ACTION, every_action
from adapter.rules.blocks.schema import ABOVE_ZERO


def _parse(block: ActionBlock) -> StoreCredit | None:
    value, members = block.value("money"), every_action(block)
    return None if value is None else StoreCredit(value, block.moment("expires_at"), **members)


ACTION_TYPE = ActionType(
    kind=StoreCredit,
    parse=_parse,
    describe=lambda action: f"{action.value:f}{in_currency(action)} store credit",
    keys={**value_keys(ABOVE_ZERO, "money"), **EVERY_ACTION},
    either=("value", "currencies"),
    other_names={"amount": "value"},
    worth=lambda action, cart: action.value,
    most=lambda action: action.value,
    money=("value",),
    ends=lambda action: action.expires_at,
    issued=lambda action, expires_at: replace(action, expires_at=expires_at),
)
