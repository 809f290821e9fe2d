"""In which currency the amounts of an action are: fixed when the discount is issued."""

from __future__ import annotations

import re
from typing import Any

from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rule
from adapter.rules.action_types.registry import amounts

_CODE = re.compile(r"[A-Z]{3}")


class ActionCurrency:
    """The currency of one rule's action: its own, else its budget's, else that of the event.

    `shop` are the guardrails over all rules. An action that names no amount has none.
    """

    __slots__ = ("_asks", "_fixed")

    def __init__(self, rule: Rule, shop: Guardrails) -> None:
        budgets = (each.budget.currency for each in (rule.guardrails, shop) if each.budget is not None)
        self._asks = bool(amounts(rule.action))
        self._fixed = rule.action.currency or next(budgets, None)

    def of(self, event: Event) -> str | None:
        """Return the currency for one event, None where nothing says it."""
        if not self._asks:
            return None
        return self._fixed or currency_of(event.attributes.get("currency"))


def currency_of(value: Any) -> str | None:
    """Return the currency that an attribute names, in capitals, None where it names none."""
    code = value.strip().upper() if isinstance(value, str) else ""
    return code if _CODE.fullmatch(code) else None
