"""What every engine guarantees: few, coarse verbs.

All writes that depend on a decision go through `Store.transact`: one script, one transaction. The script is
a coroutine. An engine may run it again from the start after a rollback for a temporary reason (deadlock,
serialization failure), so its only effect must be through the transaction. When `transact` returns, the
changes are durable (fsync done, synchronous standbys included). When it raises, nothing was saved, except
if the connection was lost during the commit: then a retry with the same message keys shows whether it was.

Every verb raises `adapter.errors.Unavailable` when the store cannot be reached, is full or is locked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from adapter.model.counter_key import CounterKey, ScopedKey
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.discounts import DiscountRecord
from adapter.model.erasures import Receipt
from adapter.model.events import Event
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.model.redemptions import Redemption, Rollback
from adapter.model.removals import Removal
from adapter.model.timers import Timer
from adapter.model.vouchers import Voucher
from adapter.store.activity_contract import ActivityVerbs
from adapter.store.checkout_values import (
    BookedFigures,
    BookedState,
    BookingRequest,
    CheckoutQuery,
    CheckoutView,
    FailedBy,
    Issued,
    Pool,
)
from adapter.store.console_contract import ConsoleVerbs
from adapter.store.decision_contract import DecisionReads
from adapter.store.forwarding_contract import ForwardingVerbs
from adapter.store.import_contract import ImportStore
from adapter.store.journal_contract import JournalVerbs
from adapter.store.list_contract import ListVerbs
from adapter.store.outbox_contract import OutboxVerbs
from adapter.store.scanning import Looks, Slice, Spot
from adapter.store.schedule_contract import ScheduleVerbs
from adapter.store.simulation_contract import SimulationVerbs
from adapter.store.values import (
    Changes,
    CounterState,
    CustomerData,
    CustomerHistory,
    Forgotten,
    Known,
    LoadedState,
    LoadRequest,
    MessageKey,
    Place,
    RetentionKind,
    Weight,
)

T = TypeVar("T")
#: Called, once or more often, when another transaction may begin while one is still open.
OnLocksAcquired = Callable[[], None]


class Transaction(Protocol):
    """One open transaction: load, then reserve, then save, each at most once and in this order.

    `past`, `past_weights`, `weigh`, `counters_of`, `open_discounts` and `latest_discounts` may be called
    between load and save.
    `known` is what earlier runs of the script have found. If a script saves the same again, it is stored
    once.
    """

    known: Known

    async def load(self, wanted: LoadRequest, now: datetime) -> LoadedState:
        """Claim the messages; lock and return what is known of the rest."""
        ...

    async def booked(self, wanted: BookingRequest) -> BookedState:
        """Lock and return what is booked; asked between load and reserve."""
        ...

    async def past(self, source_ids: Sequence[str]) -> dict[str, list[Event]]:
        """Return all stored events of loaded customers, in any order, by customer with events."""
        ...

    async def past_weights(self, source_ids: Sequence[str]) -> dict[str, int]:
        """Return how much `past` would return of customers: bytes, and 500 for each event.

        What is far more than a transaction should read is not measured to its end.
        """
        ...

    async def weigh(self, source_ids: Sequence[str], most: int) -> dict[str, Weight]:
        """Return how much is kept of customers, no more than `most` rows of each table counted."""
        ...

    async def counters_of(
        self, source_ids: Sequence[str], containing: str
    ) -> dict[str, dict[CounterKey, int]]:
        """Return, by customer, the counters scoped to loaded customers whose keys contain a text."""
        ...

    async def open_discounts(self, source_ids: Sequence[str]) -> list[DiscountRecord]:
        """Return every issued or applied discount of loaded customers, expired ones included."""
        ...

    async def latest_discounts(self, source_id: str, most: int) -> list[DiscountRecord]:
        """Return the newest discounts of a loaded customer, whatever their status."""
        ...

    async def reserve(self, counters: Sequence[ScopedKey], codes: Sequence[str]) -> CounterState:
        """Return the values of counters, and which codes exist in any spelling."""
        ...

    async def redact(
        self, source_id: str, removal: Removal, after: Place | None = None
    ) -> tuple[int, Place | None]:
        """Remove an address or ids from some of a loaded customer's rows, their record apart.

        Events whose id holds it go. Returns how many rows changed, and where to go on; None where all is done
        and an address is not noted for the customer any more.
        """
        ...

    async def save(self, changes: Changes) -> None:
        """Write everything; a code taken, or a counter moved, by others meanwhile makes it run again."""
        ...


class Store(
    ActivityVerbs,
    ConsoleVerbs,
    ForwardingVerbs,
    ImportStore,
    JournalVerbs,
    ListVerbs,
    OutboxVerbs,
    ScheduleVerbs,
    DecisionReads,
    SimulationVerbs,
    Protocol,
):
    """The verbs of an engine. Reads see only what is committed.

    `secret` hashes the values that limits count by: 32 bytes of this store, once it is open.
    """

    secret: bytes

    async def open(self, *, copying: bool = False) -> None:
        """Connect, and bring the schema up to date; raises Unavailable with what to do.

        A store that holds part of a copy is opened to be copied into only, and one that was copied to be
        copied again or reopened only: with `copying`.
        """
        ...

    async def close(self) -> None:
        """Finish running work, and release the file or the connections."""
        ...

    async def ping(self) -> None:
        """Raise Unavailable unless the store can commit now."""
        ...

    async def transact(
        self, script: Callable[[Transaction], Awaitable[T]], on_locks_acquired: OnLocksAcquired | None = None
    ) -> T:
        """Run the script in one transaction; durable when it returns.

        An engine that can run transactions at the same time calls `on_locks_acquired` once this one has
        locked what it loads: a later transaction waits for those locks, and sees what this one has saved.
        If this one must run again, it is ordered after those, as if it had been submitted later.
        """
        ...

    async def rehearse(self, scripts: Sequence[Callable[[Transaction], Awaitable[T]]]) -> list[T]:
        """Run scripts one after the other, each as a transaction that sees what those before it saved.

        Nothing is kept, whatever they do. Meanwhile what they load is locked as by `transact`.
        """
        ...

    async def customer(self, source_id: str) -> Customer | None:
        """Return a customer, redirects of merged ones and linking identities followed."""
        ...

    async def discount(self, code: str) -> DiscountRecord | None:
        """Return the discount that a code means, see `resolve`; raises NotFound where it may be several."""
        ...

    async def discounts(
        self, source_id: str, limit: int = 100, before: str | None = None
    ) -> Page[DiscountRecord]:
        """Return a page of a customer's discounts, newest first; redirects followed."""
        ...

    async def events(self, source_id: str, limit: int = 100, before: str | None = None) -> Page[Event]:
        """Return a page of a customer's events, latest `occurred_at` first; redirects followed."""
        ...

    async def decisions(self, source_id: str, limit: int = 100, before: str | None = None) -> Page[Decision]:
        """Return a page of a customer's decisions, newest first; redirects followed."""
        ...

    async def contents(self, keys: Collection[MessageKey]) -> dict[MessageKey, bytes]:
        """Return, of message keys that were saved with one, the digest of what came under them."""
        ...

    async def pending_moves(self, *, source_id: str = "", code: str = "") -> list[PendingMove]:
        """Return pending and refused moves by a customer, redirects followed, or of a code; oldest first."""
        ...

    async def redemption(self, id_: str) -> Redemption | None:
        """Return a redemption, or a hold."""
        ...

    async def redemptions(
        self,
        by: Literal["customer", "order", "code", "all"],
        name: str = "",
        limit: int = 100,
        before: str | None = None,
    ) -> Page[Redemption]:
        """Return a page of redemptions and holds, newest first; a customer's redirects are followed.

        A code is named in its folded spelling.
        """
        ...

    async def rollbacks(self, redemption: str) -> list[Rollback]:
        """Return what was rolled back of a redemption, the oldest first."""
        ...

    async def lapsed_holds(self, now: datetime, limit: int, codes: Sequence[str] = ()) -> list[str]:
        """Return ids of holds whose time is over; only those of folded codes where these are given."""
        ...

    async def checkout(self, wanted: CheckoutQuery) -> CheckoutView:
        """Return what a checkout asks first, in one read."""
        ...

    async def meant(self, codes: Sequence[str]) -> list[DiscountRecord]:
        """Return every discount that one of the codes may mean, in whatever spelling."""
        ...

    async def used(self, counters: Sequence[ScopedKey]) -> dict[ScopedKey, int]:
        """Return counters as they are; absent ones are 0, and left out."""
        ...

    async def issued(self, after: str = "", limit: int = 500) -> Page[Issued]:
        """Return a page of all discounts, in the order of their codes; `next` is given as `after`.

        A page may have fewer than there are, or none, before the last one.
        """
        ...

    async def booked_rule(self, after: str = "") -> str | None:
        """Return the first rule by name after one, of which a code was redeemed or held."""
        ...

    async def booked_figures(self, rule: str) -> list[BookedFigures]:
        """Return what was redeemed of a rule, by day and currency, in this order."""
        ...

    async def add_pool_codes(self, pool: str, codes: Sequence[str], now: datetime) -> list[str]:
        """Add codes to a pool; returns those that were added.

        A code is left out where a discount or a pool has one that differs in case, blanks and dashes alone.
        """
        ...

    async def vouchers_after(self, after: str = "", limit: int = 500) -> list[Voucher]:
        """Return vouchers behind a folded code, in this order."""
        ...

    async def pools(self) -> list[Pool]:
        """Return the pools by name; a store that is not open is read too."""
        ...

    async def pool_levels(self, names: Sequence[str], most: int) -> dict[str, int]:
        """Return how many codes pools have left; no more than `most` of each are counted."""
        ...

    async def add_failed_codes(
        self, by: Sequence[FailedBy], wrong: int, now: datetime, before: datetime
    ) -> None:
        """Add wrong codes of customers and callers; a count that began at `before` or earlier begins anew."""
        ...

    async def lapsed(self, now: datetime, limit: int) -> list[str]:
        """Return codes of issued or applied discounts past their `expires_at`, without pending moves."""
        ...

    async def due_timers(self, now: datetime, limit: int) -> list[Timer]:
        """Return timers whose `due_at` has come, the longest due first; they stay until cancelled."""
        ...

    async def customer_histories(self, after: str, limit: int) -> list[CustomerHistory]:
        """Return up to `limit` customers after one, in order of source_id, with all events and decisions.

        There are fewer if their events and decisions have several megabytes, but at least one if there is
        any.
        """
        ...

    async def held(self, source_id: str, *, apart: bool = False) -> CustomerData:
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
        """Index the addresses of up to `limit` customers that older programs stored.

        Returns whether none are left.
        """
        ...

    async def addressed(self, address: str, after: str = "", limit: int = 100) -> list[str]:
        """Return up to `limit` customers after one, in order, whose data may contain an email address.

        `address` is in its normal spelling. Raises Unavailable while addresses of some customers are not
        indexed yet.
        """
        ...

    async def scan(self, spot: Spot, looks: Looks) -> Slice:
        """Look at one slice of all customers' data: bounded rows and bytes, read by one statement.

        Returns by customer what `looks` found in their rows; it may run in another thread.
        """
        ...

    async def forgotten(self, limit: int) -> list[Forgotten]:
        """Return unfinished erasures, whose names are still to be searched for, the oldest first."""
        ...

    async def finish_erasure(self, done: Forgotten, removed: Mapping[str, int]) -> None:
        """Delete the names of an erasure, and add what else was removed, by kind, to its receipts."""
        ...

    async def receipts(self, source_id: str) -> list[Receipt]:
        """Return the receipts of erasures demanded for exactly this id, newest first."""
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

    async def release_quarantined(self, ids: Sequence[int]) -> int:
        """Delete quarantine entries that have been replayed; returns how many there were."""
        ...

    async def purge_dedupe_keys(self, before: datetime) -> int:
        """Delete dedupe keys seen before then, except answered or `rewarded` ones; returns how many."""
        ...

    async def purge(self, kind: RetentionKind, before: datetime) -> int:
        """Delete rows older than that, a part at a time so that requests do not wait; returns how many.

        The descriptions of tables say by which column and condition (`Purge`). The folded history of
        customers stays, and with it what rules read.
        """
        ...

    async def counts(self) -> dict[str, int]:
        """Return how many there are of `customers`, `events`, `discounts`, `deliveries_due`,
        `deliveries_dead`, `timers` and `quarantined`.
        """
        ...
