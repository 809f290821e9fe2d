"""Sessions of the console and the audit log in SQLite."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import apsw

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
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros

T = TypeVar("T")


class ConsoleVerbs(ABC):
    """The verbs of `adapter.store.console_contract.ConsoleVerbs`."""

    @abstractmethod
    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run work in a transaction of the writing connection."""

    @abstractmethod
    async def _ask(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a query on the reading connection."""

    async def add_session(self, session: ConsoleSession, now: datetime) -> None:
        """Store a session."""

        def work(connection: apsw.Connection) -> None:
            connection.execute(SQL["drop_ended_sessions"], (micros(now),))
            connection.execute(SQL["add_session"], session_row(session))

        await self._write(work)

    async def session(self, id_: bytes, now: datetime) -> ConsoleSession | None:
        """Return a session."""
        rows = await self._rows("session", (id_, micros(now)))
        return read_session(rows[0]) if rows else None

    async def end_session(self, id_: bytes) -> None:
        """Delete a session."""
        await self._write(lambda connection: connection.execute(SQL["end_session"], (id_,)))

    async def begin_sign_in(self, address: bytes, now: datetime, limits: SignInLimits) -> SignIn:
        """Note a token that is tried, if there is room for it."""

        def work(connection: apsw.Connection) -> SignIn:
            connection.execute(SQL["drop_old_sign_ins"], (micros(limits.since),))
            [counted] = connection.execute(SQL["sign_ins"], (address,))
            if (full := room(counted, limits)) is not None:
                return full
            [(number,)] = connection.execute(SQL["add_sign_in"], (address, micros(now)))
            return SignIn(int(number), now)

        return await self._write(work)

    async def drop_sign_in(self, number: int) -> None:
        """Forget a token that was right."""
        await self._write(lambda connection: connection.execute(SQL["drop_sign_in"], (number,)))

    async def begin_audit(self, entry: AuditEntry) -> int:
        """Append an entry."""
        rows = await self._write(
            lambda connection: list(connection.execute(SQL["begin_audit"], audit_row(entry)))
        )
        return int(rows[0][0])

    async def end_audit(self, entry: AuditEntry) -> None:
        """Store how an act ended."""
        await self._write(lambda connection: connection.execute(SQL["end_audit"], outcome_row(entry)))

    async def audit_entry(self, number: int) -> AuditEntry | None:
        """Return an entry."""
        rows = await self._rows("audit_entry", (number,))
        return read_audit(rows[0]) if rows else None

    async def audit(
        self, before: int | None = None, limit: int = 100, *, customer: str = ""
    ) -> list[AuditEntry]:
        """Return the latest entries."""
        page = (NEWEST if before is None else before, limit)
        rows = await (self._rows("audit_of", (*page, customer)) if customer else self._rows("audit", page))
        return list(map(read_audit, rows))

    async def _rows(self, name: str, given: Sequence[Any]) -> list[Any]:
        return await self._ask(lambda connection: list(connection.execute(SQL[name], given)))
