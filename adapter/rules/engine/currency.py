"""In which currency the amounts of an action are: fixed when the discount is issued."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from adapter.model.actions import Action
from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rule
from adapter.rules.action_types.registry import amounts

_CODE = re.compile(r"[A-Z]{3}")
#: What is longer is no currency, whatever blanks are around it.
_LONGEST = 20


class ActionCurrency:
    """The currency of an action of a rule: its own, else its budget's, else that of the event.

    `shop` are the guardrails over all rules. An action that names no amount has none.
    """

    __slots__ = ("_asks", "_fixed")

    def __init__(self, action: Action, rule: Rule, shop: Guardrails) -> None:
        shared = () if rule.campaign is None else (rule.campaign.guardrails,)
        blocks = (rule.guardrails, *shared, shop)
        budgets = (each.budget.currency for each in blocks if each.budget is not None)
        self._asks = bool(amounts(action))
        self._fixed = action.currency or next(budgets, None)

    def of(self, event: Event) -> str | None:
        """Return the currency for one event, None where nothing says it."""
        if not self._asks:
            return None
        return self._fixed or currency_of(event.attributes.get("currency"))


def currency_of(value: Any) -> str | None:
    """Return the currency that an attribute names, in capitals, None where it names none."""
    return _currency_of(value) if isinstance(value, str) and len(value) < _LONGEST else None


@lru_cache(maxsize=512)
def _currency_of(text: str) -> str | None:
    code = text.strip().upper()
    return code if _CODE.fullmatch(code) else None
