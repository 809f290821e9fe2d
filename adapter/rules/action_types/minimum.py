"""The minimum of an action, `min_cart_value`: whether its rule issues for smaller carts, or those alone."""

from __future__ import annotations

from decimal import Decimal

from adapter.rules.action_types.contract import RuleFacts
from adapter.rules.blocks.block import Block
from adapter.rules.expressions import Path, text
from adapter.rules.expressions.contradictions import Fact, clash
from adapter.rules.expressions.typed_tree import Compare, Constant
from adapter.rules.expressions.values import settled

#: The attribute that says what a cart is worth, here and where discounts are compared.
CART = "cart_value"


def lint(block: Block, least: Decimal | None, facts: RuleFacts) -> None:
    """Warn where a discount asks for a cart of some value, and is issued for small ones, or those alone."""
    if least is None:
        return
    if any(path.fields[-1:] == (CART,) for path in facts.paths):
        _warn_of_small_carts(block, least, facts)
    elif facts.names.attributes is None or CART in facts.names.attributes:
        _warn_of_any_cart(block, least)


def _warn_of_small_carts(block: Block, least: Decimal, facts: RuleFacts) -> None:
    """Warn where only smaller carts pass the conditions, which do not say that the discount is for later."""
    known = facts.required
    for path in (Path("", (CART,)), Path("attributes", (CART,))):
        later = Fact(Compare(">=", path, Constant(0, "number")), holds=True)
        asked = Fact(Compare(">=", path, Constant(settled(least), "number")), holds=True)
        found = clash([*known, asked])
        if found is not None and found[0] == len(known) and later not in known:
            required = known[found[1]].sentence
            block.warn(("min_cart_value",),
                       f"{required}, and the discount is for a cart of {least:f} or more",
                       f"lower it, or add the condition `{text(later.node)}` where it is for a later cart"
                       )  # fmt: skip
            return


def _warn_of_any_cart(block: Block, least: Decimal) -> None:
    ask = f"{CART} >= {least:f}"
    block.warn(("min_cart_value",),
               f"the rule issues below a `min_cart_value` of {least:f} too: only the checkout holds to it",
               f"add the condition `{ask}`, or `{CART} >= 0` where it is for a later cart")  # fmt: skip
