"""`stackable`: whether a discount may be issued beside another; the conflicts of `engine` weigh it."""

from __future__ import annotations

from adapter.rules.blocks.schema import FLAG
from adapter.rules.guardrails.contract import Guardrail

NAME = "stackable"

GUARDRAIL = Guardrail(
    names=(NAME,),
    keys={NAME: FLAG},
    parse=lambda block, action: {NAME: block.flag(NAME) or False},
    stops=lambda guardrails: () if guardrails.stackable else (NAME,),
)
