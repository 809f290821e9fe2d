"""What the evaluator said of one event."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

Outcome = Literal["issued", "withheld", "control", "shadow", "not_met", "error"]
#: Why no rule looked at an event.
Unevaluated = Literal["too_old", "undated", "replayed", "development", "duplicate"]


class RuleOutcome(Struct, frozen=True, omit_defaults=True):
    """What became of one rule: `reason` is a sentence a marketer understands, with the values seen."""

    rule: str
    outcome: Outcome
    reason: str
    guardrail: str | None = None
    code: str | None = None


class Decision(Struct, frozen=True, omit_defaults=True):
    """One event's decision: what each rule that its trigger reached came to.

    `seen` holds the values that the trigger's rules read (missing ones are absent), `book` the digest of
    the rule files: together they let the decision be explained, and made again, at any later time. `untold`
    says how many more rules' conditions did not hold, whose sentences are left to when somebody asks.
    `unevaluated` says why no rule looked at the event, `reason` says so in a sentence; nothing is seen then.
    """

    event_id: str
    event: str
    source_id: str
    decided_at: datetime
    book: str
    outcomes: tuple[RuleOutcome, ...]
    seen: dict[str, Any]
    untold: int = 0
    unevaluated: Unevaluated | None = None
    reason: str = ""
