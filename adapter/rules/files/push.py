"""`push`: the destinations that receive the events of a rule's discounts; all where it is not given."""

from __future__ import annotations

from adapter.files.problems import did_you_mean
from adapter.rules.blocks.block import Block


def read(block: Block, destinations: frozenset[str] | None) -> tuple[str, ...] | None:
    """Return the names, None where the rule has no `push`; reports those that are not in `destinations`."""
    if "push" not in block.values:
        return None
    names = block.words("push")
    listed = isinstance(block.values["push"], list)
    for index, name in enumerate(names):
        if destinations is not None and name not in destinations:
            place = ("push", index) if listed else ("push",)
            message = f"no destination is named `{name}`"
            block.refuse(place, message, f"{did_you_mean(name, destinations)}; adapter.toml has them")
    return names
