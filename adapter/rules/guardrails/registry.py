"""Every guardrail, by the file that holds it.

The files are named and not imported one by one, so that a new guardrail is one line here.
"""

from __future__ import annotations

from importlib import import_module

from adapter.model.rules import Rule
from adapter.rules.guardrails.contract import Guardrail

#: In this order keys are described, and counters are reserved: those of customers and devices in a row.
_FILES = (
    "max_redemptions",
    "per_user_limit",
    "cooldown",
    "limits",
    "one_of_these",
    "budget",
    "segments",
    "channels",
    "schedule",
    "stackable",
    "validity_window",
)

GUARDRAILS: tuple[Guardrail, ...] = tuple(
    import_module(f"adapter.rules.guardrails.{name}").GUARDRAIL for name in _FILES
)
#: Those that count come after those that look at the event alone.
CHECKED_IN_ORDER: tuple[Guardrail, ...] = tuple(sorted(GUARDRAILS, key=lambda each: each.counts))
COUNTING: tuple[Guardrail, ...] = tuple(each for each in GUARDRAILS if each.counts)
BY_NAME = {name: each for each in GUARDRAILS for name in each.names}


def named_segments(rule: Rule) -> list[str]:
    """Return the segments that a rule names outside its conditions."""
    blocks = [rule.guardrails] if rule.campaign is None else [rule.guardrails, rule.campaign.guardrails]
    naming = [each.segments(one) for one in blocks for each in GUARDRAILS if each.segments is not None]
    return [*(name for names in naming for name in names), *rule.rollout.audience]
