"""Identity resolution: the customers of one transaction, their merges and their changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.customers import LINKING, SOURCE_ID, Customer
from adapter.model.encoding import encode
from adapter.model.event_names import EventNames
from adapter.model.forwards import ForwardedCustomer
from adapter.model.operations import CustomerGroup, CustomerMerge, CustomerUpsert, EventOccurred, Operation
from adapter.model.pending import MOST_PENDING
from adapter.rules.history.history import History
from adapter.services.ingest.customer_changes import grouped, joined_into, most_added, of_others, upserted
from adapter.store.values import CustomerRecord, Identity, LoadedState, Weight

_AS_STORED = EventNames()
#: Maximum size of one customer in bytes, without history; it is read and written with each event.
MOST_BYTES = 256 * 1024
#: Maximum number of names (ids and linking identities) of a merged customer.
MOST_NAMES = 1_000
#: Two customers are not merged if both have more rows than this.
MOST_MOVED = 10_000
#: Maximum size of a merged customer, and of its history, in bytes; two customers within MOST_BYTES fit.
MOST_JOINED = 2 * MOST_BYTES
_NO_WEIGHT = Weight()
_TOO_MANY_NAMES = f"not merged: the customer would have more than {MOST_NAMES:,} ids"
_TOO_MANY_ROWS = f"not merged: both customers have more than {MOST_MOVED:,} rows"
#: Maximum number of pending moves of a merged customer.
_MOST_WAITING = 2 * MOST_PENDING
_TOO_MANY_MOVES = f"not merged: the customer would have more than {_MOST_WAITING} pending moves"
_TOO_LARGE = f"not merged: the customer's data would exceed {MOST_JOINED // 1024} KB"


#: Operations that may merge two customers.
_MERGING = (EventOccurred, CustomerUpsert, CustomerGroup, CustomerMerge)


def _restated(now: Customer, before: Customer) -> bool:
    return now is not before and ForwardedCustomer.of(now) != ForwardedCustomer.of(before)


class CustomerState(Struct):
    """A customer in this transaction; `history` is decoded when a rule or a fold first needs it.

    `size` is the approximate size of the customer in bytes, 0 while unknown, `history_size` that of the
    history. `names` are the current names of events. `loaded` is the customer as stored.
    """

    customer: Customer
    stored: bytes = b""
    names: EventNames = _AS_STORED
    history: History | None = None
    dirty: bool = False
    size: int = 0
    history_size: int = 0
    loaded: Customer | None = None

    def sized(self) -> int:
        """Return the approximate size of the customer in bytes, without the history."""
        self.size = self.size or len(encode(self.customer))
        return self.size

    def decoded_history(self) -> History:
        """Return the folded history, decoded once."""
        if self.history is None:
            self.history = History.decode(self.stored)
            if self.history.names != self.names.digest and self.history.rename(self.names):
                self.dirty = True
        return self.history

    def record(self) -> CustomerRecord:
        """Return the record to store."""
        history = self.stored if self.history is None else self.history.encode()
        return CustomerRecord(self.customer, history, changed=self.customer is not self.loaded)


class IdentityGraph:
    """Resolves ids to customers, applies facts to them, and collects the changes to write.

    `gone` has every id under which an erased customer was loaded. `weights` has the sizes of customers that
    may be merged, and `merge_rejection` why the last merge was rejected.
    """

    def __init__(self, loaded: LoadedState, names: EventNames = _AS_STORED) -> None:
        self._names_of_events = names
        self._known = {
            key: CustomerState(
                record.customer,
                record.history,
                names,
                size=record.size,
                history_size=len(record.history),
                loaded=record.customer,
            )
            for key, record in loaded.customers.items()
        }
        self._identities = loaded.identities
        self._redirects: dict[str, str] = {}
        self._leading: dict[str, list[Identity]] = defaultdict(list)
        for identity, owner in self._identities.items():
            self._leading[owner].append(identity)
            if identity[0] == SOURCE_ID:
                self._redirects[identity[1]] = owner
        self.new_identities: dict[Identity, str] = {}
        self.moved: list[tuple[str, str]] = []
        self.erased: list[str] = []
        self.gone: set[str] = set()
        self.weights: dict[str, Weight] = {}
        self._pending = Counter(move.source_id for move in loaded.pending)
        self.merge_rejection: str | None = None

    def canonical(self, source_id: str) -> str:
        """Return the current id of the customer with this id; long chains of redirects are shortened."""
        redirects = self._redirects
        owner = redirects.get(source_id)
        if owner is None:
            return source_id
        passed = []
        while (further := redirects.get(owner)) is not None:
            passed.append(source_id)
            source_id, owner = owner, further
        for name in passed:
            redirects[name] = owner
        return owner

    def resolve(self, name: str) -> str:
        """Return the current id of the customer with a name: an id, or a linking identity."""
        owner = self.canonical(name)
        if owner != name or owner in self._known or not self._identities:
            return owner
        linked = (self._identities.get((kind, name)) for kind in LINKING)
        return next((self.canonical(each) for each in linked if each is not None), owner)

    def known(self, source_id: str) -> CustomerState | None:
        """Return the customer with an id, if there is one."""
        return self._known.get(self.canonical(source_id))

    def names(self, person: CustomerState) -> list[str]:
        """Return every source_id that resolves to the customer, their own first."""
        return self._names(person.customer.source_id)

    def find(self, source_id: str, identities: Mapping[str, str]) -> CustomerState:
        """Return the customer with an id, linked with the identities; creates a missing customer.

        A customer with only an anonymous id is an anonymous visitor, until a message has their own id.
        """
        owner = self.canonical(source_id)
        linking = {kind: identities[kind] for kind in LINKING if kind in identities} if identities else {}
        links = list(linking.items())
        if len(links) > 1:  # The owner of the id itself comes first: the other identities become theirs.
            links.sort(key=lambda each: each[1] != source_id)
        for kind, value in links:
            owner = self._link(kind, value, source_id, owner)
        person = self._known.get(owner)
        if person is None:
            return self._created(owner, {kind: value for kind, value in linking.items() if value == owner})
        if source_id not in linking.values():
            self._mark_known(person)
        return person

    def owner(self, source_id: str) -> CustomerState:
        """Return the customer with an id from the store, without linking identities."""
        return self.known(source_id) or self._created(self.canonical(source_id), {})

    def upsert(self, facts: CustomerUpsert, at: datetime | None = None) -> None:
        """Apply facts of a message at a time to a customer; other facts are unchanged."""
        person = self.find(facts.source_id, facts.identities)
        new = upserted(person.customer, facts, at)
        if new != person.customer:
            person.customer = new
            person.dirty = True

    def has_room(self, facts: CustomerUpsert | CustomerGroup, at: datetime | None = None) -> bool:
        """Return whether a customer with these facts stays within MOST_BYTES."""
        person = self._known.get(self.resolve(facts.source_id)) or CustomerState(Customer(facts.source_id))
        size = person.sized() + most_added(facts)
        if size <= MOST_BYTES:
            person.size = size
            return True
        # Replaced facts were counted as new ones; merged customers may exceed the bound already.
        old = person.customer
        new = upserted(old, facts, at) if isinstance(facts, CustomerUpsert) else grouped(old, facts)
        before, after = len(encode(old)), len(encode(new))
        fits = after <= max(before, MOST_BYTES)
        person.size = after if fits else before
        return fits

    def group(self, facts: CustomerGroup) -> None:
        """Put a customer into a group, with the group's traits."""
        person = self.find(facts.source_id, facts.identities)
        self._change(person, {"groups": grouped(person.customer, facts).groups})

    def merge(self, previous_id: str, source_id: str, identities: Mapping[str, str] | None = None) -> None:
        """Merge the customers with two names; a repeated or reversed merge has no effect.

        The second name becomes a customer's own id, unless the identities call it a visitor's. Where the two
        are too large for one customer, `merge_rejection` has the reason.
        """
        source, target = self.resolve(previous_id), self.resolve(source_id)
        kinds = [kind for kind in LINKING if identities and identities.get(kind) == source_id]
        person, visitor = self._known.get(target), self._known.get(source)
        if person is not None and not kinds:
            self._mark_known(person)
        if source == target or not self._may_merge(source, target):
            return
        if person is None and (visitor is None or visitor.customer.anonymous):
            # Two visits of an anonymous visitor remain anonymous, until a message has their own id.
            self._created(target, dict.fromkeys(kinds, target))
        self._absorb(source, target)
        if self.canonical(previous_id) != target:
            self._learn((SOURCE_ID, previous_id), target)

    def joined(self) -> dict[str, list[str]]:
        """Return the ids whose rows are merged, by the target customer."""
        sources: dict[str, list[str]] = defaultdict(list)
        for source, _ in self.moved:
            sources[self.canonical(source)].append(source)
        return sources

    def merge_candidates(self, operations: Sequence[Operation]) -> list[str]:
        """Return the known customers that operations may merge."""
        merges = [each for each in operations if isinstance(each, CustomerMerge)]
        names = {name for each in merges for name in (each.previous_id, each.source_id)}
        for operation in operations:
            if not isinstance(operation, _MERGING) or not operation.identities:
                continue
            for kind, value in operation.identities.items():
                if value == operation.source_id or kind not in LINKING:
                    continue
                # An identity may be part of a merge, or be a visitor's, before its owner is known.
                if value in names or (value in self._known and (kind, value) not in self._identities):
                    names.update((value, operation.source_id))
        return sorted({self.resolve(name) for name in names} & self._known.keys())

    def erase(self, source_id: str) -> None:
        """Erase a customer."""
        owner = self.canonical(source_id)
        self.gone.update(self._names(owner))
        self._known.pop(owner, None)
        for identity in self._leading.pop(owner, ()):
            self._identities.pop(identity, None)
            self.new_identities.pop(identity, None)
            if identity[0] == SOURCE_ID:
                self._redirects.pop(identity[1], None)
        self.erased.append(owner)

    def changed(self) -> Iterable[CustomerRecord]:
        """Return the records to write."""
        return [person.record() for person in self._known.values() if person.dirty]

    def restate(self) -> list[Customer]:
        """Return customers of whom something has changed that is forwarded, each in its next version."""
        found = [
            person
            for person in self._known.values()
            if person.dirty and (person.loaded is None or _restated(person.customer, person.loaded))
        ]
        for person in found:
            person.customer = replace(person.customer, version=person.customer.version + 1)
        return [person.customer for person in found]

    def _names(self, owner: str) -> list[str]:
        return [owner, *(value for kind, value in self._leading.get(owner, ()) if kind == SOURCE_ID)]

    def _created(self, owner: str, identities: dict[str, str]) -> CustomerState:
        customer = Customer(owner, identities=identities)
        person = self._known[owner] = CustomerState(customer, names=self._names_of_events, dirty=True)
        return person

    def _mark_known(self, person: CustomerState) -> None:
        """Record that an id is a customer's own, although it was taken for an anonymous one."""
        old = person.customer
        if old.anonymous:
            self._change(person, {"identities": of_others(old.identities, old.source_id)})

    def _change(self, person: CustomerState, changes: dict[str, Any]) -> None:
        old = person.customer
        real = {name: value for name, value in changes.items() if getattr(old, name) != value}
        if real:
            person.customer = replace(old, **real)
            person.dirty = True

    def _link(self, kind: str, value: str, source_id: str, owner: str) -> str:
        """Return the owner of an id after it was received together with an identity.

        The first customer with an identity keeps it: a second one on the same device signs in under another
        id, and must not inherit the history of the first. A browser can send another customer's key as an
        anonymous id, so only an anonymous visitor is absorbed. An id that was merged into a customer resolves
        to that customer already.
        """
        linked = self._identities.get((kind, value))
        if source_id == value:
            return owner if linked is None or owner != source_id else self.canonical(linked)
        if linked is None and value not in self._redirects:
            visitor = self._known.get(value)
            joins = visitor is not None and value != owner
            if visitor is not None and joins and not self._takes(owner, visitor):
                return owner
            self._learn((kind, value), owner)
            if joins:
                self._absorb(value, owner)
        return owner

    def _learn(self, identity: Identity, owner: str) -> None:
        self._identities[identity] = self.new_identities[identity] = owner
        self._leading[owner].append(identity)
        if identity[0] == SOURCE_ID:
            self._redirects[identity[1]] = owner

    def _takes(self, owner: str, visitor: CustomerState) -> bool:
        return visitor.customer.anonymous and self._may_merge(visitor.customer.source_id, owner)

    def _may_merge(self, source: str, target: str) -> bool:
        """Return whether two customers are small enough to be merged; else set `merge_rejection`."""
        one, other = (self.weights.get(each, _NO_WEIGHT) for each in (source, target))
        self.merge_rejection = None
        if one.names + other.names >= MOST_NAMES:
            self.merge_rejection = _TOO_MANY_NAMES
        elif min(one.rows, other.rows) > MOST_MOVED:
            self.merge_rejection = _TOO_MANY_ROWS
        elif self._pending[source] + self._pending[target] > _MOST_WAITING:
            self.merge_rejection = _TOO_MANY_MOVES
        elif target in self._known and not _fits(self._known.get(source), self._known[target], source):
            self.merge_rejection = _TOO_LARGE
        return self.merge_rejection is None

    def _absorb(self, source: str, target: str) -> None:
        self.moved.append((source, target))
        if self._pending:
            self._pending[target] += self._pending[source]
        one, other = (self.weights.get(each, _NO_WEIGHT) for each in (source, target))
        self.weights[target] = Weight(one.rows + other.rows, one.names + other.names + 1)
        few, many = sorted((self._leading.pop(source, []), self._leading[target]), key=len)
        many.extend(few)
        self._leading[target] = many
        self._learn((SOURCE_ID, source), target)
        gone = self._known.pop(source, None)
        if gone is None:
            if target in self._known:
                self._remember(self._known[target], (source,))
            return
        person = self._known.get(target) or self._created(target, {})
        both = gone.sized() + person.sized()
        person.history = gone.decoded_history().merge(person.decoded_history())
        unknown = gone.customer.anonymous and person.customer.anonymous
        person.customer = joined_into(gone.customer, person.customer)
        person.size, person.history_size = both, gone.history_size + person.history_size
        person.dirty = True
        self._remember(
            person, gone.customer.merged if gone.customer.anonymous else (*gone.customer.merged, source)
        )
        if not unknown:
            self._mark_known(person)

    def _remember(self, person: CustomerState, names: tuple[str, ...]) -> None:
        """Record the ids that were merged into a customer, because lists of ids still contain them."""
        self._change(person, {"merged": tuple(dict.fromkeys((*person.customer.merged, *names)))})
        person.size += len(encode(names)) if person.size else 0


def _fits(gone: CustomerState | None, into: CustomerState, name: str) -> bool:
    """Return whether a customer has room for another and its name; exact where the sum is too large."""
    more = len(encode(name)) + 1
    if gone is None:
        return into.sized() + more <= MOST_JOINED
    if gone.sized() + into.sized() + more > MOST_JOINED:
        gone.size, into.size = len(encode(gone.customer)), len(encode(into.customer))
        both = len(encode(joined_into(gone.customer, into.customer))) + more
        if both > max(MOST_JOINED, gone.size, into.size):
            return False
    if gone.history_size + into.history_size <= MOST_JOINED:
        return True
    gone.history_size, into.history_size = (
        len(gone.decoded_history().encode()),
        len(into.decoded_history().encode()),
    )
    both = len(gone.decoded_history().merge(into.decoded_history()).encode())
    return both <= max(MOST_JOINED, gone.history_size, into.history_size)
