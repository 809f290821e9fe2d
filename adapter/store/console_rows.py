"""Rows of sessions and of the audit log, the same for both engines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec import Raw

from adapter.model.console import AuditEntry, ConsoleSession, SignIn, SignInLimits
from adapter.store.timestamps import micros, moment

#: Above all numbers of entries.
NEWEST: Final = 2**63 - 1


def session_row(session: ConsoleSession) -> tuple[bytes, bytes, str, int]:
    """Return the columns of a session."""
    return session.id, session.token, session.name, micros(session.expires_at)


def read_session(row: Iterable[Any]) -> ConsoleSession:
    """Return a session from its columns."""
    id_, token, name, expires_at = row
    return ConsoleSession(id_, token, name, moment(expires_at))


def room(row: Iterable[Any], limits: SignInLimits) -> SignIn | None:
    """Return that too many tokens were tried, from counts and first moments; None where there is room."""
    count, first, own, own_first = row
    if count >= limits.in_all:
        return SignIn(None, moment(first))
    return SignIn(None, moment(own_first)) if own >= limits.per_address else None


def audit_row(entry: AuditEntry) -> tuple[int, str, str, str, str, str, str, str, bytes, bytes]:
    """Return the columns of an entry without its number."""
    begun = micros(entry.at), entry.who, entry.role, entry.action
    return (*begun, *_outcome(entry))


def outcome_row(entry: AuditEntry) -> tuple[int, str, str, str, str, bytes, bytes]:
    """Return the number of an entry, and the columns that say how it ended."""
    return (entry.number, *_outcome(entry))


def read_audit(row: Iterable[Any]) -> AuditEntry:
    """Return an entry from its columns, the number first."""
    number, at, who, role, action, subject, customer, state, message, before, after = row
    return AuditEntry(
        number=number, at=moment(at), who=who, role=role, action=action, subject=subject,
        customer=customer, state=state, message=message,
        before=Raw(before or b"null"), after=Raw(after or b"null"),
    )  # fmt: skip


def _outcome(entry: AuditEntry) -> tuple[str, str, str, str, bytes, bytes]:
    return entry.subject, entry.customer, entry.state, entry.message, bytes(entry.before), bytes(entry.after)
