"""Keys of a rule that say how its discounts are used at a checkout, and what a refund does with them."""

from __future__ import annotations

import re
from typing import Any

from adapter.model.rules import OnRefund, RewardOnRefund
from adapter.rules.blocks.block import Block

#: Among the rules that are replaced: all of the campaign. It is the name of no rule.
OF_CAMPAIGN = "*campaign"
#: Of `exclusive`: the discount is used alone, and the customer gets no other until then.
UNTIL_USED = "until_used"
GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def read(block: Block) -> dict[str, Any]:
    """Return the fields of the rule, those that are given."""
    group = block.text("stacking_group")
    if group is not None and not GROUP.fullmatch(group):
        block.refuse(("stacking_group",), f"`{group[:60]}` cannot name a group",
                     "use up to 100 letters, digits, `-`, `_` and `.`, without spaces")  # fmt: skip
    on_refund: OnRefund | None = block.one_of("on_refund", OnRefund)
    reward: RewardOnRefund | None = block.one_of("reward_on_refund", RewardOnRefund)
    found = {
        "stacking_group": group,
        **_exclusive(block),
        "on_refund": on_refund,
        "reward_on_refund": reward,
        "replaces": _replaced(block) or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _exclusive(block: Block) -> dict[str, Any]:
    """Return whether a discount is used alone, and whether it holds back others until then."""
    if block.values.get("exclusive") == UNTIL_USED:
        block.get("exclusive")
        return {"exclusive": True, "holds_back": True}
    return {"exclusive": block.flag("exclusive", f"true, false or {UNTIL_USED}")}


def _replaced(block: Block) -> tuple[str, ...]:
    """Return the names of rules, or that all of the rule's campaign are meant."""
    if block.values.get("replaces") != "campaign":
        return block.words("replaces")
    block.get("replaces")
    if "campaign" not in block.values:
        block.refuse(("replaces",), "the rule belongs to no campaign",
                     "add `campaign: spring`, or write a list of rules")  # fmt: skip
    return (OF_CAMPAIGN,)
