"""Keys and triggers that people write in other places, or in other words, and what to write here."""

from __future__ import annotations

import re
from typing import Final

from adapter.rules.action_types.registry import ACTION_TYPES
from adapter.rules.files import code_keys
from adapter.rules.guardrails.registry import GUARDRAILS

#: Keys of a rule in other programs, and what they are here.
_WORDS: Final = {
    **dict.fromkeys(("when", "on", "event", "events"), "write `trigger: checkout_started`"),
    **dict.fromkeys(("if", "where", "condition", "rules"), "write `conditions: {all: [...]}`"),
    **dict.fromkeys(("then", "discount", "reward", "benefit", "effect"), "write `action: {type: ...}`"),
    **dict.fromkeys(("limits", "limit"), "write `guardrails: {per_user_limit: 1}`"),
    **dict.fromkeys(
        ("weekend", "weekdays", "days", "hours", "start", "start_date", "starts_at", "end", "end_date",
         "ends_at", "from", "until", "valid_from", "valid_until"),
        'write `guardrails: {schedule: {from: "2026-06-01", until: "2026-07-01", weekdays: [sat, sun]}}`',
    ),
    **dict.fromkeys(("tags", "labels"), "write `action: {metadata: {tags: [...]}}`"),
}  # fmt: skip
_ROLLOUT = frozenset(("percent", "audience", "control"))
_CALENDAR = re.compile(r"(every|each|daily|weekly|monthly|hourly|on the|at [0-9]|cron)\b", re.IGNORECASE)


def elsewhere(key: str) -> str:
    """Return what to write for a key that does not belong at the top of a rule; empty where unknown."""
    if any(key in each.keys for each in GUARDRAILS):
        return f"write it inside `guardrails`: `guardrails: {{{key}: ...}}`"
    if key in _ROLLOUT:
        return f"write it inside `rollout`: `rollout: {{{key}: ...}}`"
    if key in _WORDS:
        return _WORDS[key]
    if key in _action_keys():
        return f"write it inside `action`: `action: {{type: ..., {key}: ...}}`"
    return ""


def is_calendar(trigger: str) -> bool:
    """Return whether a trigger says a time, such as `every day`, where an event is needed."""
    return _CALENDAR.match(trigger) is not None


def _action_keys() -> frozenset[str]:
    of_types = (key for each in ACTION_TYPES for key in each.keys)
    return frozenset((*code_keys.KEYS, *of_types, "expires_in_hours", "expires_at", "metadata"))
