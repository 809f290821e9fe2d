"""What every engine guarantees: few, coarse verbs.

All writing that decides goes through `Store.transact`: one script, one transaction. The script is
written once as a coroutine; an engine may run it again from the start when its transaction had to be
rolled back for a reason that passes (deadlock, serialization), so it must be pure but for the
transaction. When `transact` returns, what the script saved is durable (fsync done, synchronous
standbys included); when it raises, nothing of it is, save where the connection was lost during the commit
itself: then the same message keys, sent again, find out.

Every verb raises `adapter.errors.Unavailable` when the store cannot be reached, is full or is locked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from msgspec import Struct

from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.deliveries import Delivery, Pause
from adapter.model.discounts import HeldDiscount
from adapter.model.erasures import Receipt
from adapter.model.events import Event
from adapter.model.ignored import Ignored
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.model.timers import Cancellation, Timer

T = TypeVar("T")
#: To be called, once or more often, when a further transaction may begin beside one that is under way.
PassOn = Callable[[], None]
#: (source, dedupe key) of a message.
MessageKey = tuple[str, str]
#: (kind, value) of an identity; kind `source_id` holds the redirects of merged customers.
Identity = tuple[str, str]
#: What may be dropped by age (dedupe keys have a verb of their own).
Aged = Literal["events", "decisions", "deliveries", "quarantine", "pending_moves"]
#: Where a customer's rows go on: behind a key in a table.
Place = tuple[str, tuple[Any, ...]]
#: (scope, key) of a guardrail counter, as in `model.discounts.Claim`.
CounterKey = tuple[str, str]


class CustomerRecord(Struct):
    """A customer with the folded history of their events (opaque bytes to the store).

    `size` is that of the customer as it was read, in bytes. `changed` says of one to be saved whether the
    customer, their history apart, may differ from what is stored.
    """

    customer: Customer
    history: bytes = b""
    size: int = 0
    changed: bool = True


class Past(Struct):
    """All that is stored of what one customer did and was told; decisions oldest first."""

    source_id: str
    decisions: list[Decision]
    events: list[Event]


#: A page ends with the row by which its rows have so many bytes.
PAGE_BYTES = 1_000_000


class Wanted(Struct):
    """What a batch needs to know.

    `messages` are claimed by asking: of a key asked for in two transactions at once, exactly one sees it
    fresh, provided that it commits; a key that stands twice in one batch is one key, fresh or seen as a
    whole. A claim is kept when the script ends without a save, or with a save that does not answer it.
    They count as seen at `now` of the load. `customers` are source_ids as the messages name them,
    `identities` the linking identities they carry, `codes` the discounts they mean to move, `waits` the rules
    of which timers are due.
    """

    messages: Sequence[MessageKey] = ()
    customers: Sequence[str] = ()
    identities: Sequence[Identity] = ()
    codes: Sequence[str] = ()
    waits: Sequence[str] = ()


class Weight(Struct, frozen=True):
    """How much is kept of one customer, as far as it was counted: rows of any table, and names among them."""

    rows: int = 0
    names: int = 0


class Loaded(Struct):
    """What the store knows of it, locked until the transaction ends.

    `answers` has every message key that was seen before, with the answer saved for it (b"" when none was).
    `identities` has the known ones of those asked for, and the redirects (`source_id`) of those customers
    asked for that have no record. `customers` has the known ones of: those asked for, those that identities
    and redirects lead to, those that a redirect's identity names outright, and the owners of `codes`.
    `discounts` has, by code, every discount that a code asked for may mean and every unexpired issued or
    applied one of the customers loaded, and `timers` every wait of the customers loaded under the rules asked
    for. `pending` has every pending or refused move by the customers asked for or loaded, or by those to whom
    identities lead; `discounts` has those of them whose holder is loaded.
    """

    answers: dict[MessageKey, bytes]
    identities: dict[Identity, str]
    customers: dict[str, CustomerRecord]
    discounts: dict[str, HeldDiscount]
    timers: list[Timer] = []
    pending: list[PendingMove] = []


class Reserved(Struct):
    """Counters as they stand (absent ones are 0), and codes already taken in any spelling.

    They need not be locked: it is for `save` to see that they are not moved too far before its commit.
    """

    used: dict[CounterKey, int]
    taken: frozenset[str]


class NewEvent(Struct, frozen=True):
    """One event to be appended; its identity is source, customer (merges followed), name and id.

    `place` tells it from the other events of the transaction, in each run of its script.
    """

    source_id: str
    source: str
    event: Event
    place: Hashable


class Known(Struct, frozen=True):
    """What an earlier run of the same script took for new, and the store has already.

    `repeated` are places of events. `lost` are, by customers that are merged into others, the events that
    another of those who become one has too: their rows go.
    """

    repeated: frozenset[Hashable] = frozenset()
    lost: Mapping[str, Sequence[Event]] = {}


#: What is known in a script's first run.
NOTHING_KNOWN = Known()


class KnownAlready(Exception):
    """The script has come to something else than it would, had it known this: it runs again."""

    def __init__(self, known: Known) -> None:
        super().__init__("an event is known already")
        self.known = known


class Erasure(Struct, frozen=True):
    """One person to be forgotten: what `source_id` has goes, and a receipt for each of `asked` stays.

    `asked` are the ids under which the erasure was demanded, `source_id` alone where it is empty. `by` and
    `request` are as in `Receipt`. `quarantined` are messages of this transaction that came before the
    demand: they are kept first, so that those of this person go with the rest.
    """

    source_id: str
    asked: tuple[str, ...] = ()
    by: str = ""
    request: str = ""
    quarantined: Sequence[Quarantined] = ()


class Forgotten(Struct, frozen=True):
    """An erasure under way: `names` still stand in quarantine or in others' data.

    `customers` has the fingerprints of its receipts, one behind the other, `erased_at` their moment. Messages
    quarantined with an id above `upto` came later, and stay.
    """

    number: int
    names: list[str]
    customers: bytes
    erased_at: datetime
    upto: int


class Held(Struct):
    """All that is held of one person; lists without a limit, the oldest first.

    `names` are the ids that lead to them (kind, value). `history` is opaque to the store.
    """

    source_id: str
    customer: Customer | None
    history: bytes
    names: list[Identity]
    events: list[Event]
    decisions: list[Decision]
    discounts: list[HeldDiscount]
    deliveries: list[Delivery]
    timers: list[Timer]
    counters: dict[str, int]
    quarantined: list[Excerpt]
    pending_moves: list[PendingMove]


class Changes(Struct):
    """Everything one transaction writes.

    Order matters not in the lists but between them: first `moved`, then `erased`, then all the rest, so
    what the other lists hold of an erased customer is what came after the erasure.

    `answers` are kept beside their message keys for duplicates to be answered alike; an answer may also be
    given to a key that this transaction has not claimed (one not known counts as seen at `seen_at`).
    `moved` lists (from source_id, to source_id) merges, in order: events, discounts (with the scopes of
    their claims), decisions, deliveries, counters scoped to the customer (summed) and identities follow,
    the record of `from` goes, and a redirect from it is kept; what the other lists say of `from` is written
    to `to`, but `customers` must hold the merged record. `erased` lists whose data must go:
    their records, identities, redirects to them, events, decisions, discounts, deliveries, own counters,
    the quarantined messages that name them (`Quarantined.names`) by any id that leads to them, and the
    answers of `rewarded` messages (the bare keys stay); counters of the whole shop and of devices stay. Their
    names are `forgotten` until they have been looked for elsewhere. Each leaves a receipt, unless nothing was
    there and the same demand has left one before. `events` are
    appended; of one identity the first is kept alone. Where another was saved for new, or where a merge finds
    one identity in both customers, the script runs again with that in `Transaction.known`. `counters` are
    differences, and `bounds` say how high a counter may stand before they are added, for what was decided to
    hold; a reserved counter that grows without a bound may not stand higher than it was read. Where another
    transaction has moved it past that, the script runs again. `discounts` replace those of that code that
    were loaded in this transaction, and are inserted otherwise. `rewarded` says of each message on which a
    discount hangs whose discount it is (source_id), so that its answer goes when that customer is erased.
    Keys that are answered or rewarded are never forgotten. `cancelled` ends the stored timers that it says,
    before `armed` ones are kept, at most one for a customer and rule: each takes the place of the one that
    is there. A merge moves timers, of two under one rule the later due; an erasure drops them. `ended` moves
    are removed before `pending` ones are kept, each in the place of the one of that customer and id that
    is there; a merge moves those by the customer who is merged, an erasure drops those by the person erased.
    """

    seen_at: datetime
    answers: dict[MessageKey, bytes]
    customers: list[CustomerRecord]
    identities: dict[Identity, str]
    moved: list[tuple[str, str]]
    erased: list[Erasure]
    events: list[NewEvent]
    discounts: list[HeldDiscount]
    counters: Mapping[CounterKey, int]
    decisions: list[Decision]
    deliveries: list[Delivery]
    quarantine: list[Quarantined]
    rewarded: Mapping[MessageKey, str] = {}
    cancelled: Sequence[Cancellation] = ()
    armed: Sequence[Timer] = ()
    bounds: Mapping[CounterKey, int] = {}
    pending: Sequence[PendingMove] = ()
    ended: Sequence[PendingMove] = ()


class Transaction(Protocol):
    """One open transaction: load, then reserve, then save, each at most once and in this order.

    `past`, `past_weights` and `weigh` may be asked between load and save. `known` is what earlier runs of the
    script have found; a script that saves the same all the same has it kept once.
    """

    known: Known

    async def load(self, wanted: Wanted, now: datetime) -> Loaded:
        """Claim the messages; lock and return what is known of the rest."""
        ...

    async def past(self, source_ids: Sequence[str]) -> dict[str, list[Event]]:
        """Return all stored events of customers that are loaded, in any order; who has none is left out."""
        ...

    async def past_weights(self, source_ids: Sequence[str]) -> dict[str, int]:
        """Return how much `past` would return of customers: bytes, and 500 for each event.

        What is far more than a transaction should read is not measured to its end.
        """
        ...

    async def weigh(self, source_ids: Sequence[str], most: int) -> dict[str, Weight]:
        """Return how much is kept of customers, no more than `most` rows of each table counted."""
        ...

    async def reserve(self, counters: Sequence[CounterKey], codes: Sequence[str]) -> Reserved:
        """Return the counters as they stand, and say which codes exist, however they are spelled."""
        ...

    async def forget_address(
        self, source_id: str, address: str, after: Place | None = None
    ) -> tuple[int, Place | None]:
        """Remove an email address from some of a loaded customer's rows, their record apart.

        Events whose id holds it go. Returns how many rows changed, and where to go on; None where all is done
        and the address is not noted for the customer any more.
        """
        ...

    async def save(self, changes: Changes) -> None:
        """Write everything; a code taken, or a counter moved, by others meanwhile makes it run again."""
        ...


class Settlement(Struct, frozen=True):
    """What came of one leased delivery; without `due_at` it is over (`done`, else dead)."""

    id: str
    attempt: int
    done: bool
    due_at: datetime | None = None
    error: str | None = None


class Store(Protocol):
    """The verbs of an engine. Reads see only what is committed."""

    async def open(self, *, copying: bool = False) -> None:
        """Connect, and bring the schema up to date; raises Unavailable with what to do.

        A store that holds part of a copy is opened to be copied into only, and one that was copied to be
        copied again or reopened only: with `copying`.
        """
        ...

    async def close(self) -> None:
        """Finish what runs, and let go of the file or the connections."""
        ...

    async def ping(self) -> None:
        """Raise Unavailable unless the store can commit now."""
        ...

    async def transact(
        self, script: Callable[[Transaction], Awaitable[T]], pass_on: PassOn | None = None
    ) -> T:
        """Run the script in one transaction; durable when it returns.

        An engine that can run another transaction beside this one calls `pass_on` once this one has what it
        loads locked: who comes then waits for those locks, and so sees what this one has saved. When this one
        must run again, it comes later, as if it had been sent later.
        """
        ...

    async def customer(self, source_id: str) -> Customer | None:
        """Return a customer, redirects of merged ones and linking identities followed."""
        ...

    async def discount(self, code: str) -> HeldDiscount | None:
        """Return the discount that a code means, see `resolve`; raises NotFound where it may be several."""
        ...

    async def discounts(
        self, source_id: str, limit: int = 100, before: str | None = None
    ) -> Page[HeldDiscount]:
        """Return a page of a customer's discounts, newest first; redirects followed."""
        ...

    async def events(self, source_id: str, limit: int = 100, before: str | None = None) -> Page[Event]:
        """Return a page of a customer's events, latest `occurred_at` first; redirects followed."""
        ...

    async def decisions(self, source_id: str, limit: int = 100, before: str | None = None) -> Page[Decision]:
        """Return a page of a customer's decisions, newest first; redirects followed."""
        ...

    async def issued_for(self, event_ids: Sequence[str]) -> dict[str, list[HeldDiscount]]:
        """Return the discounts issued for these events, by event id."""
        ...

    async def pending_moves(self, *, source_id: str = "", code: str = "") -> list[PendingMove]:
        """Return pending and refused moves by a customer, redirects followed, or of a code; oldest first."""
        ...

    async def lapsed(self, now: datetime, limit: int) -> list[str]:
        """Return codes of issued or applied discounts past their `expires_at`, without pending moves."""
        ...

    async def due_timers(self, now: datetime, limit: int) -> list[Timer]:
        """Return timers whose `due_at` has come, the longest due first; they stay until cancelled."""
        ...

    async def pasts(self, after: str, limit: int) -> list[Past]:
        """Return up to `limit` customers in order of source_id after one, each with their whole past.

        There are fewer where their pasts have several megabytes, but one as long as there is any.
        """
        ...

    async def held(self, source_id: str, *, apart: bool = False) -> Held:
        """Return all that is held of the person behind a name, as of one moment; redirects followed.

        Events and decisions `apart`: there may be many, and `oldest` returns them by pages.
        """
        ...

    async def oldest(
        self, kind: Literal["events", "decisions"], source_id: str, after: str | None = None
    ) -> Page[Event] | Page[Decision]:
        """Return a page of a customer's events or decisions, the oldest first; `next` is given as `after`."""
        ...

    async def note_addresses(self, limit: int) -> bool:
        """Note the addresses of up to `limit` customers of whom none are noted: those of older programs.

        Returns whether there are no more.
        """
        ...

    async def addressed(self, address: str, after: str = "", limit: int = 100) -> list[str]:
        """Return up to `limit` customers after one, in order, in whose data an email address may stand.

        `address` is in its normal spelling. Raises Unavailable while addresses of others are not noted yet.
        """
        ...

    async def forgotten(self, limit: int) -> list[Forgotten]:
        """Return erasures whose names are still to be looked for, the oldest first."""
        ...

    async def finish_erasure(self, done: Forgotten, removed: Mapping[str, int]) -> None:
        """Forget the names of an erasure, and say in its receipts what else was removed, by kind."""
        ...

    async def receipts(self, source_id: str) -> list[Receipt]:
        """Return the receipts of erasures demanded for exactly this id, newest first."""
        ...

    async def lease(
        self, now: datetime, until: datetime, limit: int, destination: str | None = None
    ) -> list[Delivery]:
        """Take up to `limit` due deliveries until `until`, each with its `attempt` counted up.

        Only those for `destination` where it is named, so that one slow endpoint's backlog never stands
        before another's. The longest due come first. One that an earlier lease still holds is not due. Two
        callers never get the same one.
        """
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        """Record what came of leased deliveries; stale attempts are ignored. Returns how many counted."""
        ...

    async def deliveries(
        self, status: str, limit: int = 100, destination: str | None = None
    ) -> list[Delivery]:
        """Return deliveries of one status, oldest first; only those for `destination` where it is named.

        A store that is not open is read as it stands, also while another process has it open.
        """
        ...

    async def revive(
        self, now: datetime, *, ids: Sequence[str] | None = None, destination: str | None = None
    ) -> int:
        """Make dead deliveries due `now`, with a new round of attempts; returns how many there were.

        Those of `ids` and for `destination`, where these are given; all otherwise.
        """
        ...

    async def pause(self, pause: Pause) -> None:
        """Lease nothing for a destination in that time, in no process; a longer pause of it stays."""
        ...

    async def pauses(self, now: datetime) -> list[Pause]:
        """Return the pauses in force, by destination; a store that is not open is read too."""
        ...

    async def resume(self, destination: str | None = None) -> None:
        """End the pause of a destination; all pauses without it."""
        ...

    async def quarantined(self, after: int = 0, limit: int = 100) -> list[Excerpt]:
        """Return excerpts of quarantined messages with an id above `after`, in order of id."""
        ...

    async def latest_quarantined(self, before: int | None = None, limit: int = 100) -> list[Excerpt]:
        """Return the same with an id below `before` (of all, without it), the latest first."""
        ...

    async def quarantined_message(self, id_: int) -> Quarantined | None:
        """Return one quarantined message, whole."""
        ...

    async def quarantined_of(self, source_id: str, limit: int = 100) -> list[Excerpt]:
        """Return quarantined messages that name a customer by any id or email, the latest first."""
        ...

    async def add_ignored(self, counted: Sequence[Ignored], most: int, before: datetime | None) -> None:
        """Add counts of messages that no mapping takes to those of the same source, type and event.

        Of more than `most` kinds those go that were not seen for longest, and any not seen since `before`.
        """
        ...

    async def ignored(self, limit: int = 100) -> list[Ignored]:
        """Return which messages no mapping takes, the latest first."""
        ...

    async def release_quarantined(self, ids: Sequence[int]) -> int:
        """Delete quarantine entries that have been replayed; returns how many there were."""
        ...

    async def forget_messages(self, before: datetime) -> int:
        """Drop dedupe keys seen before then, save those answered or `rewarded`; returns how many."""
        ...

    async def forget(self, kind: Aged, before: datetime) -> int:
        """Drop what is older than that, a part at a time so that requests are not held up; returns how many.

        Events go by `occurred_at`, decisions by `decided_at`, deliveries by `created_at` once done or dead,
        quarantined messages and pending moves by `received_at`.
        The folded history of customers, and so what rules see, stays as it is.
        """
        ...

    async def counts(self) -> dict[str, int]:
        """Return how many there are of `customers`, `events`, `discounts`, `deliveries_due`,
        `deliveries_dead`, `timers` and `quarantined`.
        """
        ...
