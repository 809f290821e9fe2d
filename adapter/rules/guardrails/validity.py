"""When a discount ends: the earliest of the ends that its rule names."""

from __future__ import annotations

from datetime import datetime

from adapter.model.rules import Rule
from adapter.rules.action_types.registry import type_of


def expiry(rule: Rule, now: datetime) -> datetime | None:
    """Return when a discount issued now ends, in whole seconds: the earliest end that the rule names.

    Ends are `expires_in_hours` and `validity_window` from now, `expires_at` of the discount and of the
    action itself (store credit); None when the rule names none.
    """
    lengths = (rule.expires_in, rule.guardrails.validity_window)
    ends = [now + length for length in lengths if length is not None]
    ends += [rule.expires_at] if rule.expires_at is not None else []
    own = (type_of(action).ends(action) for action in rule.actions)
    ends += [end for end in own if end is not None]
    return min(ends).replace(microsecond=0) if ends else None
