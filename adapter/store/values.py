"""What goes into a store and comes out of it: frozen values, the same for both engines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from msgspec import Struct

from adapter.model.counter_key import ScopedKey
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.deliveries import Delivery, Past, Rendered
from adapter.model.discounts import DiscountRecord
from adapter.model.erasures import ForwardedErasure
from adapter.model.events import Event
from adapter.model.imports import ImportStep
from adapter.model.journal import JournalRow
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.model.redemptions import Redemption, Rollback
from adapter.model.timers import Cancellation, Timer
from adapter.model.vouchers import Voucher
from adapter.store.checkout_values import PoolCode
from adapter.store.forwarding_values import NewForward, SentTo
from adapter.store.schedule_contract import ScheduleStep

#: (source, dedupe key) of a message.
MessageKey = tuple[str, str]
#: (kind, value) of an identity; kind `source_id` holds the redirects of merged customers.
Identity = tuple[str, str]
#: The kinds of rows that are deleted by age (dedupe keys have a verb of their own).
RetentionKind = Literal[
    "events", "decisions", "deliveries", "quarantine", "pending_moves", "holds", "failed_codes",
    "forwards", "audit", "sign_ins",
]  # fmt: skip
#: Renders a leased delivery; None leaves it as it is. It is pure, and may be called again for the same lease.
Render = Callable[[Delivery], Rendered | None]
#: What is read of the customers of leased deliveries for `render`: nothing, who they are, or their codes too.
HolderReading = Literal["nothing", "customers", "codes"]
#: Where work on a customer's rows continues: after a key in a table.
Place = tuple[str, tuple[Any, ...]]


class CustomerRecord(Struct):
    """A customer with the folded history of their events (opaque bytes to the store).

    `size` is that of the customer as it was read, in bytes. `changed` says of one to be saved whether the
    customer, their history apart, may differ from what is stored.
    """

    customer: Customer
    history: bytes = b""
    size: int = 0
    changed: bool = True


class CustomerHistory(Struct):
    """All stored events and decisions of one customer; decisions oldest first. `source_id` is the key."""

    source_id: str
    decisions: list[Decision]
    events: list[Event]
    customer: Customer | None = None


#: A page ends with the row at which it has so many bytes.
PAGE_BYTES = 1_000_000


class LoadRequest(Struct):
    """What a batch needs to know.

    A load claims the `messages`: if two transactions claim one key at the same time, exactly one of those
    that commit sees it as new. A key that occurs twice in a batch is one key, new or seen. A claim is kept
    if the script ends without a save, or with a save that does not answer it. Messages count as seen at
    `now` of the load. `customers` are source_ids as the messages name them, `identities` their linking
    identities, `codes` the discounts that they move, `waits` the rules whose timers are due.
    """

    messages: Sequence[MessageKey] = ()
    customers: Sequence[str] = ()
    identities: Sequence[Identity] = ()
    codes: Sequence[str] = ()
    waits: Sequence[str] = ()


class Weight(Struct, frozen=True):
    """How many rows one customer has, as far as they were counted: of all tables, and names among them."""

    rows: int = 0
    names: int = 0


class LoadedState(Struct):
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
    discounts: dict[str, DiscountRecord]
    timers: list[Timer] = []
    pending: list[PendingMove] = []


class CounterState(Struct):
    """The values of counters (absent ones are 0), and codes that exist in any spelling.

    They need not be locked: `save` ensures that they do not pass their bounds before its commit.
    """

    used: dict[ScopedKey, int]
    taken: frozenset[str]


class NewEvent(Struct, frozen=True):
    """One event to be appended; its identity is source, customer (merges followed), name and id.

    `place` tells it from the other events of the transaction, in each run of its script. `identity` is the
    digest of an event that was exported.
    """

    source_id: str
    source: str
    event: Event
    place: Hashable
    identity: bytes = b""


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
    """One person to be erased: the rows of `source_id` are deleted, and each of `asked` gets a receipt.

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
    """An erasure under way: `names` may still be in quarantine or in the data of others.

    `customers` has the fingerprints of its receipts, one behind the other, `erased_at` their moment. Messages
    quarantined with an id above `upto` came later, and stay; so do rows of the journal above `journal_upto`.
    """

    number: int
    names: list[str]
    customers: bytes
    erased_at: datetime
    upto: int
    journal_upto: int = 0


class CustomerData(Struct):
    """All that is held of one person; lists without a limit, the oldest first.

    `names` are the ids that lead to them (kind, value). `history` is opaque to the store.
    """

    source_id: str
    customer: Customer | None
    history: bytes
    names: list[Identity]
    events: list[Event]
    decisions: list[Decision]
    discounts: list[DiscountRecord]
    deliveries: list[Delivery]
    sent_to: list[SentTo]
    timers: list[Timer]
    counters: dict[str, int]
    quarantined: list[Excerpt]
    pending_moves: list[PendingMove]
    redemptions: list[Redemption] = []
    rollbacks: list[Rollback] = []


