"""The first pass of a decision: customers and events, in order; each sees the changes before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from adapter.model.decisions import Decision
from adapter.model.discounts import DiscountRecord
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
from adapter.model.triggers import Firing
from adapter.rules.engine.absence import Waits
from adapter.rules.engine.absence_keys import rule_of
from adapter.rules.engine.beside import Beside, Recipient
from adapter.rules.engine.changes import Changed, CustomerChange
from adapter.rules.engine.lives import code_of, event_of, lives
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.schedules import occurrence
from adapter.rules.history.own_discounts import MOST as MOST_DISCOUNTS
from adapter.rules.history.own_discounts import OwnDiscounts
from adapter.services.ingest.identities import MOST_BYTES, MOST_MOVED, CustomerState, IdentityGraph
from adapter.services.ingest.steps import DecisionContext, Move, Occurrence, Step
from adapter.services.ingest.stored_events import StoredEvents
from adapter.services.ingest.timer_changes import TimerChanges
from adapter.services.ingest.work_item import Unrewarded, Work
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Erasure, LoadedState, NewEvent

_FACTS = (CustomerUpsert, CustomerGroup)
#: Operations that may also be applied later, when a message is replayed.
_REPLAYABLE = (*_FACTS, CustomerMerge)
_TOO_LARGE = f"the customer's data would exceed {MOST_BYTES // 1024} KB"


class ApplyPass:
    """Applies facts, evaluates rules and folds history; collects the `steps` of the second pass.

    `refused` has, by index in the batch, why a message is quarantined, `remarks` the reason in the result of
    other messages: why rules were not evaluated for an event, or what was left out. `unevaluated` stores the
    former for the customer. `repeats` are messages that only repeat events received before, each with one of
    these events.
    """

    def __init__(
        self, transaction: Transaction, rules: RuleSet, context: DecisionContext, loaded: LoadedState
    ) -> None:
        self._transaction = transaction
        self.rules = rules
        self.context = context
        self.people = IdentityGraph(loaded, context.names)
        self.timer_changes = TimerChanges(self.people, loaded.timers, context.room)
        self.events: list[NewEvent] = []
        self._stored_events = StoredEvents(transaction, rules, self.people, self.events, context.names)
        self._repeated = transaction.known.repeated
        self._discounts = loaded.discounts
        self._fired = _occurrences(loaded) if rules.schedules else {}
        # A method of the pass here would be a cycle, which keeps a whole batch in memory for a while.
        self._others = Beside(partial(_recipient, self.people))
        self.steps: list[Step] = []
        self.erasures: list[Erasure] = []
        self.quarantined: list[Quarantined] = []
        self.unevaluated: list[Decision] = []
        self.refused: dict[int, str] = {}
        self.remarks: dict[int, str] = {}
        self.repeats: dict[int, EventOccurred] = {}

    async def prepare(self, works: Sequence[Work]) -> None:
        """Read the sizes of customers that may be merged, and complete the histories that rules will read.

        Raises Unprepared where these are more than one transaction should read.
        """
        candidates = self.people.merge_candidates(
            [operation for work in works for operation in work.operations]
        )
        if candidates:
            self.people.weights = await self._transaction.weigh(candidates, MOST_MOVED + 1)
        await self._stored_events.exclude()
        names = {
            operation.source_id
            for work in works
            for operation in work.operations
            if isinstance(operation, EventOccurred) and self.concerns_rules(operation.event.name)
        }
        known = (self.people.known(name) for name in names)
        lacking = [person for person in known if person and self.rules.lacks(person.decoded_history())]
        await self._stored_events.complete(lacking, works)

    async def take(self, index: int, work: Work) -> None:
        """Apply one message; `index` is its place in the batch."""
        repeat = bool(self._repeated) and self._repeats(index, work)
        for nth, operation in enumerate(work.operations):
            if isinstance(operation, EventOccurred):
                await self._event((index, nth), operation, work)
            elif isinstance(operation, CustomerUpsert) and self.rules.changes and not work.unrewarded:
                await self._watched_facts(index, operation, work)
            elif isinstance(operation, _FACTS):
                self._facts(index, operation, work)
            elif isinstance(operation, DiscountMove):
                if not repeat:
                    message = f"{work.source}\0{work.key}"
                    self.steps.append(Move(index, operation, work.occurred_at, message))
            elif isinstance(operation, OrderOperation):
                continue  # the checkout handles these before and after this pass
            else:
                self._identity(operation, work)
            if self.people.merge_rejection is not None:
                self._reject_merge(index, work, operation)
        if work.quarantine is not None:
            self.quarantined.append(work.quarantine)
        if work.timer is not None:
            await self._fire(index, work.timer, work)
        elif work.firing is not None:
            await self._fire_scheduled(index, work.firing, work)

    def _facts(self, index: int, operation: CustomerUpsert | CustomerGroup, work: Work) -> None:
        at = work.occurred_at
        if not self.people.has_room(operation, at):
            self._leave_out(index, work, _TOO_LARGE, f"facts were left out: {_TOO_LARGE}")
        elif isinstance(operation, CustomerUpsert):
            self.people.upsert(operation, at)
        else:
            self.people.group(operation)

    async def _watched_facts(self, index: int, operation: CustomerUpsert, work: Work) -> None:
        """Apply facts, and evaluate the rules that wait for what they change.

        What is said first of a customer is no change, and neither is what a merge brings.
        """
        people, now = self.people, self.context.now
        known = people.known(people.resolve(operation.source_id))
        told = known is not None and bool(known.customer.told_at or known.customer.traits)
        before = people.find(operation.source_id, operation.identities).customer
        self._facts(index, operation, work)
        person = people.owner(operation.source_id)
        if person.customer == before:
            return
        document = work.document if isinstance(work.document, dict) else {}
        context, at = document.get("context"), work.occurred_at or now
        message = work.message_id or work.key or f"{work.source}@{at.isoformat()}"
        change = CustomerChange(
            before, person.customer, told, message, at, context if isinstance(context, dict) else {}
        )
        for changed in self.rules.changes.of(change, person.decoded_history(), self._as_of(work)):
            await self._change(index, changed, person, work)

    async def _change(self, index: int, changed: Changed, person: CustomerState, work: Work) -> None:
        rules = self.rules
        if rules.lacks(person.decoded_history()):
            await self._stored_events.complete([person], [work])
        history = person.decoded_history()
        at = self._as_of(work)
        counting = any(ready.rule.name in rules.counting for ready in changed.index.ready)
        verdict = rules.evaluate_change(
            changed, person.customer, history, at, self.context.secret,
            beside=await self._beside(person, counting=counting),
        )  # fmt: skip
        if verdict.proposals or verdict.outcomes:
            source_id = person.customer.source_id
            self.steps.append(Occurrence(index, changed.event, source_id, rules.digest, verdict, at))

    def _as_of(self, work: Work) -> datetime:
        """Return the time as of which the events of a message are decided: not later than now."""
        return self.context.now if work.as_of is None else min(work.as_of, self.context.now)

    async def _event(self, place: tuple[int, int], operation: EventOccurred, work: Work) -> None:
        event, rules, index, unrewarded = operation.event, self.rules, place[0], work.unrewarded
        person = self.people.find(operation.source_id, operation.identities)
        if place in self._repeated:
            return
        customer, history = person.customer, person.decoded_history()
        if self.concerns_rules(event.name):
            if rules.lacks(history):
                await self._stored_events.complete([person], [work])
            if rules.watches(event.name):
                self.timer_changes.take(
                    rules.waits(event, customer.source_id, history), arming=unrewarded is None
                )
            if unrewarded is not None:
                if unrewarded.recorded:
                    self.remarks[index] = unrewarded.reason
                    self.unevaluated.append(self.unevaluated_decision(event, customer.source_id, unrewarded))
            elif rules.needs(event.name):
                if rules.rewards_others:
                    await self._prepare_recipients(event, work)
                at = self._as_of(work)
                beside = self._others
                if event.name in rules.counting:
                    beside = await self._beside(person)
                verdict = rules.evaluate(event, customer, history, at, self.context.secret, beside=beside)
                if verdict.proposals or verdict.outcomes:
                    self.steps.append(Occurrence(index, event, customer.source_id, rules.digest, verdict, at))
        rules.fold(history, event)
        person.dirty = True
        self.events.append(NewEvent(customer.source_id, work.source, event, place))

    async def _prepare_recipients(self, event: Event, work: Work) -> None:
        """Complete the histories of other customers that an event rewards."""
        for name in self.rules.named.ids(event):
            person = self.people.known(self.people.resolve(name))
            if person is not None and self.rules.lacks(person.decoded_history()):
                await self._stored_events.complete([person], [work])

    async def _beside(self, person: CustomerState, *, counting: bool = True) -> Beside:
        """Return what rules may know beside the customer and their history; `counting` reads discounts."""
        if not counting:
            return self._others
        owner = person.customer.source_id
        held: list[DiscountRecord] = []
        for name in (owner, *self.people.joined().get(owner, ())):
            held += await self._transaction.latest_discounts(name, MOST_DISCOUNTS)
        return Beside(self._others.recipients, OwnDiscounts(held))

    async def _fire(self, index: int, timer: Timer, work: Work) -> None:
        """Evaluate a timer that is still active; one whose evaluation failed before is only removed."""
        standing, rules = self.timer_changes.fire(timer), self.rules
        if standing is None or work.quarantine is not None:
            return
        if code_of(standing) is not None:
            await self._fire_life(index, standing, work)
            return
        person = self.people.owner(standing.source_id)
        standing = replace(standing, event=self.context.names.renamed(standing.event))
        if rules.lacks(person.decoded_history()):
            await self._stored_events.complete([person], [work])
        if rules.rewards_others:
            await self._prepare_recipients(standing.event, work)
        due, later, now = [standing], [], self.context.now
        for other in self.timer_changes.beside(standing, rules.companions.get(standing.rule, ())):
            another = replace(other, event=standing.event)
            if other.due_at > now:
                later.append(another)
            elif self.timer_changes.fire(other) is not None:
                due.append(another)
        verdict, waiting = rules.evaluate_absences(
            due, later, person.customer, person.decoded_history(), now,
            secret=self.context.secret,
            beside=await self._beside(person, counting=any(rule_of(each) in rules.counting for each in due)),
        )  # fmt: skip
        self.timer_changes.defer(waiting)
        if verdict.proposals or verdict.outcomes:
            source_id = person.customer.source_id
            self.steps.append(Occurrence(index, standing.event, source_id, rules.digest, verdict, now))

    async def _fire_life(self, index: int, timer: Timer, work: Work) -> None:
        """Evaluate the timer of a discount that can still be used; wait on where its end was moved."""
        rules, now = self.rules, self.context.now
        life, held = rules.lives.of(timer), self._discounts.get(code_of(timer) or "")
        if life is None or held is None or not lives(life.trigger, held, now):
            return
        later = rules.lives.again(life, held, now)
        if later is not None:
            self.timer_changes.take(Waits((replace(later, source_id=timer.source_id),)), arming=True)
            return
        person = self.people.owner(timer.source_id)
        if rules.lacks(person.decoded_history()):
            await self._stored_events.complete([person], [work])
        event = event_of(life, held, timer.due_at)
        history = person.decoded_history()
        verdict = rules.evaluate_life(
            life, event, person.customer, history, now, secret=self.context.secret,
            beside=await self._beside(person, counting=life.rule.name in rules.counting),
        )  # fmt: skip
        if verdict.proposals or verdict.outcomes:
            source_id = person.customer.source_id
            self.steps.append(Occurrence(index, event, source_id, rules.digest, verdict, now))

    async def _fire_scheduled(self, index: int, firing: Firing, work: Work) -> None:
        """Evaluate a firing for a customer who is still there.

        Of a customer who was merged meanwhile the other one has a firing of their own. One into whom a
        customer was merged who had their firing already has none.
        """
        person = self.people.known(firing.source_id)
        if person is None or self.people.canonical(firing.source_id) != firing.source_id:
            return
        if occurrence(firing) in self._fired.get(firing.source_id, ()):
            return
        rules = self.rules
        if rules.lacks(person.decoded_history()):
            await self._stored_events.complete([person], [work])
        found = rules.evaluate_firing(
            firing, person.customer, person.decoded_history(), self.context.now, self.context.secret,
            beside=await self._beside(person, counting=firing.rule in rules.counting),
        )  # fmt: skip
        if found is not None and (found[1].proposals or found[1].outcomes):
            event, verdict = found
            at = self.context.now
            self.steps.append(Occurrence(index, event, firing.source_id, rules.digest, verdict, at))

    def _leave_out(self, index: int, work: Work, reason: str, remark: str) -> None:
        """Quarantine a message that is too large; only leave out a part where it has other operations."""
        if not all(isinstance(operation, _REPLAYABLE) for operation in work.operations):
            self.remarks[index] = remark
        elif index not in self.refused:
            self.refused[index] = reason
            self.quarantined.append(work.kept(reason))

    def _reject_merge(self, index: int, work: Work, operation: Operation) -> None:
        """Leave out a merge of two customers whose data are too large for one; facts of both are applied."""
        reason, self.people.merge_rejection = self.people.merge_rejection or "", None
        if isinstance(operation, CustomerMerge):
            self._leave_out(index, work, reason, reason)
        else:
            self.remarks[index] = reason

    def unevaluated_decision(
        self, event: Event, source_id: str, why: Unrewarded, at: datetime | None = None
    ) -> Decision:
        """Return the record that no rule was evaluated for an event, and why."""
        now, book = at or self.context.now, self.rules.digest
        return Decision(
            event.id, event.name, source_id, now, book, (), {}, unevaluated=why.code, reason=why.reason
        )

    def concerns_rules(self, event_name: str) -> bool:
        """Return whether an event of this name triggers a rule, or affects a timer."""
        return self.rules.needs(event_name) or self.rules.watches(event_name)

    def _repeats(self, index: int, work: Work) -> bool:
        """Return whether a message only repeats events received before, and record one of these.

        It does when all its events are known under the message's own id, whatever its dedupe key: mParticle's
        keys contain the person, who may have been merged since. When a mapping gives the event another id,
        such as that of an order, the other operations of the message are still applied.
        """
        events = {nth: each for nth, each in enumerate(work.operations) if isinstance(each, EventOccurred)}
        known = [each for nth, each in events.items() if (index, nth) in self._repeated]
        if not known:
            return False
        self.remarks[index] = f"the event `{known[0].event.id}` was received before; it is not counted again"
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
        """Erase a customer, including data from earlier messages of this batch."""
        canonical, owner = self.people.canonical, self.people.resolve(source_id)
        self.events[:] = [new for new in self.events if canonical(new.source_id) != owner]
        self.steps = [
            step for step in self.steps if isinstance(step, Move) or canonical(step.source_id) != owner
        ]
        self.unevaluated = [each for each in self.unevaluated if canonical(each.source_id) != owner]
        self.timer_changes.erase(owner)
        asked = (source_id,) if source_id == owner else (source_id, owner)
        self.erasures.append(Erasure(owner, asked, work.source, work.message_id, self.quarantined))
        self.quarantined = []
        self.people.erase(owner)


def _recipient(people: IdentityGraph, name: str) -> Recipient | None:
    """Return another customer that an event names; none is created."""
    person = people.known(people.resolve(name))
    return None if person is None else Recipient(person.customer, person.decoded_history())


def _occurrences(loaded: LoadedState) -> dict[str, set[str]]:
    """Return by customer the occurrences of schedules for which they hold a discount."""
    found: dict[str, set[str]] = {}
    for held in loaded.discounts.values():
        head, colon, _ = held.event_id.rpartition(":")
        if colon:
            found.setdefault(held.source_id, set()).add(head + colon)
    return found
