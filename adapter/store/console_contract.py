"""The verbs of the console, which are part of the contract of a store."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from adapter.model.console import AuditEntry, ConsoleSession, SignIn, SignInLimits


class ConsoleVerbs(Protocol):
    """Sessions of the console, and the audit log of its acts."""

    async def add_session(self, session: ConsoleSession, now: datetime) -> None:
        """Store a session, and delete those that have ended."""
        ...

    async def session(self, id_: bytes, now: datetime) -> ConsoleSession | None:
        """Return a session that has not ended."""
        ...

    async def end_session(self, id_: bytes) -> None:
        """Delete a session."""
        ...

    async def begin_sign_in(self, address: bytes, now: datetime, limits: SignInLimits) -> SignIn:
        """Note a token that is tried from an address, if there is room for it; forget those out of time.

        Two callers never get the same room.
        """
        ...

    async def drop_sign_in(self, number: int) -> None:
        """Forget a token that was right."""
        ...

    async def begin_audit(self, entry: AuditEntry) -> int:
        """Append an entry, durably; returns its number."""
        ...

    async def end_audit(self, entry: AuditEntry) -> None:
        """Store how an act ended: the state, message, subject, customer, before and after of its entry."""
        ...

    async def audit_entry(self, number: int) -> AuditEntry | None:
        """Return an entry."""
        ...

    async def audit(
        self, before: int | None = None, limit: int = 100, *, customer: str = ""
    ) -> list[AuditEntry]:
        """Return entries with a number below `before`, the latest first; of one customer if it is given."""
        ...