class Changes(Struct):
    """Everything one transaction writes.

    Order matters not in the lists but between them: first `moved`, then `erased`, then all the rest, so
    what the other lists hold of an erased customer is what came after the erasure.

    `answers` are stored with their message keys, so that duplicates get the same answer; an answer may also
    be given to a key that this transaction has not claimed (one not known counts as seen at `seen_at`).
    `moved` lists (from source_id, to source_id) merges, in order: events, discounts (with the scopes of
    their claims), decisions, deliveries, counters scoped to the customer (summed) and identities follow,
    the record of `from` goes, and a redirect from it is kept; what the other lists say of `from` is written
    to `to`, but `customers` must hold the merged record. `erased` lists whose data must go: their records,
    identities, redirects to them, events, decisions, discounts, deliveries, own counters, the quarantined
    messages that name them (`Quarantined.names`) by any id that leads to them, and the answers of
    `rewarded` messages (the bare keys stay); counters of the whole shop and of devices stay. Their names
    are `forgotten` until they have been looked for elsewhere. Each leaves a receipt, unless nothing was
    there and the same demand has left one before. `events` are appended; of one identity the first is kept
    alone. Where another was saved for new, or where a merge finds one identity in both customers, the
    script runs again with that in `Transaction.known`. `counters` are differences, and `bounds` the highest
    values of counters before these are added at which the decision is still right; a reserved counter that
    grows without a bound may not be higher than it was read. If another transaction has moved it past that,
    the script runs again. `discounts` replace those of that code that were loaded in this transaction, and
    are inserted otherwise. `rewritten` are open discounts of merged customers, each written in the place of
    the one of its code, before `discounts`. `rewarded` says of each message on which a discount hangs whose
    discount it is (source_id), so that its answer goes when that customer is erased. Keys that are answered
    or rewarded are never forgotten. `cancelled` ends the stored timers that it says, before `armed` ones
    are kept, at most one for a customer and rule: each takes the place of the one that is there. A merge
    moves timers, of two under one rule the later due; an erasure drops them. `ended` moves are removed
    before `pending` ones are kept, each in the place of the one of that customer and id that is there; a
    merge moves those by the customer who is merged, an erasure drops those by the person erased.
    `redemptions` are inserted, or replace those of their ids that were read with `booked`; a code that is
    in use on the same order by another one, and a second of `rollbacks` with one number, have the script
    run again. A merge moves both, an erasure drops them and keeps the amounts alone. `drawn` are codes of
    pools, and `pool_codes` are added to pools. `vouchers` are inserted, and `changed_vouchers` replace those
    of their codes; of a code that has a voucher by now the script runs again. `step` says how far an import
    has come; if another worker has it now, ImportLost is raised and nothing is saved.
    `forwards` are kept until they are due; of one customer, destination and `ref` the first is kept. A
    merge moves them, an erasure drops them. `contents` are digests that are kept with claimed
    message keys, as long as these are. `journal` is appended. `schedule` says how far an occurrence of a
    scheduled rule has come; if another worker has it now, ScheduleLost is raised and nothing is saved.
    `dated` are the traits whose dates are indexed, of `customers` whose facts changed.

    What is not given is empty.
    """

    seen_at: datetime
    answers: dict[MessageKey, bytes] = {}
    customers: list[CustomerRecord] = []
    identities: dict[Identity, str] = {}
    moved: list[tuple[str, str]] = []
    erased: list[Erasure] = []
    events: list[NewEvent] = []
    discounts: list[DiscountRecord] = []
    counters: Mapping[ScopedKey, int] = {}
    decisions: list[Decision] = []
    deliveries: list[Delivery] = []
    quarantine: list[Quarantined] = []
    rewarded: Mapping[MessageKey, str] = {}
    cancelled: Sequence[Cancellation] = ()
    armed: Sequence[Timer] = ()
    bounds: Mapping[ScopedKey, int] = {}
    pending: Sequence[PendingMove] = ()
    ended: Sequence[PendingMove] = ()
    redemptions: Sequence[Redemption] = ()
    rollbacks: Sequence[Rollback] = ()
    drawn: Sequence[str] = ()
    rewritten: Sequence[DiscountRecord] = ()
    step: ImportStep | None = None
    pool_codes: Sequence[PoolCode] = ()
    vouchers: Sequence[Voucher] = ()
    changed_vouchers: Sequence[Voucher] = ()
    forwards: Sequence[NewForward] = ()
    contents: Mapping[MessageKey, bytes] = {}
    journal: Sequence[JournalRow] = ()
    schedule: ScheduleStep | None = None
    dated: Sequence[str] = ()


class Ordering(Struct, frozen=True):
    """Whether the order of each customer's deliveries is `kept`, but of those in `given_up`."""

    kept: bool = False
    given_up: Collection[str] = ()


UNORDERED = Ordering()

#: How many of the longest due deliveries `crowded` looks at, and how many customers: those with most of them.
CROWD_LOOKED_AT: Final = 5_000
CROWD_CUSTOMERS: Final = 200
#: Who gets one more where a lease of an odd number is shared between the longest due and the new ones.
Favour = Literal["old", "new"]


#: How many of the latest due deliveries are looked at for those that may go before others: the first of their
#: customers.
NEW_LOOKED_AT: Final = 500


def share_of_new(limit: int, favour: Favour | None) -> int:
    """Return how many of a lease may be new deliveries: half of it, none without `favour`."""
    return 0 if favour is None else (limit + (favour == "new")) // 2


class QueueLevel(Struct, frozen=True):
    """How many deliveries to a destination have a status, `due` or `dead`, and when the first was due.

    Where they are as many as were to be counted at most, there may be more.
    """

    destination: str
    status: str
    count: int
    first_due_at: datetime


class DeliveryResult(Struct, frozen=True):
    """What came of one leased delivery; without `due_at` it is over (`done`, else dead).

    `past` is kept in the place of the attempts that were known before; without it those stay. `forwarded`
    is what became of an erasure: once it is done the delivery does not have the id any more.
    """

    id: str
    attempt: int
    done: bool
    due_at: datetime | None = None
    error: str | None = None
    past: Past | None = None
    forwarded: ForwardedErasure | None = None
