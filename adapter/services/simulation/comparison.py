"""Two rule books over the same traffic: who gains and who loses, event by event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from adapter.model.decisions import Decision, RuleOutcome
from adapter.services.simulation.observed import ObservedRules

#: Examples of each kind that are kept, evenly out of all.
SAMPLES = 20

EventKey = tuple[str, str, str]


class Change(Struct, frozen=True):
    """One discount that only one of two books issues, and why the other does not."""

    at: datetime
    source_id: str
    event: str
    event_id: str
    rule: str
    why: str


class _Sample:
    """Keeps a few of many, and has them spread over all."""

    def __init__(self) -> None:
        self.found: list[Change] = []
        self._seen = 0
        self._stride = 1

    def wants(self) -> bool:
        """Return whether the next one is kept."""
        self._seen += 1
        return self._seen % self._stride == 0

    def add(self, change: Change) -> None:
        """Keep one; with twice as many as are wanted, every second one goes."""
        self.found.append(change)
        if len(self.found) == 2 * SAMPLES:
            self.found, self._stride = self.found[::2], 2 * self._stride


class Comparison:
    """Compares what a draft decides with what the book in force does."""

    def __init__(self, in_force: ObservedRules, draft: ObservedRules) -> None:
        self._in_force = in_force
        self._draft = draft
        self._more = _Sample()
        self._fewer = _Sample()
        self.gained: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.balance: dict[str, int] = {}
        self.same = 0

    @property
    def more(self) -> list[Change]:
        """Some of the discounts that only the draft issues."""
        return self._more.found[:SAMPLES]

    @property
    def fewer(self) -> list[Change]:
        """Some of the discounts that only the book in force issues."""
        return self._fewer.found[:SAMPLES]

    @property
    def winners(self) -> int:
        """How many customers get more discounts by the draft."""
        return sum(balance > 0 for balance in self.balance.values())

    @property
    def losers(self) -> int:
        """How many customers get fewer discounts by the draft."""
        return sum(balance < 0 for balance in self.balance.values())

    def note(self, in_force: Iterable[Decision], draft: Iterable[Decision]) -> None:
        """Compare the decisions of both books on the same events."""
        before, after = _by_event(in_force), _by_event(draft)
        for key in dict.fromkeys((*before, *after)):
            self._event(key, before.get(key), after.get(key))
        self._in_force.asked.clear()
        self._draft.asked.clear()

    def _event(self, key: EventKey, before: Decision | None, after: Decision | None) -> None:
        had, has = _issued(before), _issued(after)
        self.same += len(had & has)
        for rule in sorted(has - had):
            self.gained[rule] += 1
            self._count(key[0], 1)
            if self._more.wants():
                self._more.add(_change(key, after, rule, _why(self._in_force, key, before, rule)))
        for rule in sorted(had - has):
            self.lost[rule] += 1
            self._count(key[0], -1)
            if self._fewer.wants():
                self._fewer.add(_change(key, before, rule, _why(self._draft, key, after, rule)))

    def _count(self, source_id: str, difference: int) -> None:
        balance = self.balance.get(source_id, 0) + difference
        if balance:
            self.balance[source_id] = balance
        else:
            del self.balance[source_id]


def _by_event(decisions: Iterable[Decision]) -> dict[EventKey, Decision]:
    found: dict[EventKey, Decision] = {}
    for each in decisions:
        key = (each.source_id, each.event_id, each.event)
        known = found.get(key)
        found[key] = each if known is None else _joined(known, each)
    return found


def _joined(one: Decision, other: Decision) -> Decision:
    """Return both decisions on one event: an absence is decided apart from the event that began its wait."""
    return Decision(
        one.event_id, one.event, one.source_id, one.decided_at, one.book,
        (*one.outcomes, *other.outcomes), one.seen | other.seen,
    )  # fmt: skip


def _issued(decision: Decision | None) -> set[str]:
    outcomes: tuple[RuleOutcome, ...] = () if decision is None else decision.outcomes
    return {each.rule for each in outcomes if each.outcome == "issued"}


def _change(key: EventKey, decision: Decision | None, rule: str, why: str) -> Change:
    assert decision is not None  # noqa: S101 - one that issued is there
    source_id, event_id, event = key
    return Change(decision.decided_at, source_id, event, event_id, rule, why)


def _why(book: ObservedRules, key: EventKey, decision: Decision | None, rule: str) -> str:
    if all(each.name != rule for each in book.rules):
        return "there is no such rule"
    outcomes = () if decision is None else decision.outcomes
    told = next((each for each in outcomes if each.rule == rule), None)
    if told is None:
        return book.why_not(key, rule)
    return f"{told.reason} ({told.guardrail})" if told.guardrail else told.reason
