"""The first walk of a decision: people and events, each seeing what came before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from adapter.model.events import Event
from adapter.model.operations import (
    CustomerErase,
    CustomerGroup,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
    Operation,
)
from adapter.model.quarantine import Quarantined
from adapter.model.timers import Timer
from adapter.rules.book import RuleBook
from adapter.services.issuing import Means, Move, Occurrence, Step
from adapter.services.people import MOST_BYTES, People, Person
from adapter.services.waiting import Waiting
from adapter.services.work import Work
from adapter.store.contract import Erasure, Loaded, Transaction

_FACTS = (CustomerUpsert, CustomerGroup)
_OVERFULL = f"more would be kept of this customer than {MOST_BYTES // 1024} KB"


class Arriving:
    """Applies facts, evaluates rules and folds history; collects the `steps` of the second walk.

    `refused` says, by place in the batch, why a message is quarantined, `remarks` what is told of one that is
    not: why rules that would have looked at an event did not, or what was left out.
    """

    def __init__(self, transaction: Transaction, rules: RuleBook, means: Means, loaded: Loaded) -> None:
        self._transaction = transaction
        self._rules = rules
        self.means = means
        self.people = People(loaded, means.names)
        self.waiting = Waiting(self.people, loaded.timers, means.room)
        self.events: list[tuple[str, Event]] = []
        self.steps: list[Step] = []
        self.erasures: list[Erasure] = []
        self.quarantined: list[Quarantined] = []
        self.refused: dict[int, str] = {}
        self.remarks: dict[int, str] = {}

    async def prepare(self, works: Iterable[Work]) -> None:
        """Complete at once the histories that rules are about to ask and that lack what they read."""
        names = {
            operation.source_id
            for work in works
            for operation in work.operations
            if isinstance(operation, EventOccurred) and self._asks(operation.event.name)
        }
        known = (self.people.known(name) for name in names)
        await self._complete([person for person in known if person and self._rules.lacks(person.past())])

    async def take(self, index: int, work: Work) -> None:
        """Take one message; `index` is its place in the batch."""
        for operation in work.operations:
            if isinstance(operation, EventOccurred):
                await self._event(index, operation, work.unrewarded)
            elif isinstance(operation, DiscountMove):
                self.steps.append(Move(index, operation))
            elif isinstance(operation, _FACTS) and not self.people.has_room(operation, work.told_at):
                self._leave_out(index, work)
            elif isinstance(operation, CustomerUpsert):
                self.people.upsert(operation, work.told_at)
            else:
                self._identity(operation, work)
        if work.quarantine is not None:
            self.quarantined.append(work.quarantine)
        if work.timer is not None:
            await self._fire(index, work.timer, broken=work.quarantine is not None)

    async def _event(self, index: int, operation: EventOccurred, unrewarded: str | None) -> None:
        event, rules = operation.event, self._rules
        person = self.people.find(operation.source_id, operation.identities)
        customer, past = person.customer, person.past()
        if self._asks(event.name):
            if rules.lacks(past):
                await self._complete([person])
            if rules.watches(event.name):
                self.waiting.take(rules.waits(event, customer.source_id, past), arming=unrewarded is None)
            if unrewarded is not None:
                self.remarks[index] = unrewarded
            elif rules.needs(event.name):
                verdict = rules.evaluate(event, customer, past, self.means.now)
                if verdict.proposals or verdict.outcomes:
                    self.steps.append(Occurrence(index, event, customer.source_id, rules.digest, verdict))
        rules.fold(past, event)
        person.dirty = True
        self.events.append((customer.source_id, event))

    async def _fire(self, index: int, timer: Timer, *, broken: bool) -> None:
        """Evaluate a timer that still stands; one that could not be decided before is only ended."""
        standing, rules = self.waiting.fire(timer), self._rules
        if standing is None or broken:
            return
        person = self.people.owner(standing.source_id)
        standing = replace(standing, event=self.means.names.renamed(standing.event))
        if rules.lacks(person.past()):
            await self._complete([person])
        verdict = rules.evaluate_absence(standing, person.customer, person.past(), self.means.now)
        if verdict.proposals or verdict.outcomes:
            source_id = person.customer.source_id
            self.steps.append(Occurrence(index, standing.event, source_id, rules.digest, verdict))

    def _leave_out(self, index: int, work: Work) -> None:
        """Quarantine facts for which there is no room; what happened besides must not wait for them."""
        if not all(isinstance(operation, _FACTS) for operation in work.operations):
            self.remarks[index] = f"facts were left out: {_OVERFULL}"
        elif index not in self.refused:
            self.refused[index] = _OVERFULL
            self.quarantined.append(work.kept(_OVERFULL))

    def _asks(self, event_name: str) -> bool:
        return self._rules.needs(event_name) or self._rules.watches(event_name)

    async def _complete(self, persons: Sequence[Person]) -> None:
        """Fill histories from what is stored, and from what this very batch brought before."""
        if not persons:
            return
        owners = {person.customer.source_id: self.people.names(person) for person in persons}
        stored = await self._transaction.past(sorted({name for names in owners.values() for name in names}))
        for person in persons:
            names = owners[person.customer.source_id]
            current = self.means.names.renamed
            events = {
                (event.occurred_at, event.id): current(event)
                for name in names
                for event in stored.get(name, ())
            }
            events |= {(event.occurred_at, event.id): event for name, event in self.events if name in names}
            self._rules.backfill(person.past(), events.values())
            person.dirty = True

    def _identity(self, operation: Operation, work: Work) -> None:
        if isinstance(operation, CustomerMerge):
            self.people.merge(operation.previous_id, operation.source_id, operation.identities)
        elif isinstance(operation, CustomerGroup):
            self.people.group(operation)
        elif isinstance(operation, CustomerErase):
            self._erase(operation.source_id, work)

    def _erase(self, source_id: str, work: Work) -> None:
        """Forget a customer, and what this very batch brought of them before."""
        canonical, owner = self.people.canonical, self.people.behind(source_id)
        self.events = [each for each in self.events if canonical(each[0]) != owner]
        self.steps = [
            step for step in self.steps if isinstance(step, Move) or canonical(step.source_id) != owner
        ]
        self.waiting.erase(owner)
        asked = (source_id,) if source_id == owner else (source_id, owner)
        self.erasures.append(Erasure(owner, asked, work.source, work.message_id, self.quarantined))
        self.quarantined = []
        self.people.erase(owner)
