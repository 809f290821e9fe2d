"""The store on one SQLite file: one connection writes, another reads what is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

import apsw

from adapter.errors import StoreUnavailable
from adapter.store.copy import expect_usable
from adapter.store.migrations import Schema, compared
from adapter.store.naming import NamedTransaction
from adapter.store.sqlite.activity import ActivityVerbs
from adapter.store.sqlite.backup import back_up
from adapter.store.sqlite.connection import begun, connect, roll_back, transaction, translated
from adapter.store.sqlite.console import ConsoleVerbs
from adapter.store.sqlite.copying import SqliteEnd
from adapter.store.sqlite.decision_reads import DecisionReads
from adapter.store.sqlite.forwarding import ForwardingVerbs
from adapter.store.sqlite.imports import ImportVerbs
from adapter.store.sqlite.journal import JournalVerbs
from adapter.store.sqlite.list_reads import ListVerbs
from adapter.store.sqlite.lock import FileLock
from adapter.store.sqlite.migrate import applied, migrate
from adapter.store.sqlite.open_file import OpenFile, claim, expect_readable, exposed
from adapter.store.sqlite.outbox_writes import OutboxWrites
from adapter.store.sqlite.read_verbs import ReadVerbs
from adapter.store.sqlite.reads import Reads
from adapter.store.sqlite.rehearsing import rehearsed
from adapter.store.sqlite.schedules import ScheduleVerbs
from adapter.store.sqlite.simulations import SimulationVerbs
from adapter.store.sqlite.statements import MIGRATIONS, SQL
from adapter.store.sqlite.transaction import SqliteTransaction, drive
from adapter.store.sqlite.worker import Worker
from adapter.store.sqlite.write_verbs import WriteVerbs
from adapter.store.transaction_contract import OnLocksAcquired, Transaction
from adapter.store.values import NOTHING_KNOWN, Known, KnownAlready
from adapter.tasks import unheard

T = TypeVar("T")
_MEMORY = ":memory:"
#: After so many steps of its machine SQLite asks whether a read is given up.
_STEPS = 1_000
#: A code that was drawn may be taken, an event known: so often the script runs.
_ATTEMPTS = 5
#: Where the default store lies, below the working directory. It is made where there is none; another is not,
#: for a volume that is not mounted must not be taken for a store without a past.
_FOLDER = Path("data")


class SqliteStore(
    ActivityVerbs,
    ReadVerbs,
    ConsoleVerbs,
    DecisionReads,
    ImportVerbs,
    ForwardingVerbs,
    JournalVerbs,
    ListVerbs,
    OutboxWrites,
    ScheduleVerbs,
    SimulationVerbs,
    WriteVerbs,
):
    """See `adapter.store.contract.Store`; `path` may be `:memory:` for a store that is thrown away.

    `made` says whether opening it found nothing there.
    """

    def __init__(self, path: str) -> None:
        self.made = False
        self.secret = b""
        self._path = path if path == _MEMORY else str(Path(path).absolute())
        self._folder = _FOLDER if Path(path).parent == _FOLDER else None
        self._lock = None if path == _MEMORY else FileLock(self._path)
        self._writer = Worker("store-writer")
        self._reader = Worker("store-reader", giving_up=True) if self._lock else self._writer
        self._turn = asyncio.Lock()
        self._connection: apsw.Connection | None = None
        self._file: OpenFile | None = None
        self._reads: Reads | None = None
        self._near: Reads | None = None

    @property
    def file(self) -> Path | None:
        """The file of the store; None for one in memory."""
        return None if self._lock is None else Path(self._path)

    @property
    def missing_folder(self) -> str:
        """The folder without which no file can be made; empty when it is there, or is made with the file."""
        folder = Path(self._path).parent
        return "" if self._folder or folder.is_dir() else str(folder)

    @property
    def exposed(self) -> str:
        """What to do about files that every user of the machine may read or write; empty without such."""
        files = " ".join(str(file) for file in exposed(self._path))
        return files and f"every user of this machine may read the store: run `chmod 600 {files}`"

    async def open(self, *, copying: bool = False) -> None:
        """Take the file for this process, and bring its schema up to date."""
        if self._connection is not None:
            return
        if self._folder:
            with suppress(OSError):  # the lock says what is wrong
                self._folder.mkdir(mode=0o700, exist_ok=True)
        if self._lock:
            self._lock.take()
        self._writer.start()
        try:
            await self._writer.run(lambda: self._connect(copying=copying))
        except BaseException:
            await self._writer.stop()
            self._let_go()
            raise
        if self._reader is not self._writer:
            self._reader.start()

    async def close(self) -> None:
        """Finish what was asked for, write the log back into the file, and let go of it."""
        if self._connection is None:
            return
        if self._reader is not self._writer:
            await self._reader.stop()
        await self._writer.stop()
        self._let_go()

    async def ping(self) -> None:
        """Commit one small write."""
        await self._write(lambda connection: connection.execute(SQL["beat"]))

    async def transact(
        self, script: Callable[[Transaction], Awaitable[T]], on_locks_acquired: OnLocksAcquired | None = None
    ) -> T:
        """Run the script in one transaction; durable when it returns. No other can run at the same time.

        Its statements run on the caller's event loop: a thread would wait for the interpreter lock of a
        busy loop at each statement. Only waits for a file lock and commits run in the thread.
        """
        return await self._alone(lambda: self._transacted(script))

    async def rehearse(self, scripts: Sequence[Callable[[Transaction], Awaitable[T]]]) -> list[T]:
        """Run scripts one after the other, and keep nothing."""
        return await self._alone(lambda: self._rehearsed(scripts))

    async def schema(self) -> Schema:
        """Return which schema a closed store has, without changing it."""
        return await asyncio.to_thread(self._schema)

    async def back_up(self, into: Path) -> int:
        """Write what is committed into a new file, and return its bytes; the store may be open elsewhere."""
        return await asyncio.to_thread(back_up, self._path, into)

    def end(self) -> SqliteEnd:
        """Return the store as one end of a copy."""
        return SqliteEnd(self._write)

    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        return await self._alone(lambda: self._writer.run(lambda: self._commit(work)))

    async def _read(self, work: Callable[[Reads], T]) -> T:
        if self._reader is self._writer:
            return await self._alone(lambda: self._reader.run(lambda: self._look(work)))
        return await self._reader.run(lambda: self._look(work))

    async def _ask(self, work: Callable[[apsw.Connection], T]) -> T:
        return await self._read(lambda reads: work(reads.connection))

    async def _read_by_key(self, work: Callable[[Reads], T]) -> T:
        """Run the query on the caller's event loop, or in the thread if it would have to wait for a lock.

        As for transactions: a thread would wait for the interpreter lock of a busy loop, several times for
        each request.
        """
        if self._reader is not self._writer and self._connection is not None:
            with translated(self._path), suppress(apsw.BusyError, apsw.LockedError):
                return work(self._near_reads())
        return await self._read(work)

    async def _read_or_peek(self, work: Callable[[Reads], T]) -> T:
        if self._connection is None and self._lock:
            return await asyncio.to_thread(self._peek, work)
        return await self._read(work)

    async def _alone(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do work that needs the writing connection to itself; a cancelled caller does not cut it short."""

        async def turn() -> T:
            async with self._turn:
                return await work()

        return await asyncio.shield(unheard(asyncio.create_task(turn())))

    async def _transacted(self, script: Callable[[Transaction], Awaitable[T]]) -> T:
        known = NOTHING_KNOWN
        with translated(self._path):
            for _ in range(_ATTEMPTS - 1):
                try:
                    return await self._attempted(script, known)
                except KnownAlready as found:
                    known = found.known
                except apsw.ConstraintError as error:
                    if "discounts.code" not in str(error):
                        raise
            return await self._attempted(script, known)

    async def _attempted(self, script: Callable[[Transaction], Awaitable[T]], known: Known) -> T:
        connection = self._opened()
        if not begun(connection):
            await self._writer.run(lambda: connection.execute("BEGIN IMMEDIATE"))
        try:
            result = drive(
                lambda keyed: script(NamedTransaction(keyed)), SqliteTransaction(connection, known)
            )
            await self._writer.run(lambda: self._commit_open(connection))
        except BaseException:
            roll_back(connection)
            raise
        return result

    async def _rehearsed(self, scripts: Sequence[Callable[[Transaction], Awaitable[T]]]) -> list[T]:
        with translated(self._path):
            connection = self._opened()
            if not begun(connection):
                await self._writer.run(lambda: connection.execute("BEGIN IMMEDIATE"))
            try:
                return rehearsed(connection, scripts)
            finally:
                roll_back(connection)

    def _commit(self, work: Callable[[apsw.Connection], T]) -> T:
        with translated(self._path):
            connection = self._opened()
            with transaction(connection):
                result = work(connection)
            if self._file:
                self._file.committed()
            return result

    def _commit_open(self, connection: apsw.Connection) -> None:
        connection.execute("COMMIT")
        if self._file:
            self._file.committed()

    def _opened(self) -> apsw.Connection:
        if self._connection is None:
            raise StoreUnavailable(f"the store {self._path} is closed: open it first")
        if self._file:
            self._file.expect()
        return self._connection

    def _look(self, work: Callable[[Reads], T]) -> T:
        with translated(self._path):
            if self._reads is None:
                if self._file:
                    self._file.check()
                connection = connect(self._path, read_only=True)
                connection.set_progress_handler(self._reader.given_up, _STEPS)
                self._reads = Reads(connection)
            return work(self._reads)

    def _near_reads(self) -> Reads:
        if self._near is None:
            if self._file:
                self._file.check()
            connection = connect(self._path, read_only=True)
            connection.set_busy_timeout(0)
            self._near = Reads(connection)
        return self._near

    def _peek(self, work: Callable[[Reads], T]) -> T:
        expect_readable(self._path)
        with translated(self._path), closing(connect(self._path, read_only=True)) as connection:
            return work(Reads(connection))

    def _schema(self) -> Schema:
        if not Path(self._path).exists():
            return compared(MIGRATIONS, [])
        expect_readable(self._path)
        with translated(self._path), closing(connect(self._path, read_only=True)) as connection:
            return compared(MIGRATIONS, applied(connection))

    def _connect(self, *, copying: bool) -> None:
        if self._lock:
            claim(self._path, self._lock.descriptor)
        with translated(self._path):
            connection = connect(self._path)
            try:
                self._prepare(connection, copying=copying)
            except BaseException:
                connection.close()  # before its lock is let go
                raise
            self._connection = connection

    def _prepare(self, connection: apsw.Connection, *, copying: bool) -> None:
        self.made = migrate(connection, MIGRATIONS, self._path)
        if not copying:
            expect_usable(self._path, dict(connection.execute(SQL["copies"])))
            connection.execute(SQL["make_secret"])
            self.secret = connection.execute(SQL["secret"]).get
        if self._lock:
            self._lock.renew()
            self._file = OpenFile(self._path, self._lock.descriptor, connection)
        else:
            self._reads = Reads(connection)

    def _let_go(self) -> None:
        opened, self._reads, self._near = (self._reads, self._near), None, None
        connection, self._connection = self._connection, None
        file, self._file = self._file, None
        if file is not None:
            file.close()
        for reads in opened:
            if reads is not None:
                reads.close()
        if connection is not None:
            connection.close()
        if self._lock:
            self._lock.release()
