"""Condition groups (`all`, `any`, `none`, nested at will) to one tree of the condition language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapter.files.problems import did_you_mean, meant
from adapter.files.yaml import Keys
from adapter.rules.blocks.block import Block, shown
from adapter.rules.blocks.expression import expression
from adapter.rules.expressions import All, AnyOf, Names, Node, Not, parse

GROUPS = ("all", "any", "none")
#: What is in an expression and in no name.
_EXPRESSION = re.compile(r"[?<>=(&|\"]")
#: What other languages call them.
_TOO = {"and": "all", "or": "any", "not": "none"}
#: Conditions of one rule, groups not counted: a limit for untrusted authors.
_MOST = 64
_DEEPEST = 8


class Conditions:
    """Reads the conditions of one block; problems go to the block's list.

    `leaves` are the expressions read so far, each with the keys that lead to it.
    """

    def __init__(self, block: Block, names: Names) -> None:
        self.block = block
        self.names = names
        self.count = 0
        self.leaves: list[tuple[Keys, Node]] = []

    def read(self, value: Any, at: Keys) -> Node | None:
        """Return the tree under `at`; no conditions at all hold always; None when any is refused."""
        if value is None:
            return All(())
        node = self._group(value, at, "all") if isinstance(value, list) else self._one(value, at, 0)
        if self.count > _MOST:
            self.block.refuse(at, f"{self.count} conditions are more than {_MOST}",
                              "share some as definitions, or split the rule")  # fmt: skip
            return None
        return node

    def expression(self, text: str, at: Keys) -> Node | None:
        """Return one expression, compiled to a tree; what its names leave in doubt is warned of."""
        node = expression(self.block, text, at, self.names, parse)
        if node is None:
            return None
        self.leaves.append((at, node))
        return node

    def _one(self, value: Any, at: Keys, depth: int) -> Node | None:
        if isinstance(value, str):
            self.count += 1
            return self.expression(value, at)
        if isinstance(value, dict) and value and depth <= _DEEPEST:
            return self._groups(value, at, depth)
        remedy = "write an expression such as cart_value >= 120, or a group all / any / none"
        self.block.refuse(at, f"{shown(value)} is not a condition", remedy)
        return None

    def _groups(self, value: Mapping[str, Any], at: Keys, depth: int) -> Node | None:
        nodes: list[Node | None] = []
        for key, items in value.items():
            if key in GROUPS:
                nodes.append(self._group(items, (*at, key), key, depth))
            else:
                remedy = meant(_TOO[key]) if key in _TOO else did_you_mean(key, GROUPS)
                if _EXPRESSION.search(key):
                    remedy = f"quote the whole condition, because YAML reads `: `: - '{key}: ...'"
                self.block.refuse((*at, key), f"`{key}` is not a group of conditions", remedy, at_key=True)
                nodes.append(None)
        found = [node for node in nodes if node is not None]
        if len(found) < len(nodes):
            return None
        return found[0] if len(found) == 1 else All(tuple(found))

    def _group(self, items: Any, at: Keys, kind: str, depth: int = 0) -> Node | None:
        if not isinstance(items, list) or not items:
            self.block.refuse(
                at, f"`{kind}` holds no list of conditions", "put one condition a line, each after `- `"
            )
            return None
        nodes = [self._one(item, (*at, index), depth + 1) for index, item in enumerate(items)]
        found = [node for node in nodes if node is not None]
        if len(found) < len(nodes):
            return None
        if kind == "all":
            return All(tuple(found))
        return AnyOf(tuple(found)) if kind == "any" else Not(AnyOf(tuple(found)))
