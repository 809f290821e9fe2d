"""Sessions of the console and the audit log in PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

from adapter.model.console import AuditEntry, ConsoleSession, SignIn, SignInLimits
from adapter.store.console_rows import (
    NEWEST,
    audit_row,
    outcome_row,
    read_audit,
    read_session,
    room,
    session_row,
)
from adapter.store.postgres.connection import Connection, transaction
from adapter.store.postgres.statements import SQL
from adapter.store.timestamps import micros

T = TypeVar("T")


class ConsoleVerbs(ABC):
    """The verbs of `adapter.store.console_contract.ConsoleVerbs`."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work on a connection."""

    async def add_session(self, session: ConsoleSession, now: datetime) -> None:
        """Store a session."""
        await self._rows("drop_ended_sessions", micros(now))
        await self._rows("add_session", *session_row(session))

    async def session(self, id_: bytes, now: datetime) -> ConsoleSession | None:
        """Return a session."""
        rows = await self._rows("session", id_, micros(now))
        return read_session(rows[0]) if rows else None

    async def end_session(self, id_: bytes) -> None:
        """Delete a session."""
        await self._rows("end_session", id_)

    async def begin_sign_in(self, address: bytes, now: datetime, limits: SignInLimits) -> SignIn:
        """Note a token that is tried, if there is room for it."""

        async def work(connection: Connection) -> SignIn:
            async with transaction(connection):
                await connection.execute(SQL["one_sign_in_at_a_time"])
                await connection.execute(SQL["drop_old_sign_ins"], micros(limits.since))
                [counted] = await connection.fetch(SQL["sign_ins"], address)
                if (full := room(tuple(counted), limits)) is not None:
                    return full
                [row] = await connection.fetch(SQL["add_sign_in"], address, micros(now))
                return SignIn(int(row[0]), now)

        return await self._read(work)

    async def drop_sign_in(self, number: int) -> None:
        """Forget a token that was right."""
        await self._rows("drop_sign_in", number)

    async def begin_audit(self, entry: AuditEntry) -> int:
        """Append an entry."""
        [row] = await self._rows("begin_audit", *audit_row(entry))
        return int(row[0])

    async def end_audit(self, entry: AuditEntry) -> None:
        """Store how an act ended."""
        await self._rows("end_audit", *outcome_row(entry))

    async def audit_entry(self, number: int) -> AuditEntry | None:
        """Return an entry."""
        rows = await self._rows("audit_entry", number)
        return read_audit(rows[0]) if rows else None

    async def audit(
        self, before: int | None = None, limit: int = 100, *, customer: str = ""
    ) -> list[AuditEntry]:
        """Return the latest entries."""
        page = (NEWEST if before is None else before, limit)
        rows = await (self._rows("audit_of", *page, customer) if customer else self._rows("audit", *page))
        return list(map(read_audit, rows))

    async def _rows(self, name: str, *given: Any) -> list[tuple[Any, ...]]:
        return [
            tuple(row) for row in await self._read(lambda connection: connection.fetch(SQL[name], *given))
        ]
