"""The `guardrails` and `rollout` blocks of a rule file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapter.model import zones
from adapter.model.rules import Guardrails, Rollout
from adapter.rules.blocks.block import Block
from adapter.rules.expressions import Names
from adapter.rules.guardrails.contract import Given, GuardrailBlock
from adapter.rules.guardrails.registry import GUARDRAILS

_FIELDS = frozenset(Guardrails.__struct_fields__)
#: What people write for keys of `guardrails`, where spelling alone leads elsewhere or nowhere.
_OTHER_NAMES = {name: key for each in GUARDRAILS for name, key in each.other_names.items()}


def within(parent: Block, key: str, names: Names) -> GuardrailBlock | None:
    """Return the block of guardrails under a key, which may name `names`; None where there is none."""
    if parent.get(key) is None:
        return None
    path = (*parent.path, key)
    return GuardrailBlock(parent.document, parent.text_of_file, path, parent.problems, names)


def guardrails(block: GuardrailBlock | None, given: Given | None, time_zone: str = "UTC") -> Guardrails:
    """Return the guardrails of a block; `time_zone` is the shop's, what is `given` prices the budget."""
    if block is None:
        return Guardrails(time_zone=time_zone)
    read: dict[str, Any] = {}
    for each in GUARDRAILS:
        read |= each.parse(block, given)
    fields = {name: value for name, value in read.items() if name in _FIELDS}
    more = {name: value for name, value in read.items() if name not in _FIELDS and value is not None}
    fields["time_zone"] = zone(block) or time_zone
    block.finish(_OTHER_NAMES)
    return Guardrails(**fields, more=more)


def zone(block: Block) -> str | None:
    """Return the name of a time zone of the IANA database."""
    name = block.text("time_zone")
    if name is None:
        return None
    if zones.named(name) is None:
        block.refuse(("time_zone",), f"`{name}` is not a time zone", zones.remedy(name))
        return None
    return name


def rollout(block: Block | None) -> Rollout:
    """Return the rollout of a block; everybody, when there is none."""
    if block is None:
        return Rollout()
    percent = block.number("percent", above=None, highest=100)
    control = block.number("control", above=None, highest=100)
    read = Rollout(
        percent=Decimal(100) if percent is None else percent,
        audience=block.some_words("audience"),
        control=control or Decimal(0),
    )
    block.finish()
    return read
