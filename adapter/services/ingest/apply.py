"""The first walk of a decision: people and events, each seeing what came before it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from adapter.model.decisions import Decision
from adapter.model.events import Event
from adapter.model.operations import (
    CustomerErase,
    CustomerGroup,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
    Operation,
    OrderOperation,
)
from adapter.model.quarantine import Quarantined
from adapter.model.timers import Timer
from adapter.rules.engine.ruleset import RuleSet
from adapter.services.ingest.identities import MOST_BYTES, MOST_MOVED, IdentityGraph
from adapter.services.ingest.issue import DecisionContext, Move, Occurrence, Step
from adapter.services.ingest.stored_pasts import Pasts
from adapter.services.ingest.timer_changes import Waiting
from adapter.services.ingest.work_item import Unrewarded, Work
from adapter.store.contract import Transaction
from adapter.store.values import Erasure, LoadedState, NewEvent

_FACTS = (CustomerUpsert, CustomerGroup)
#: What can as well be taken later, when a message is replayed.
_LATER = (*_FACTS, CustomerMerge)
_OVERFULL = f"more would be kept of this customer than {MOST_BYTES // 1024} KB"


class ApplyPass:
    """Applies facts, evaluates rules and folds history; collects the `steps` of the second walk.

    `refused` says, by place in the batch, why a message is quarantined, `remarks` what is told of one that is
    not: why rules that would have looked at an event did not, or what was left out. `unevaluated` keeps the
    former for the customer. `repeats` are messages that only repeat events received before, each with one of
    them.
    """

    def __init__(
        self, transaction: Transaction, rules: RuleSet, means: DecisionContext, loaded: LoadedState
    ) -> None:
        self._transaction = transaction
        self.rules = rules
        self.means = means
        self.people = IdentityGraph(loaded, means.names)
        self.waiting = Waiting(self.people, loaded.timers, means.room)
        self.events: list[NewEvent] = []
        self._pasts = Pasts(transaction, rules, self.people, self.events, means.names)
        self._repeated = transaction.known.repeated
        self.steps: list[Step] = []
        self.erasures: list[Erasure] = []
        self.quarantined: list[Quarantined] = []
        self.unevaluated: list[Decision] = []
        self.refused: dict[int, str] = {}
        self.remarks: dict[int, str] = {}
        self.repeats: dict[int, EventOccurred] = {}

    async def prepare(self, works: Sequence[Work]) -> None:
        """Weigh those who may be joined, and complete histories that rules are about to ask, all at once.

        Raises Unprepared where that is more than one transaction should read.
        """
        may_join = self.people.to_weigh([operation for work in works for operation in work.operations])
        if may_join:
            self.people.weights = await self._transaction.weigh(may_join, MOST_MOVED + 1)
        await self._pasts.exclude()
        names = {
            operation.source_id
            for work in works
            for operation in work.operations
            if isinstance(operation, EventOccurred) and self.asks(operation.event.name)
        }
        known = (self.people.known(name) for name in names)
        lacking = [person for person in known if person and self.rules.lacks(person.past())]
        await self._pasts.complete(lacking, works)

    async def take(self, index: int, work: Work) -> None:
        """Take one message; `index` is its place in the batch."""
        repeat = bool(self._repeated) and self._repeats(index, work)
        for nth, operation in enumerate(work.operations):
            if isinstance(operation, EventOccurred):
                await self._event((index, nth), operation, work)
            elif isinstance(operation, DiscountMove):
                if not repeat:
                    message = f"{work.source}\0{work.key}"
                    self.steps.append(Move(index, operation, work.told_at, message))
            elif isinstance(operation, OrderOperation):
                continue  # the checkout's, before and after this
            elif isinstance(operation, _FACTS):
                self._facts(index, operation, work)
            else:
                self._identity(operation, work)
            if self.people.apart is not None:
                self._keep_apart(index, work, operation)
        if work.quarantine is not None:
            self.quarantined.append(work.quarantine)
        if work.timer is not None:
            await self._fire(index, work.timer, work)

    def _facts(self, index: int, operation: CustomerUpsert | CustomerGroup, work: Work) -> None:
        at = work.told_at
        if not self.people.has_room(operation, at):
            self._leave_out(index, work, _OVERFULL, f"facts were left out: {_OVERFULL}")
        elif isinstance(operation, CustomerUpsert):
            self.people.upsert(operation, at)
        else:
            self.people.group(operation)

    async def _event(self, place: tuple[int, int], operation: EventOccurred, work: Work) -> None:
        event, rules, index, unrewarded = operation.event, self.rules, place[0], work.unrewarded
        person = self.people.find(operation.source_id, operation.identities)
        if place in self._repeated:
            return
        customer, past = person.customer, person.past()
        if self.asks(event.name):
            if rules.lacks(past):
                await self._pasts.complete([person], [work])
            if rules.watches(event.name):
                self.waiting.take(rules.waits(event, customer.source_id, past), arming=unrewarded is None)
            if unrewarded is not None:
                self.remarks[index] = unrewarded.reason
                self.unevaluated.append(self.left(event, customer.source_id, unrewarded))
            elif rules.needs(event.name):
                verdict = rules.evaluate(event, customer, past, self.means.now)
                if verdict.proposals or verdict.outcomes:
                    self.steps.append(Occurrence(index, event, customer.source_id, rules.digest, verdict))
        rules.fold(past, event)
        person.dirty = True
        self.events.append(NewEvent(customer.source_id, work.source, event, place))

    async def _fire(self, index: int, timer: Timer, work: Work) -> None:
        """Evaluate a timer that still stands; one that could not be decided before is only ended."""
        standing, rules = self.waiting.fire(timer), self.rules
        if standing is None or work.quarantine is not None:
            return
        person = self.people.owner(standing.source_id)
        standing = replace(standing, event=self.means.names.renamed(standing.event))
        if rules.lacks(person.past()):
            await self._pasts.complete([person], [work])
        verdict = rules.evaluate_absence(standing, person.customer, person.past(), self.means.now)
        if verdict.proposals or verdict.outcomes:
            source_id = person.customer.source_id
            self.steps.append(Occurrence(index, standing.event, source_id, rules.digest, verdict))

    def _leave_out(self, index: int, work: Work, reason: str, remark: str) -> None:
        """Quarantine what there is no room for; what happened besides must not wait for it."""
        if not all(isinstance(operation, _LATER) for operation in work.operations):
            self.remarks[index] = remark
        elif index not in self.refused:
            self.refused[index] = reason
            self.quarantined.append(work.kept(reason))

    def _keep_apart(self, index: int, work: Work, operation: Operation) -> None:
        """Leave out a merge of two who are too much for one; facts that name both of them are taken."""
        reason, self.people.apart = self.people.apart or "", None
        if isinstance(operation, CustomerMerge):
            self._leave_out(index, work, reason, reason)
        else:
            self.remarks[index] = reason

    def left(self, event: Event, source_id: str, why: Unrewarded) -> Decision:
        """Return the record that no rule looked at an event, and why."""
        now, book = self.means.now, self.rules.digest
        return Decision(
            event.id, event.name, source_id, now, book, (), {}, unevaluated=why.code, reason=why.reason
        )

    def asks(self, event_name: str) -> bool:
        """Say whether a rule would look at an event of this name, or wait for it."""
        return self.rules.needs(event_name) or self.rules.watches(event_name)

    def _repeats(self, index: int, work: Work) -> bool:
        """Say whether a message only repeats what was received before, and note which event is known.

        It does when all its events are known under the message's own id, whatever its dedupe key: mParticle's
        keys hold the person, who may have been merged since. When a mapping gives the event another id, an
        order's say, the other operations of the message are done all the same.
        """
        events = {nth: each for nth, each in enumerate(work.operations) if isinstance(each, EventOccurred)}
        known = [each for nth, each in events.items() if (index, nth) in self._repeated]
        if not known:
            return False
        self.remarks[index] = f"the event `{known[0].event.id}` was received before: it is not counted again"
        own = all(each.event.id == work.message_id for each in known)
        repeat = len(known) == len(events) and (own or len(known) == len(work.operations))
        if repeat:
            self.repeats[index] = known[0]
        return repeat

    def _identity(self, operation: Operation, work: Work) -> None:
        if isinstance(operation, CustomerMerge):
            self.people.merge(operation.previous_id, operation.source_id, operation.identities)
        elif isinstance(operation, CustomerErase):
            self._erase(operation.source_id, work)

    def _erase(self, source_id: str, work: Work) -> None:
        """Forget a customer, and what this very batch brought of them before."""
        canonical, owner = self.people.canonical, self.people.behind(source_id)
        self.events[:] = [new for new in self.events if canonical(new.source_id) != owner]
        self.steps = [
            step for step in self.steps if isinstance(step, Move) or canonical(step.source_id) != owner
        ]
        self.unevaluated = [each for each in self.unevaluated if canonical(each.source_id) != owner]
        self.waiting.erase(owner)
        asked = (source_id,) if source_id == owner else (source_id, owner)
        self.erasures.append(Erasure(owner, asked, work.source, work.message_id, self.quarantined))
        self.quarantined = []
        self.people.erase(owner)
