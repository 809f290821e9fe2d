"""Codes of pools for the discounts of one transaction: read and locked at once, handed out one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from adapter.model.decisions import RuleOutcome
from adapter.rules.guardrails.proposal import Proposal, Verdict


class PoolCodes:
    """The free codes of pools; `drawn` are those that are handed out."""

    def __init__(self) -> None:
        self._free: dict[str, list[str]] = defaultdict(list)
        self.drawn: list[str] = []

    def fill(self, codes: Mapping[str, Sequence[str]]) -> None:
        """Take note of free codes by pool, which no other transaction hands out."""
        for pool, found in codes.items():
            self._free[pool] = list(found)

    def left_for(self, verdict: Verdict) -> tuple[Verdict, list[Proposal]]:
        """Return the verdict without proposals whose pool is empty, and those."""
        empty = [each for each in verdict.proposals if self.lacks(each)]
        if not empty:
            return verdict, []
        kept = tuple(each for each in verdict.proposals if not self.lacks(each))
        return replace(verdict, proposals=kept), empty

    def lacks(self, proposal: Proposal) -> bool:
        """Return whether the discount needs a code of a pool that has none left."""
        pool = proposal.rule.code_pool
        return pool is not None and not self._free[pool]

    def draw(self, pool: str) -> str:
        """Hand out the next code of a pool that has one."""
        code = self._free[pool].pop(0)
        self.drawn.append(code)
        return code


def wanted(proposals: Iterable[Proposal]) -> dict[str, int]:
    """Return how many codes of each pool the proposals could take."""
    return dict(Counter(each.rule.code_pool for each in proposals if each.rule.code_pool is not None))


def no_code_left(proposal: Proposal) -> RuleOutcome:
    """Return why a rule whose pool is empty issues nothing."""
    reason = f"not issued: the code pool {proposal.rule.code_pool} has no codes left"
    return RuleOutcome(proposal.rule.name, "withheld", reason, "code_pool")
