"""The decision about one event."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

Outcome = Literal["issued", "withheld", "control", "shadow", "not_met", "error"]
#: Why no rule was evaluated for an event.
Unevaluated = Literal["too_old", "undated", "replayed", "development", "duplicate"]


class RuleOutcome(Struct, frozen=True, omit_defaults=True):
    """The outcome of one rule: `reason` is a sentence for marketers, with the values of the event.

    `variant` is which of the rule's variants was issued. `for_another` says that the discount is another
    customer's, whose own decision on the event says more. Where it was issued or held out as a control,
    `campaign` is the rule's campaign.
    """

    rule: str
    outcome: Outcome
    reason: str
    guardrail: str | None = None
    code: str | None = None
    variant: str | None = None
    for_another: bool = False
    campaign: str | None = None


class Decision(Struct, frozen=True, omit_defaults=True):
    """The decision about one event: the outcome of each rule with a matching trigger.

    `seen` holds the values that these rules read (missing ones are absent), `book` the digest of the rule
    files: with both, the decision can be explained and repeated at any later time. `untold` counts further
    rules whose conditions did not hold; their sentences are generated on request. `unevaluated` is the code
    and `reason` the sentence of why no rule was evaluated; `seen` is empty then.
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
