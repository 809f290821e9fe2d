"""What evaluation says of one event, before guardrail counters are looked at."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from adapter.model.decisions import RuleOutcome
from adapter.model.discounts import Claim
from adapter.model.rules import Rule


class Proposal(Struct, frozen=True):
    """A rule whose conditions hold, and the counters it must reserve to issue."""

    rule: Rule
    claims: tuple[Claim, ...]


class Verdict(Struct, frozen=True):
    """`proposals` best first; `outcomes` of rules already settled; `seen` the values they read."""

    proposals: tuple[Proposal, ...]
    outcomes: tuple[RuleOutcome, ...]
    seen: dict[str, Any]


class Choice(Struct, frozen=True):
    """What may be issued now, and why the rest may not."""

    granted: tuple[Proposal, ...]
    outcomes: tuple[RuleOutcome, ...]
