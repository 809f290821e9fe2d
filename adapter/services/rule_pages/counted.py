"""The latest decisions of one rule: how often its conditions held, what withheld it, which rules it meets."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct, field

from adapter.model.decisions import Decision, RuleOutcome
from adapter.rules.engine.condition_counts import ConditionCount, ConditionTree
from adapter.rules.engine.ruleset import RuleSet
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store

#: Decisions of all rules that are looked through.
MOST_DECISIONS = 2_000
#: Decisions of a rule by whose values its conditions are judged again.
MOST_JUDGED = 500
#: Decisions of the rule, and other rules, that are shown.
_SHOWN = 20
_OVERLAPS = 10


class RecentDecision(Struct, frozen=True):
    """What a rule came to for one event."""

    at: datetime
    source_id: str
    event: str
    event_id: str
    outcome: str
    reason: str
    guardrail: str = ""
    code: str = ""


class CountedDecisions(Struct):
    """A rule in the latest decisions: `of_rule` among `searched` of all rules, the oldest made at `back_to`.

    `conditions` are counted over the latest `judged` that the files in force made. `withheld` counts by
    guardrail, `overlap` the events for which the conditions of another rule held too.
    """

    searched: int = 0
    of_rule: int = 0
    judged: int = 0
    back_to: datetime | None = None
    outcomes: dict[str, int] = field(default_factory=dict)
    withheld: dict[str, int] = field(default_factory=dict)
    overlap: dict[str, int] = field(default_factory=dict)
    conditions: list[ConditionCount] = field(default_factory=list)
    recent: list[RecentDecision] = field(default_factory=list)


async def counted(
    store: Store, book: RuleSet, rule: str, now: datetime, patience: ReadTimeout
) -> CountedDecisions:
    """Look through the latest decisions; the work is bounded whatever the store has."""
    counting = _Counting(book, rule)
    # One read: each is a search for a span of time that has as many as are wanted.
    latest = await patience.read(store.latest_decisions(now, MOST_DECISIONS))
    await asyncio.to_thread(counting.note_all, list(latest))
    return counting.found()


class _Counting:
    def __init__(self, book: RuleSet, rule: str) -> None:
        self._book = book
        self._rule = rule
        self._triggers = next((each.triggers for each in book.rules if each.name == rule), ())
        self._tree = ConditionTree(book.nodes[rule])
        self._found = CountedDecisions()
        self._outcomes: Counter[str] = Counter()
        self._withheld: Counter[str] = Counter()
        self._overlap: Counter[str] = Counter()

    def note_all(self, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            self._note(decision)

    def _note(self, decision: Decision) -> None:
        found = self._found
        found.searched += 1
        found.back_to = decision.decided_at
        outcome = self._outcome(decision)
        if outcome is None:
            return
        found.of_rule += 1
        self._outcomes[outcome.outcome] += 1
        if outcome.outcome == "withheld":
            self._withheld[outcome.guardrail or "another rule"] += 1
        if outcome.outcome != "not_met":
            self._overlap.update(_met(decision.outcomes, self._rule))
        if decision.book == self._book.digest and found.judged < MOST_JUDGED:
            found.judged += 1
            self._tree.note(decision)
        if len(found.recent) < _SHOWN:
            found.recent.append(_shown(decision, outcome))

    def found(self) -> CountedDecisions:
        found = self._found
        found.outcomes, found.withheld = dict(self._outcomes), dict(self._withheld.most_common())
        found.overlap = dict(self._overlap.most_common(_OVERLAPS))
        found.conditions = self._tree.counts()
        return found

    def _outcome(self, decision: Decision) -> RuleOutcome | None:
        """Return what was said of the rule; of those that a decision leaves untold, that it did not hold."""
        told = next((each for each in decision.outcomes if each.rule == self._rule), None)
        if told is not None or not decision.untold or decision.event not in self._triggers:
            return told
        return RuleOutcome(self._rule, "not_met", "its conditions do not hold")


def _met(outcomes: Sequence[RuleOutcome], rule: str) -> list[str]:
    return [each.rule for each in outcomes if each.outcome != "not_met" and each.rule != rule]


def _shown(decision: Decision, outcome: RuleOutcome) -> RecentDecision:
    return RecentDecision(
        decision.decided_at, decision.source_id, decision.event, decision.event_id, outcome.outcome,
        outcome.reason, outcome.guardrail or "", outcome.code or "",
    )  # fmt: skip
