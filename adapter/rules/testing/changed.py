"""The change of a case: the customer after it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from adapter.model.customers import FIELDS, Customer
from adapter.rules.blocks.block import Block


def changed_by(block: Block, before: Customer) -> Customer | None:
    """Return the customer of a case after a change; None where the change is not as it must be."""
    if "segment" in block.values:
        return _segments(block, before)
    trait = block.text("trait", required=True)
    to = block.get("to")
    if "to" not in block.values:
        block.lacks("to", "add `to: gold`")
    block.finish()
    if trait is None or "to" not in block.values:
        return None
    if trait in FIELDS:
        return replace(before, **{trait: to})
    return replace(before, traits=_with(before.traits, trait.split("."), to))


def _with(traits: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    name, *rest = path
    if not rest:
        return {**traits, name: value}
    inner = traits.get(name)
    return {**traits, name: _with(inner if isinstance(inner, dict) else {}, rest, value)}


def _segments(block: Block, before: Customer) -> Customer | None:
    segment, entered, left = block.text("segment"), block.flag("entered"), block.flag("left")
    block.finish()
    if segment is None or bool(entered) is bool(left):
        block.refuse((), "the change does not say whether the segment is entered or left",
                     "write `entered: true` or `left: true`")  # fmt: skip
        return None
    others = tuple(each for each in before.segments if each != segment)
    return replace(before, segments=(*others, segment) if entered else others)
