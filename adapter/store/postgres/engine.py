"""The store on PostgreSQL: a few connections that commit, and a few that read and lease."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

import asyncpg

from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event
from adapter.model.ignored import Ignored
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.model.timers import Timer
from adapter.store.copy import expect_usable
from adapter.store.migrations import Schema, compared
from adapter.store.naming import NamedTransaction
from adapter.store.postgres import outbox
from adapter.store.postgres.activity import ActivityVerbs
from adapter.store.postgres.booking_verbs import BookingVerbs
from adapter.store.postgres.committer import ConnectionPool
from adapter.store.postgres.connection import READING, Connection, connect, translated
from adapter.store.postgres.console import ConsoleVerbs
from adapter.store.postgres.copying import PostgresEnd
from adapter.store.postgres.decision_reads import DecisionReads
from adapter.store.postgres.forwarding import ForwardingVerbs
from adapter.store.postgres.imports import ImportVerbs
from adapter.store.postgres.journal import JournalVerbs
from adapter.store.postgres.list_reads import ListVerbs
from adapter.store.postgres.migrate import applied, migrate
from adapter.store.postgres.outbox_verbs import OutboxVerbs
from adapter.store.postgres.privacy_verbs import PrivacyVerbs
from adapter.store.postgres.read_connections import ReadConnections
from adapter.store.postgres.reads import Reads
from adapter.store.postgres.redemptions import add_pool_codes
from adapter.store.postgres.rehearsing import rehearsed
from adapter.store.postgres.schedules import ScheduleVerbs
from adapter.store.postgres.simulations import SimulationVerbs
from adapter.store.postgres.statements import MIGRATIONS, SQL
from adapter.store.postgres.transaction import PostgresTransaction
from adapter.store.transaction_contract import OnLocksAcquired, Transaction
from adapter.store.values import NOTHING_KNOWN, CustomerHistory, KnownAlready, MessageKey, RetentionKind

T = TypeVar("T")
_WRITE_NOTHING = "SELECT pg_logical_emit_message(true, 'adapter', '')"


class PostgresStore(
    ReadConnections,
    ActivityVerbs,
    BookingVerbs,
    ConsoleVerbs,
    ImportVerbs,
    ForwardingVerbs,
    JournalVerbs,
    ListVerbs,
    OutboxVerbs,
    PrivacyVerbs,
    ScheduleVerbs,
    DecisionReads,
    SimulationVerbs,
):
    """See `adapter.store.contract.Store`.

    `dsn` is what libpq takes: several hosts too, of which the one that accepts writes is used; `shown`
    is how messages name it, without the password. `made` says whether opening it found nothing there.
    """

    def __init__(self, dsn: str, shown: str) -> None:
        super().__init__(dsn, shown)
        self.made, self.secret = False, b""
        self._committer = ConnectionPool(dsn, shown)

    async def open(self, *, copying: bool = False) -> None:
        """Connect, and bring the schema up to date."""
        if self._idle is not None:
            return
        with translated(self._shown):
            connection = await connect(self._dsn, READING)
            try:
                self.made = await migrate(connection, MIGRATIONS, self._shown)
                if not copying:
                    noted = await connection.fetch(SQL["copies"])
                    expect_usable(self._shown, {row["name"]: row["reached"] for row in noted})
                    self.secret = await _secret(connection)
            except BaseException:
                connection.terminate()
                raise
        self._idle = [connection]
        self._committer.open()

    async def close(self) -> None:
        """Finish what runs, and disconnect."""
        idle, self._idle = self._idle, None
        await self._committer.close()
        for connection in idle or ():
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=2)

    async def ping(self) -> None:
        """Commit what keeps nothing: a server that only reads refuses it, and standbys are waited for."""
        await self._read(lambda connection: connection.execute(_WRITE_NOTHING))

    async def transact(
        self, script: Callable[[Transaction], Awaitable[T]], on_locks_acquired: OnLocksAcquired | None = None
    ) -> T:
        """Run the script in one transaction; durable when it returns."""
        known = NOTHING_KNOWN

        async def work(connection: Connection, again: bool) -> tuple[T, str]:
            nonlocal known
            transaction = PostgresTransaction(connection, on_locks_acquired, known, locking=again)
            try:
                result = await script(NamedTransaction(transaction))
            except KnownAlready as found:
                known = found.known
                raise
            await transaction.finish()
            return result, transaction.end

        return await self._committer.run(work)

    async def rehearse(self, scripts: Sequence[Callable[[Transaction], Awaitable[T]]]) -> list[T]:
        """Run scripts one after the other, and keep nothing."""
        return await rehearsed(self._committer, scripts)

    async def customer(self, source_id: str) -> Customer | None:
        """Return a customer by any of their names."""
        return await self._read(lambda connection: Reads(connection).customer(source_id))

    async def discount(self, code: str) -> DiscountRecord | None:
        """Return the discount that a code means, also of a closed store."""
        return await self._read_or_peek(lambda connection: Reads(connection).discount(code))

    async def discounts(
        self, source_id: str, limit: int = 100, before: str | None = None
    ) -> Page[DiscountRecord]:
        """Return a page of a customer's discounts, newest first."""
        return await self._read(lambda connection: Reads(connection).discounts(source_id, limit, before))

    async def events(self, source_id: str, limit: int = 100, before: str | None = None) -> Page[Event]:
        """Return a page of a customer's events, latest first."""
        return await self._read(lambda connection: Reads(connection).events(source_id, limit, before))

    async def decisions(self, source_id: str, limit: int = 100, before: str | None = None) -> Page[Decision]:
        """Return a page of a customer's decisions, newest first."""
        return await self._read(lambda connection: Reads(connection).decisions(source_id, limit, before))

    async def contents(self, keys: Collection[MessageKey]) -> dict[MessageKey, bytes]:
        """Return the digests of what came under message keys."""
        return await self._read(lambda connection: Reads(connection).contents(keys))

    async def pending_moves(self, *, source_id: str = "", code: str = "") -> list[PendingMove]:
        """Return the pending moves by a customer, or of a code."""
        return await self._read(lambda connection: Reads(connection).pending_moves(source_id, code))

    async def add_pool_codes(self, pool: str, codes: Sequence[str], now: datetime) -> list[str]:
        """Add codes to a pool."""
        return await self._read(lambda connection: add_pool_codes(connection, pool, codes, now))

    async def lapsed(self, now: datetime, limit: int) -> list[str]:
        """Return codes of open discounts whose time is over."""
        return await self._read(lambda connection: Reads(connection).lapsed(now, limit))

    async def due_timers(self, now: datetime, limit: int) -> list[Timer]:
        """Return timers whose moment has come."""
        return await self._read(lambda connection: Reads(connection).due_timers(now, limit))

    async def customer_histories(self, after: str, limit: int) -> list[CustomerHistory]:
        """Return a page of customers with their events and decisions."""
        return await self._read(lambda connection: Reads(connection).customer_histories(after, limit))

    async def quarantined_message(self, id_: int) -> Quarantined | None:
        """Return one quarantined message, whole."""
        return await self._read(lambda connection: Reads(connection).quarantined_message(id_))

    async def quarantined_of(self, source_id: str, limit: int = 100) -> list[Excerpt]:
        """Return quarantined messages that name a customer."""
        return await self._read(lambda connection: Reads(connection).quarantined_of(source_id, limit))

    async def add_ignored(self, counted: Sequence[Ignored], most: int, before: datetime | None) -> None:
        """Add counts of messages that no mapping takes."""
        await self._read(lambda connection: outbox.add_ignored(connection, counted, most, before))

    async def ignored(self, limit: int = 100) -> list[Ignored]:
        """Return which messages no mapping takes."""
        return await self._read(lambda connection: Reads(connection).ignored(limit))

    async def release_quarantined(self, ids: Sequence[int]) -> int:
        """Delete quarantine entries."""
        return await self._read(lambda connection: outbox.release_quarantined(connection, ids))

    async def purge_dedupe_keys(self, before: datetime) -> int:
        """Drop old dedupe keys, some at a time so that no lock is held for long."""
        gone = 0
        while some := await self._read(lambda connection: outbox.purge_some_dedupe_keys(connection, before)):
            gone += some
        return gone

    async def purge(self, kind: RetentionKind, before: datetime) -> int:
        """Drop what is older than that, some rows at a time."""
        gone = 0
        while some := await self._read(lambda connection: outbox.purge_some(connection, kind, before)):
            gone += some
        return gone

    async def counts(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        return await self._read(lambda connection: Reads(connection).counts())

    async def check(self) -> list[str]:
        """Return what is wrong inside the store, a line each; reads all of it."""
        return await self._read(lambda connection: Reads(connection).check())

    async def schema(self) -> Schema:
        """Return which schema a store has, open or not, without changing it."""
        return await self._peek(_schema)

    def end(self) -> PostgresEnd:
        """Return the store as one end of a copy."""
        return PostgresEnd(self._read)


async def _schema(connection: Connection) -> Schema:
    return compared(MIGRATIONS, await applied(connection))


async def _secret(connection: Connection) -> bytes:
    """Return the secret of the store, made by the first process that opens it."""
    if await connection.fetchval(SQL["secret"]) is None:
        await connection.execute(SQL["make_secret"])
    return bytes(await connection.fetchval(SQL["secret"]))
