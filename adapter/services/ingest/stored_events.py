"""Read the stored events of a transaction's customers, to complete or recount folded histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from adapter.model.encoding import encode
from adapter.model.event_names import EventNames
from adapter.model.events import Event
from adapter.model.operations import EventOccurred
from adapter.rules.engine.ruleset import RuleSet
from adapter.services.ingest.history_completion import BUDGET, Unprepared
from adapter.services.ingest.identities import CustomerState, IdentityGraph
from adapter.services.ingest.work_item import Work
from adapter.store.transaction_contract import Transaction
from adapter.store.values import NewEvent


class StoredEvents:
    """Reads stored events, without duplicates whose rows a merge of this transaction removes.

    `events` are those that the transaction has appended so far, `names` the current names of events.
    """

    def __init__(
        self,
        transaction: Transaction,
        rules: RuleSet,
        people: IdentityGraph,
        events: Sequence[NewEvent],
        names: EventNames,
    ) -> None:
        self._transaction = transaction
        self._rules = rules
        self._people = people
        self._events = events
        self._renamed = names.renamed
        self._lost: dict[str, Counter[bytes]] = {}

    async def exclude(self) -> None:
        """Remove from histories, before any merge, the events that the target customer has too.

        Only the history of a customer that is merged into another is recounted, from its own rows.
        """
        for name, events in self._transaction.known.lost.items():
            self._lost[name] = Counter(map(encode, events))
            person = self._people.known(name)
            if person is not None:
                # One customer at a time: only the rows of one are in memory.
                stored = await self._transaction.past([name])
                self._rules.recount(person.decoded_history(), *self._split(name, stored.get(name, ())))

    async def complete(self, persons: Sequence[CustomerState], works: Sequence[Work]) -> None:
        """Complete histories that works need, from stored events and from earlier events of this batch.

        Raises Unprepared where these are more than one transaction should read.
        """
        if not persons:
            return
        owners = {person.customer.source_id: self._people.names(person) for person in persons}
        await self._expect_short(owners, [work for work in works if not work.prepared])
        stored = await self._transaction.past(sorted({name for names in owners.values() for name in names}))
        for person in persons:
            names = owners[person.customer.source_id]
            events = [event for name in names for event in self._split(name, stored.get(name, ()))[0]]
            own = set(names)
            events += [new.event for new in self._events if new.source_id in own]
            self._rules.backfill(person.decoded_history(), events)
            person.dirty = True

    async def _expect_short(self, owners: Mapping[str, Sequence[str]], works: Sequence[Work]) -> None:
        """Raise Unprepared for works that need histories too long for one transaction; `owners` has names."""
        if not works:
            return
        weights = await self._transaction.past_weights([name for names in owners.values() for name in names])
        room, late = BUDGET, set[str]()
        for owner, names in owners.items():
            weight = sum(weights.get(name, 0) for name in names)
            if weight > room:
                late.update((owner, *names))
            else:
                room -= weight
        put_off = [work for work in works if late and (len(works) == 1 or self._names(work, late))]
        if put_off:
            raise Unprepared(put_off, late)

    def _names(self, work: Work, owners: Collection[str]) -> bool:
        return any(
            self._people.canonical(operation.source_id) in owners
            for operation in work.operations
            if isinstance(operation, EventOccurred)
        )

    def _split(self, name: str, events: Sequence[Event]) -> tuple[list[Event], list[Event]]:
        """Return a customer's stored events under their current names: those kept, and those removed."""
        if name not in self._lost:
            return list(map(self._renamed, events)), []
        left = self._lost[name].copy()
        kept: list[Event] = []
        lost: list[Event] = []
        for event in events:
            body = encode(event)
            (lost if left[body] > 0 else kept).append(self._renamed(event))
            left[body] -= 1
        return kept, lost
