"""The customers of one transaction: who is who, and what is new about them."""

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
from adapter.model.operations import CustomerGroup, CustomerMerge, CustomerUpsert, EventOccurred, Operation
from adapter.model.pending import MOST_PENDING
from adapter.rules.history.history import History
from adapter.services.ingest.customer_changes import grouped, joined_into, most_added, of_others, upserted
from adapter.store.values import CustomerRecord, Identity, LoadedState, Weight

_AS_STORED = EventNames()
#: What is kept of one customer, their past apart, in bytes; it is read and written with each of their events.
MOST_BYTES = 256 * 1024
#: So many names, ids and linking identities, may lead to a customer who is joined with another.
MOST_NAMES = 1_000
#: A customer of whom more rows are kept is not joined with another of whom there are as many.
MOST_MOVED = 10_000
#: Nor may more be kept of the two than this, in bytes, nor of their histories; two within their bounds fit.
MOST_JOINED = 2 * MOST_BYTES
_NO_WEIGHT = Weight()
_TOO_MANY_NAMES = f"not joined: more than {MOST_NAMES:,} ids would lead to one customer"
_TOO_MANY_ROWS = f"not joined: of each of the two customers more than {MOST_MOVED:,} rows are kept"
#: Nor do more of their moves wait.
_MOST_WAITING = 2 * MOST_PENDING
_TOO_MANY_MOVES = f"not joined: more than {_MOST_WAITING} moves of one customer would be pending"
_TOO_LARGE = f"not joined: more would be kept of the customer than {MOST_JOINED // 1024} KB"


#: What may say of two that they are one.
_NAMING = (CustomerUpsert, CustomerGroup, CustomerMerge, EventOccurred)


class CustomerState(Struct):
    """A customer being worked on; `history` is decoded when a rule or a fold first needs it.

    `size` is about that of the customer in bytes, 0 while nobody has asked, `past_size` that of the history.
    `names` are those under which the events of the history count. `loaded` is the customer as the
    store has them.
    """

    customer: Customer
    stored: bytes = b""
    names: EventNames = _AS_STORED
    history: History | None = None
    dirty: bool = False
    size: int = 0
    past_size: int = 0
    loaded: Customer | None = None

    def sized(self) -> int:
        """Return about how many bytes are kept of the customer, the history apart."""
        self.size = self.size or len(encode(self.customer))
        return self.size

    def past(self) -> History:
        """Return the folded history, decoded once."""
        if self.history is None:
            self.history = History.decode(self.stored)
            if self.history.names != self.names.digest and self.history.rename(self.names):
                self.dirty = True
        return self.history

    def record(self) -> CustomerRecord:
        """Return what the store keeps."""
        history = self.stored if self.history is None else self.history.encode()
        return CustomerRecord(self.customer, history, changed=self.customer is not self.loaded)


