"""The action of one discount: its currency and its value, resolved once, when it is issued."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from adapter.model.actions import Action
from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rule
from adapter.rules.action_types.computed import ComputedValue, PerCurrency
from adapter.rules.engine.currency import ActionCurrency, currency_of
from adapter.rules.expressions import EvaluationContext

#: The action, and the currency of its amounts where it names any.
Resolved = tuple[Action, str | None]


class ActionResolver:
    """Resolves one action of a rule; `shop` are the guardrails over all rules."""

    __slots__ = ("_action", "_compute", "_computed", "_currency")

    def __init__(self, action: Action, rule: Rule, shop: Guardrails, computed: ComputedValue | None) -> None:
        self._action: Any = action
        self._computed = computed
        self._currency = ActionCurrency(action, rule, shop)
        source = None if computed is None else computed.source
        self._compute = None if source is None or isinstance(source, PerCurrency) else source.compiled()

    def of(self, event: Event, view: EvaluationContext) -> Resolved | str:
        """Return the action for one event, or a sentence that says why its value cannot be computed."""
        computed, currency = self._computed, self._currency.of(event)
        if computed is None:
            return self._action, currency
        if self._compute is None:
            return self._per_currency(event, computed.source, currency)
        found = self._compute(view)
        value = found if isinstance(found, str) else computed.limited(found, currency)
        return value if isinstance(value, str) else (replace(self._action, value=value), currency)

    def _per_currency(self, event: Event, source: Any, counted: str | None) -> Resolved | str:
        currency = currency_of(event.attributes.get("currency")) or counted
        amount = source.amounts.get(currency)
        if amount is None:
            where = "the event names no currency" if currency is None else f"there is no value in {currency}"
            return f"{where}, and the rule has values in {', '.join(source.amounts)}"
        return replace(self._action, value=amount, currency=currency), currency
