"""Which limits restart their count when rule files change under a running server.

A counter's key says what it counts: the rule, the period or length, the currency. A limit whose key is
another than before, or that was not there, finds nothing of what was issued until then.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.counter_key import CounterKey
from adapter.model.rules import Guardrails
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.guardrails.contract import ALL_RULES, CAMPAIGN_COUNTS
from adapter.rules.guardrails.counters import Counting
from adapter.rules.guardrails.window_slots import Limit, limit_of

#: Keys are compared as of one moment; which one does not matter.
_THEN = datetime(2000, 1, 1, tzinfo=UTC)


class CounterReset(Struct, frozen=True):
    """The guardrails of one rule (`*` for those over all rules, `campaign:NAME`) that restart their count."""

    rule: str
    guardrails: tuple[str, ...]


def reset_counters(old: RuleSet, new: RuleSet) -> list[CounterReset]:
    """Return the counters that restart once `new` is in force; a new rule has nothing counted before it."""
    before, after = _limits(old), _limits(new)
    found = (
        CounterReset(name, _changed(name, before[name], after[name])) for name in after if name in before
    )
    return [one for one in found if one.guardrails]


def _limits(book: RuleSet) -> dict[str, Guardrails]:
    campaigns = {CAMPAIGN_COUNTS + each.name: each.guardrails for each in book.campaigns}
    return {ALL_RULES: book.guardrails, **campaigns, **{rule.name: rule.guardrails for rule in book.rules}}


def _changed(rule: str, before: Guardrails, after: Guardrails) -> tuple[str, ...]:
    if before == after:
        return ()
    return tuple(sorted({guardrail for guardrail, _ in _counters(rule, after) - _counters(rule, before)}))


def _counters(rule: str, guardrails: Guardrails) -> set[tuple[str, CounterKey | Limit]]:
    """Return guardrails with the keys that they count under, or the limit where they count by its slots.

    Another time zone moves the days, but not from one counter to the next.
    """
    anywhere = replace(guardrails, time_zone="UTC")
    counting = Counting(rule, anywhere, Decimal(1))
    found = [*counting.claims("x", None, _THEN), *counting.of_one_value("x", _THEN)]
    return {(claim.guardrail, limit_of(claim.key) or claim.key) for claim in found}
