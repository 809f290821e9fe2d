"""The discount of a case whose life triggers a rule."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event, User
from adapter.rules.blocks.block import Block
from adapter.rules.engine.issue import issue
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.guardrails.proposal import Proposal

Status = Literal["issued", "applied", "redeemed", "revoked"]


class CaseDiscount(Struct, frozen=True):
    """A discount of a rule, issued some time before the case; `expires_in` is counted from the case."""

    rule: str
    status: Status
    ago: timedelta
    expires_in: timedelta | None = None

    def record(self, book: RuleSet, source_id: str, now: datetime) -> DiscountRecord | None:
        """Return the discount as its rule issues it; None where there is no such rule."""
        rule = next((each for each in book.rules if each.name == self.rule), None)
        if rule is None:
            return None
        at = now - self.ago
        event = Event("evt_issued", "issued", at, User(id=source_id), {}, {})
        held = issue(Proposal(rule, ()), event, source_id, f"CASE-{rule.name}", at)
        ends = held.discount.expires_at if self.expires_in is None else now + self.expires_in
        return replace(held, discount=replace(held.discount, status=self.status, expires_at=ends))


def read_discount(block: Block | None) -> CaseDiscount | None:
    """Return the discount of a case; None where there is none, or it is not as it must be."""
    if block is None:
        return None
    rule, status = block.text("rule", required=True), block.one_of("status", Status)
    ago, expires_in = block.length("ago"), block.length("expires_in")
    if "ago" not in block.values:
        block.lacks("ago", "add `ago: 5d`")
    block.finish()
    return None if rule is None or ago is None else CaseDiscount(rule, status or "issued", ago, expires_in)
