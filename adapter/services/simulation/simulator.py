"""One rule book over traffic: the pipeline's own decisions, on a simulated clock.

Messages are decided in batches, each at its own time. A batch ends where an absence may fire or a discount
may expire, so that each message sees what has happened by then.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Any, TypeVar, cast

from msgspec import Struct

from adapter.model.customers import LINKING
from adapter.model.decisions import Decision
from adapter.model.event_names import EventNames
from adapter.model.operations import CustomerMerge, DiscountMove
from adapter.model.rules import Absence
from adapter.model.timers import Timer
from adapter.model.triggers import DiscountLife, Firing
from adapter.rules.engine.codes import ALPHABET
from adapter.rules.engine.occurrences import next_due
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.schedules import event_id
from adapter.services.ingest.pipeline import decide
from adapter.services.ingest.result import CommitResult, Result
from adapter.services.ingest.steps import DecisionContext
from adapter.services.ingest.work_item import Work, parts_of
from adapter.services.simulation.state import State
from adapter.services.simulation.transaction import MemoryTransaction
from adapter.store.values import Changes, KnownAlready

T = TypeVar("T")
#: Messages of one batch at most.
SLICE = 256
#: Timers that may wait at a time, as many as a server's by default.
_MOST_TIMERS = 1_000_000


class Decided(Struct, frozen=True):
    """What one batch came to."""

    works: Sequence[Work]
    results: Sequence[Result]
    decisions: Sequence[Decision]
    changes: Changes


class Simulator:
    """Decides works in their order by `rules`; `note` gets what each batch came to.

    Works have `decided_at`, which never goes back. `dedupe` says whether messages may come again.
    """

    def __init__(
        self,
        rules: RuleSet,
        note: Callable[[Decided], None],
        *,
        state: State | None = None,
        names: EventNames = EventNames(),  # noqa: B008 - frozen
        dedupe: bool = True,
        most_timers: int = _MOST_TIMERS,
    ) -> None:
        self.state = state or State()
        self._rules = rules
        self.state.keeps_closed = bool(rules.counting)
        self._note = note
        self._names = names
        self._dedupe = dedupe
        self._most_timers = most_timers
        self._batch: list[Work] = []
        self._people: set[str] = set()
        self._begun = False
        self._occurrences: list[tuple[datetime, str]] = []
        self._codes = 0
        self._ids = 0
        self._soonest = soonest(rules)
        self._ends = ends(rules)

    def run(self, works: Iterable[Work]) -> None:
        """Decide works; timers and expiries after the last one are left to `advance`."""
        until: datetime | None = None
        for work in works:
            at = cast("datetime", work.decided_at)
            self._begin(at)
            if self._batch and (
                len(self._batch) >= SLICE or (until is not None and at >= until) or self._may_merge(work)
            ):
                self._flush()
            self._fall_due(at)
            if not self._batch:
                until = self._until(at)
            self._batch.append(work)
            self._people.update(each.source_id for each in work.operations if each.source_id is not None)
        self._flush()

    def advance(self, now: datetime) -> None:
        """Fire what is due before a moment, and let expire what has expired by it, in their order."""
        self._fall_due(now)
        self._flush()

    def _fall_due(self, now: datetime) -> None:
        """Let everything happen that is due by now: schedules, absences and expiries, in their order."""
        while self._occurrences and self._occurrences[0][0] <= now:
            due_at, name = heappop(self._occurrences)
            self._fall_due_between(due_at)
            self._flush()
            self._occur(name, due_at)
            heappush(self._occurrences, (self._next(name, due_at), name))
        self._fall_due_between(now)

    def _occur(self, name: str, due_at: datetime) -> None:
        """Fire a scheduled rule for each customer that it is for, in the order of their ids."""
        schedules = self._rules.schedules
        if schedules.by_name[name].rule.status == "paused":
            return
        concerned = schedules.concerned(name, due_at, due_at)
        works = (
            _scheduled(Firing(name, source_id, due_at)) for source_id in sorted(self.state.customers)
            if concerned(self.state.customers[source_id].customer)
        )  # fmt: skip
        while batch := list(islice(works, SLICE)):
            self._decide(batch)

    def _next(self, name: str, after: datetime) -> datetime:
        return next_due(self._rules.schedules.by_name[name].trigger, after)

    def _begin(self, at: datetime) -> None:
        """Start the clock: schedules are due from here on."""
        if not self._begun:
            self._begun = True
            before = at - timedelta(microseconds=1)
            self._occurrences = [(self._next(name, before), name) for name in self._rules.schedules.by_name]
            heapify(self._occurrences)

    def _fall_due_between(self, now: datetime) -> None:
        """Add what expires by now to the batch; a timer is decided apart, after what came before it."""
        while (found := self.state.due(now)) is not None:
            at, what = found
            if isinstance(what, Timer):
                self._flush()
                self._decide([_fired(what)])
            else:
                self._batch.append(_expired(what, at))

    def _until(self, at: datetime) -> datetime | None:
        """Return when a batch that begins at a moment must end: what it begins may be due then."""
        begun = self._batch[0].decided_at if self._batch else at
        due = [begun + self._soonest] if self._soonest is not None and begun is not None else []
        return min([*due, *[end for end in self._ends if end > at][:1]], default=None)

    def _may_merge(self, work: Work) -> bool:
        """Tell whether a message may merge two customers: what came before it in its batch must be decided.

        Discounts of a batch are issued once all of its customers are known, as those who they are then.
        """
        state = self.state
        for each in work.operations:
            if isinstance(each, CustomerMerge):
                return True
            identities: Mapping[str, str] = getattr(each, "identities", {})
            for kind in LINKING if identities else ():
                value = identities.get(kind)
                if value is None or value == each.source_id or (kind, value) in state.identities:
                    continue
                if value in self._people or value in state.customers:
                    return True
        return False

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        self._people.clear()
        if batch:
            self._decide(batch)

    def _decide(self, works: Sequence[Work]) -> None:
        for part in parts_of(works, self._rules.counting):
            self._note(self._decided(part))

    def _decided(self, works: Sequence[Work]) -> Decided:
        context = DecisionContext(
            cast("datetime", works[0].decided_at), self._draw, self._new_id,
            room=max(0, self._most_timers - len(self.state.timers)), names=self._names,
        )  # fmt: skip
        transaction = MemoryTransaction(self.state, dedupe=self._dedupe)
        while True:
            saved: list[Changes] = []
            try:
                committed = _driven(decide(transaction, works, self._rules, context, _keeping(saved)))
            except KnownAlready as found:
                transaction = MemoryTransaction(self.state, found.known, dedupe=self._dedupe)
            else:
                return Decided(works, committed.results, saved[-1].decisions, saved[-1])

    def _draw(self, count: int) -> str:
        """Return code characters that were not drawn before, as far as they reach."""
        self._codes += 1
        left, drawn = self._codes, ""
        while len(drawn) < count:
            left, digit = divmod(left, len(ALPHABET))
            drawn += ALPHABET[digit]
        return drawn

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:x}"


def soonest(rules: RuleSet) -> timedelta | None:
    """Return the shortest time after which what a rule begins may be due."""
    found, early = list[timedelta](), (timedelta(0), *_before_ends(rules))
    for rule in rules.given:
        lengths = (rule.expires_in, rule.guardrails.validity_window)
        lasting = [each - before for each in lengths if each is not None for before in early if each > before]
        # The end of a discount is in whole seconds.
        found += [max(timedelta(0), each - timedelta(seconds=1)) for each in lasting]
        if isinstance(rule.trigger, Absence):
            found.append(rule.trigger.within)
        elif isinstance(rule.trigger, DiscountLife) and rule.trigger.unused_for is not None:
            found.append(rule.trigger.unused_for)
    return min(found, default=None)


def ends(rules: RuleSet) -> list[datetime]:
    """Return the moments at which discounts end by their rule, or are about to, in their order."""
    early = (timedelta(0), *_before_ends(rules))
    fixed = [rule.expires_at for rule in rules.given if rule.expires_at is not None]
    return sorted(end - each for end in fixed for each in early)


def _before_ends(rules: RuleSet) -> list[timedelta]:
    """Return how long before its end the life of a discount triggers a rule."""
    triggers = [rule.trigger for rule in rules.rules if isinstance(rule.trigger, DiscountLife)]
    return [trigger.expires_in for trigger in triggers if trigger.expires_in is not None]


def _keeping(saved: list[Changes]) -> Callable[[Changes, list[Result]], Changes]:
    def complete(changes: Changes, _results: list[Result]) -> Changes:
        saved.append(changes)
        return changes

    return complete


def _driven(coroutine: Coroutine[Any, Any, CommitResult]) -> CommitResult:
    """Run a coroutine that awaits only what never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("CommitResult", stop.value)
    coroutine.close()
    raise TypeError("a decision may await the methods of its transaction only")


def _scheduled(firing: Firing) -> Work:
    due_at = firing.due_at
    return Work("schedule", "", event_id(firing), due_at, firing=firing, decided_at=due_at)


def _fired(timer: Timer) -> Work:
    return Work("timer", "", timer.event.id, timer.due_at, timer=timer, decided_at=timer.due_at)


def _expired(code: str, at: datetime) -> Work:
    return Work("expiry", "", code, at, (DiscountMove("expire", code),), decided_at=at)
