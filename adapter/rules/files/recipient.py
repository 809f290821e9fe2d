"""`to`: where the event names another customer, who gets the discount."""

from __future__ import annotations

from adapter.rules.blocks.block import Block
from adapter.rules.blocks.expression import expression
from adapter.rules.expressions import Names, Node, Path, parse_value


def read(block: Block, names: Names) -> Path | None:
    """Return the path, None where the discount is for the event's customer."""
    text = block.text("to", longest=200)
    if text is None:
        return None
    node = expression(block, text, ("to",), names, _id)
    if node is not None and not (isinstance(node, Path) and node.root in ("attributes", "context")):
        block.refuse_inside(("to",), text, 0, f"`{text}` is no name of a value that the event carries",
                            "write one name, such as attributes.referrer_id")  # fmt: skip
        return None
    return node if isinstance(node, Path) else None


def _id(text: str, names: Names) -> Node:
    return parse_value(text, names, ("text", "number"))
