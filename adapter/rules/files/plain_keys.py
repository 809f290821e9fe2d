"""Keys of a rule that are read without its trigger, its conditions and its action."""

from __future__ import annotations

import re
from typing import Any

from adapter.model.rules import Conflicts, Status
from adapter.rules.blocks.block import Block, shown
from adapter.rules.expressions import Names
from adapter.rules.files import checkout_keys, guardrail_block, push

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def read_name(block: Block) -> str | None:
    """Return the name of the rule; one that is refused too, so that its problems can name it."""
    name = block.text("name", required=True)
    if name is not None and not NAME.fullmatch(name):
        block.refuse(("name",), f"`{name[:60]}` cannot name a rule",
                     "use up to 100 letters, digits, `-`, `_` and `.`, without spaces")  # fmt: skip
    return name


def read(block: Block, names: Names, conflicts: Conflicts) -> dict[str, Any]:
    """Return the fields of the rule; `conflicts` is what the shop says for rules that do not say it."""
    status: Status | None = block.one_of("status", Status)
    own_conflicts: Conflicts | None = block.one_of("conflicts", Conflicts)
    return {
        "status": status or "live",
        "conflicts": own_conflicts or conflicts,
        "rollout": guardrail_block.rollout(block.block("rollout")),
        "description": block.text("description", longest=2000) or "",
        "priority": _priority(block),
        **checkout_keys.read(block),
        "push": push.read(block, names.destinations),
    }


def _priority(block: Block) -> Any:
    priority = block.values.get("priority", 0)
    block.get("priority")
    if not isinstance(priority, int) or isinstance(priority, bool):
        block.refuse(
            ("priority",), f"`priority` is {shown(priority)}", "write a whole number; higher goes first"
        )
    return priority
