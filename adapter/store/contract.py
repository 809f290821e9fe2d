"""What every engine guarantees: few, coarse verbs.

All writes that depend on a decision go through `Store.transact`: one script, one transaction. The script is
a coroutine. An engine may run it again from the start after a rollback for a temporary reason (deadlock,
serialization failure), so its only effect must be through the transaction. When `transact` returns, the
changes are durable (fsync done, synchronous standbys included). When it raises, nothing was saved, except
if the connection was lost during the commit: then a retry with the same message keys shows whether it was.

Every verb raises `adapter.errors.Unavailable` when the store cannot be reached, is full or is locked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.timers import Timer
from adapter.store.activity_contract import ActivityVerbs
from adapter.store.checkout_contract import CheckoutVerbs
from adapter.store.console_contract import ConsoleVerbs
from adapter.store.decision_contract import DecisionReads
from adapter.store.forwarding_contract import ForwardingVerbs
from adapter.store.import_contract import ImportStore
from adapter.store.journal_contract import JournalVerbs
from adapter.store.list_contract import ListVerbs
from adapter.store.outbox_contract import OutboxVerbs
from adapter.store.privacy_contract import PrivacyVerbs
from adapter.store.quarantine_contract import QuarantineVerbs
from adapter.store.schedule_contract import ScheduleVerbs
from adapter.store.simulation_contract import SimulationVerbs
from adapter.store.transaction_contract import OnLocksAcquired, Transaction
from adapter.store.values import CustomerHistory, MessageKey, RetentionKind

T = TypeVar("T")


class Store(
    ActivityVerbs,
    CheckoutVerbs,
    ConsoleVerbs,
    ForwardingVerbs,
    ImportStore,
    JournalVerbs,
    ListVerbs,
    OutboxVerbs,
    PrivacyVerbs,
    QuarantineVerbs,
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
        """Return the discount that a code means, also of a closed store; raises NotFound for several."""
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
        `deliveries_dead`, `timers` and `quarantined`. Large numbers of most may be estimates.
        """
        ...
