"""`validity_window`: how long a discount is valid at most; it ends discounts and stops no rule."""

from __future__ import annotations

from adapter.rules.blocks.schema import LENGTH
from adapter.rules.guardrails.contract import Guardrail

NAME = "validity_window"

GUARDRAIL = Guardrail(
    names=(NAME,),
    keys={NAME: LENGTH},
    parse=lambda block, action: {NAME: block.length(NAME)},
    stops=lambda guardrails: (),
)