class IdentityGraph:
    """Resolves ids to persons, applies facts to them, and remembers what must be written.

    `gone` has every id under which an erased customer was loaded. `weights` says how much the store has of
    those who may be joined, and `apart` why the last two who should have been were not.
    """

    def __init__(self, loaded: LoadedState, names: EventNames = _AS_STORED) -> None:
        self._names_of_events = names
        self._known = {
            key: CustomerState(
                record.customer,
                record.history,
                names,
                size=record.size,
                past_size=len(record.history),
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
        self.learnt: dict[Identity, str] = {}
        self.moved: list[tuple[str, str]] = []
        self.erased: list[str] = []
        self.gone: set[str] = set()
        self.weights: dict[str, Weight] = {}
        self._pending = Counter(move.source_id for move in loaded.pending)
        self.apart: str | None = None

    def canonical(self, source_id: str) -> str:
        """Return the id of the customer that this id leads to by now; a long way there is walked once."""
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

    def behind(self, name: str) -> str:
        """Return the id of the customer that a name leads to by now: an id, or an identity that links."""
        owner = self.canonical(name)
        if owner != name or owner in self._known:
            return owner
        linked = (self._identities.get((kind, name)) for kind in LINKING)
        return next((self.canonical(each) for each in linked if each is not None), owner)

    def known(self, source_id: str) -> CustomerState | None:
        """Return the person behind an id, if there is one."""
        return self._known.get(self.canonical(source_id))

    def names(self, person: CustomerState) -> list[str]:
        """Return every source_id that leads to the person by now, their own first."""
        return self._names(person.customer.source_id)

    def find(self, source_id: str, identities: Mapping[str, str]) -> CustomerState:
        """Return the person behind an id, linking what identities reveal; new ones are created.

        Who first comes under an anonymous id alone is an unknown visitor, until a message names them.
        """
        owner = self.canonical(source_id)
        linking = {kind: identities[kind] for kind in LINKING if kind in identities}
        links = list(linking.items())
        if len(links) > 1:  # Whose the id itself is comes first: what is seen beside it is theirs.
            links.sort(key=lambda each: each[1] != source_id)
        for kind, value in links:
            owner = self._link(kind, value, source_id, owner)
        person = self._known.get(owner)
        if person is None:
            return self._created(owner, {kind: value for kind, value in linking.items() if value == owner})
        if source_id not in linking.values():
            self._name(person)
        return person

    def owner(self, source_id: str) -> CustomerState:
        """Return the person behind an id that the store gave: it tells nothing new of who they are."""
        return self.known(source_id) or self._created(self.canonical(source_id), {})

    def upsert(self, facts: CustomerUpsert, at: datetime | None = None) -> None:
        """Apply facts about a customer, told at a moment; only what is given changes."""
        person = self.find(facts.source_id, facts.identities)
        new = upserted(person.customer, facts, at)
        if new != person.customer:
            person.customer = new
            person.dirty = True

    def has_room(self, facts: CustomerUpsert | CustomerGroup, at: datetime | None = None) -> bool:
        """Say whether a customer can take more facts, told at a moment; what is kept of one has a bound."""
        person = self._known.get(self.behind(facts.source_id)) or CustomerState(Customer(facts.source_id))
        size = person.sized() + most_added(facts)
        if size <= MOST_BYTES:
            person.size = size
            return True
        # What replaces something was counted as if it were new; two who joined may be over the bound already.
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
        """Join those behind two names; merging again, or the other way round, changes nothing.

        The second name is from then on a customer's own, unless the identities call it a visitor's. Where
        what is kept of the two is too much for one customer, `apart` says so.
        """
        source, target = self.behind(previous_id), self.behind(source_id)
        kinds = [kind for kind in LINKING if identities and identities.get(kind) == source_id]
        person, visitor = self._known.get(target), self._known.get(source)
        if person is not None and not kinds:
            self._name(person)
        if source == target or not self._may_join(source, target):
            return
        if person is None and (visitor is None or visitor.customer.anonymous):
            # Two visits of an unknown visitor stay one; a message that names them will say so.
            self._created(target, dict.fromkeys(kinds, target))
        self._absorb(source, target)
        if self.canonical(previous_id) != target:
            self._learn((SOURCE_ID, previous_id), target)

    def joined(self) -> dict[str, list[str]]:
        """Return, by the customer who is left, whose rows become theirs."""
        sources: dict[str, list[str]] = defaultdict(list)
        for source, _ in self.moved:
            sources[self.canonical(source)].append(source)
        return sources

    def to_weigh(self, operations: Sequence[Operation]) -> list[str]:
        """Return the known customers whom operations may join."""
        merges = [each for each in operations if isinstance(each, CustomerMerge)]
        names = {name for each in merges for name in (each.previous_id, each.source_id)}
        for operation in operations:
            if not isinstance(operation, _NAMING):
                continue
            for kind, value in operation.identities.items():
                if value == operation.source_id or kind not in LINKING:
                    continue
                # An identity may be named by a merge, or be a visitor's, before it is known whose it is.
                if value in names or (value in self._known and (kind, value) not in self._identities):
                    names.update((value, operation.source_id))
        return sorted({self.behind(name) for name in names} & self._known.keys())

    def erase(self, source_id: str) -> None:
        """Forget a customer."""
        owner = self.canonical(source_id)
        self.gone.update(self._names(owner))
        self._known.pop(owner, None)
        for identity in self._leading.pop(owner, ()):
            self._identities.pop(identity, None)
            self.learnt.pop(identity, None)
            if identity[0] == SOURCE_ID:
                self._redirects.pop(identity[1], None)
        self.erased.append(owner)

    def changed(self) -> Iterable[CustomerRecord]:
        """Return the records to write."""
        return [person.record() for person in self._known.values() if person.dirty]

    def _names(self, owner: str) -> list[str]:
        return [owner, *(value for kind, value in self._leading.get(owner, ()) if kind == SOURCE_ID)]

    def _created(self, owner: str, identities: dict[str, str]) -> CustomerState:
        customer = Customer(owner, identities=identities)
        person = self._known[owner] = CustomerState(customer, names=self._names_of_events, dirty=True)
        return person

    def _name(self, person: CustomerState) -> None:
        """Note that an id is a customer's own, though it was taken for an anonymous one."""
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
        """Return the owner after an identity was seen beside an id.

        The first customer seen with an identity keeps it: a second one on the same device signs in under
        an id of their own, and must not inherit the first one's past. Nor does who sends another customer's
        key as an anonymous id, which anybody with a browser can: only an unknown visitor is absorbed. An id
        that was merged into a customer is theirs already.
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
        self._identities[identity] = self.learnt[identity] = owner
        self._leading[owner].append(identity)
        if identity[0] == SOURCE_ID:
            self._redirects[identity[1]] = owner

    def _takes(self, owner: str, visitor: CustomerState) -> bool:
        return visitor.customer.anonymous and self._may_join(visitor.customer.source_id, owner)

    def _may_join(self, source: str, target: str) -> bool:
        """Say whether what is kept of two is not too much for one; otherwise `apart` tells why."""
        one, other = (self.weights.get(each, _NO_WEIGHT) for each in (source, target))
        self.apart = None
        if one.names + other.names >= MOST_NAMES:
            self.apart = _TOO_MANY_NAMES
        elif min(one.rows, other.rows) > MOST_MOVED:
            self.apart = _TOO_MANY_ROWS
        elif self._pending[source] + self._pending[target] > _MOST_WAITING:
            self.apart = _TOO_MANY_MOVES
        elif target in self._known and not _fits(self._known.get(source), self._known[target], source):
            self.apart = _TOO_LARGE
        return self.apart is None

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
        person.history = gone.past().merge(person.past())
        unknown = gone.customer.anonymous and person.customer.anonymous
        person.customer = joined_into(gone.customer, person.customer)
        person.size, person.past_size = both, gone.past_size + person.past_size
        person.dirty = True
        self._remember(
            person, gone.customer.merged if gone.customer.anonymous else (*gone.customer.merged, source)
        )
        if not unknown:
            self._name(person)

    def _remember(self, person: CustomerState, names: tuple[str, ...]) -> None:
        """Note which ids were joined into a customer, for lists of ids go on naming them."""
        self._change(person, {"merged": tuple(dict.fromkeys((*person.customer.merged, *names)))})
        person.size += len(encode(names)) if person.size else 0


def _fits(gone: CustomerState | None, into: CustomerState, name: str) -> bool:
    """Say whether a customer has room for another and their name; exactly, where a sum does not tell."""
    more = len(encode(name)) + 1
    if gone is None:
        return into.sized() + more <= MOST_JOINED
    if gone.sized() + into.sized() + more > MOST_JOINED:
        gone.size, into.size = len(encode(gone.customer)), len(encode(into.customer))
        both = len(encode(joined_into(gone.customer, into.customer))) + more
        if both > max(MOST_JOINED, gone.size, into.size):
            return False
    if gone.past_size + into.past_size <= MOST_JOINED:
        return True
    gone.past_size, into.past_size = len(gone.past().encode()), len(into.past().encode())
    both = len(gone.past().merge(into.past()).encode())
    return both <= max(MOST_JOINED, gone.past_size, into.past_size)
